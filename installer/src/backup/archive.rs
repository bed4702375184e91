//! The file of a backup: written whole, and read only if every byte is right.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::digest::{Checked, Hasher};
use bundle_format::replaced::Kind;
use bundle_format::{Digest, input, recognise};
use tar::{Archive, Builder, Entry};

use super::contents::{Contents, LARGEST_FILE, VERSION};
use crate::failure::Failure;
use crate::files::packed::pack;

const LIST: &str = "backup.json";
const SUM: &str = "backup.json.sha256";
const SNAPSHOT: &str = "etcd.db";
/// The folder of the master's files.
const FILES: &str = "kubernetes";
/// The largest list that is read, in bytes. One of 1,000 files has 200 KB.
const LARGEST: u64 = 16 << 20;
const CURE: &str = "copy it here again, or use an earlier backup";

/// The file, which begins with its list.
pub(crate) const KIND: Kind =
    Kind { words: "backup", begins: |head| head.starts_with(b"backup.json\0") };

/// A backup of which every byte was checked. It has no `Debug`, because it has keys.
pub struct Backup {
    path: PathBuf,
    digest: Digest,
    contents: Contents,
    texts: Vec<Vec<u8>>,
    snapshot_at: u64,
}

impl Backup {
    /// Opens the backup at `path`, and checks all of it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = input::open(path).with_context(|| format!("opening {}", path.display()))?;
        read(file, path).map_err(|reason| {
            let error = match reason {
                Refusal::Other(is) => Failure::new(
                    format!("{} {is}", path.display()),
                    "name a file that `installer backup` made",
                ),
                Refusal::Version(version) => Failure::new(
                    format!(
                        "{} is a backup of version {version}, which this installer does not \
                             read",
                        path.display()
                    ),
                    "use the installer that made it",
                ),
                Refusal::Damaged(what) => {
                    Failure::new(format!("{} is damaged: {what}", path.display()), CURE)
                }
                Refusal::Cut(what) => Failure::new(
                    format!("{} is cut short: {what} is not whole", path.display()),
                    CURE,
                ),
            };
            error.into()
        })
    }

    /// What it says of itself.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// What tells it from all others: the digest of its list.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Opens a part of it. The snapshot is checked again while it is read.
    pub fn part(&self, part: Part) -> anyhow::Result<Opened<'_>> {
        match part {
            Part::Snapshot => {
                let opening = || format!("opening {}", self.path.display());
                let mut file = input::open(&self.path).with_context(opening)?;
                file.seek(SeekFrom::Start(self.snapshot_at)).with_context(opening)?;
                let known = &self.contents.snapshot;
                let bytes = Box::new(Checked::new(file, known.digest, known.size));
                Ok(Opened { digest: known.digest, mode: 0o600, bytes })
            }
            Part::File(number) => {
                let both = self.contents.files.get(number).zip(self.texts.get(number));
                let (file, text) = both.context("the backup has no such file")?;
                Ok(Opened { digest: file.digest, mode: file.mode, bytes: Box::new(&text[..]) })
            }
        }
    }
}

/// A part of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// etcd's snapshot.
    Snapshot,
    /// The file of this number, from 0, in the list.
    File(usize),
}

/// A part of a backup, opened to be read.
pub struct Opened<'a> {
    /// Its digest.
    pub digest: Digest,
    /// Its permission bits.
    pub mode: u32,
    /// Its bytes: the right ones, if they end without an error.
    pub bytes: Box<dyn Read + 'a>,
}

/// Writes a backup: the list, and what it names.
pub(super) fn write(
    out: impl Write,
    contents: &Contents,
    snapshot: impl Read,
    texts: &[Vec<u8>],
) -> anyhow::Result<()> {
    let list = serde_json::to_vec_pretty(contents)?;
    let sum = format!("{}  {LIST}\n", Digest::of(&list).hex());
    let mut tar = Builder::new(out);
    let mut add = |name: &str, size: u64, from: &mut dyn Read| {
        pack(&mut tar, name, 0, size, from).with_context(|| format!("writing {name}"))
    };
    add(LIST, list.len() as u64, &mut &list[..])?;
    add(SUM, sum.len() as u64, &mut sum.as_bytes())?;
    let known = &contents.snapshot;
    add(SNAPSHOT, known.size, &mut Checked::new(snapshot, known.digest, known.size))?;
    for (file, text) in contents.files.iter().zip(texts) {
        add(&format!("{FILES}/{}", file.path.as_str()), file.size, &mut &text[..])?;
    }
    tar.into_inner()?.flush()?;
    Ok(())
}

/// Why a file is not taken.
enum Refusal {
    /// It is something else: `is …`.
    Other(String),
    /// It has another version of the format.
    Version(u64),
    /// A part of it is not what the list says.
    Damaged(String),
    /// A part of it is not whole.
    Cut(String),
}

fn read(file: File, path: &Path) -> Result<Backup, Refusal> {
    let mut archive = Archive::new(file);
    let other = || Refusal::Other("is no backup".to_owned());
    let mut entries = archive.entries().map_err(|_| other())?;
    let mut next = |name: &str| match entries.next() {
        Some(Ok(entry)) if entry.path_bytes() == name.as_bytes() => Ok(entry),
        Some(Ok(entry)) => {
            let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            Err(Refusal::Damaged(format!("{found} is where {name} must be")))
        }
        Some(Err(_)) | None => Err(Refusal::Cut(name.to_owned())),
    };
    let list = match next(LIST) {
        Ok(entry) => whole(entry, LIST, LARGEST)?,
        Err(_) => return Err(Refusal::Other(format!("is {}, not a backup", kind(path)))),
    };
    let sum = whole(next(SUM)?, SUM, 1 << 10)?;
    let digest = Digest::of(&list);
    if sum != format!("{}  {LIST}\n", digest.hex()).as_bytes() {
        return Err(Refusal::Damaged(format!("{LIST} does not have the digest in {SUM}")));
    }
    let value: serde_json::Value = serde_json::from_slice(&list).map_err(|_| other())?;
    let version = value.get("version").and_then(serde_json::Value::as_u64).ok_or_else(other)?;
    if version != u64::from(VERSION) {
        return Err(Refusal::Version(version));
    }
    let unread = |error| Refusal::Damaged(format!("{LIST} cannot be read: {error}"));
    let contents: Contents = serde_json::from_value(value).map_err(unread)?;
    let mut entry = next(SNAPSHOT)?;
    let snapshot_at = entry.raw_file_position();
    let mut hasher = Hasher::new();
    let size = io::copy(&mut entry, &mut hasher).map_err(|_| Refusal::Cut(SNAPSHOT.to_owned()))?;
    let known = &contents.snapshot;
    judge(SNAPSHOT, (size, hasher.finish()), (known.size, known.digest))?;
    let mut texts = Vec::new();
    for file in &contents.files {
        let name = format!("{FILES}/{}", file.path.as_str());
        let text = whole(next(&name)?, &name, LARGEST_FILE)?;
        judge(&name, (text.len() as u64, Digest::of(&text)), (file.size, file.digest))?;
        texts.push(text);
    }
    Ok(Backup { path: path.to_owned(), digest, contents, texts, snapshot_at })
}

fn judge(name: &str, found: (u64, Digest), known: (u64, Digest)) -> Result<(), Refusal> {
    match (found.0 < known.0, found == known) {
        (_, true) => Ok(()),
        (true, false) => Err(Refusal::Cut(name.to_owned())),
        (false, false) => Err(Refusal::Damaged(format!("{name} is not what its list says"))),
    }
}

/// The bytes of a small part. Where the file ends, so does the part, without an error.
fn whole(entry: Entry<'_, File>, name: &str, limit: u64) -> Result<Vec<u8>, Refusal> {
    let size = entry.size();
    match input::bounded(entry, limit) {
        Ok(bytes) if bytes.len() as u64 == size => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(Refusal::Damaged(format!("{name} is too large")))
        }
        _ => Err(Refusal::Cut(name.to_owned())),
    }
}

/// What a file is that is no backup.
fn kind(path: &Path) -> &'static str {
    let mut begin = Vec::new();
    let opened = input::open(path);
    drop(opened.map(|file| file.take(4096).read_to_end(&mut begin)));
    recognise::what_begins(&begin)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bundle_format::cluster::Cluster;

    use super::*;
    use crate::backup::contents::{KeptFile, Snapshot};

    const SNAPSHOT_BYTES: &[u8] = &[7; 3000];

    fn contents(texts: &[Vec<u8>]) -> Contents {
        let files = texts.iter().enumerate().map(|(number, text)| KeptFile {
            path: format!("pki/{number}.key").parse().unwrap(),
            mode: 0o600,
            size: text.len() as u64,
            digest: Digest::of(text),
        });
        Contents {
            version: VERSION,
            made: "2026-11-27T18:00:00Z".to_owned(),
            kubernetes: "1.37.2".parse().unwrap(),
            master: "m".to_owned().try_into().unwrap(),
            master_address: [10, 0, 0, 1].into(),
            endpoint: "10.0.0.1:6443".to_owned(),
            ca_cert_hash: Digest::of(b"ca"),
            cluster: Cluster::default(),
            snapshot: Snapshot {
                revision: 77,
                size: SNAPSHOT_BYTES.len() as u64,
                digest: Digest::of(SNAPSHOT_BYTES),
            },
            files: files.collect(),
        }
    }

    fn whole_backup() -> Vec<u8> {
        let texts = vec![b"key".to_vec(), Vec::new(), vec![b'x'; 600]];
        let mut bytes = Vec::new();
        write(&mut bytes, &contents(&texts), SNAPSHOT_BYTES, &texts).unwrap();
        bytes
    }

    fn opened(bytes: &[u8]) -> anyhow::Result<Backup> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        fs::write(&path, bytes).unwrap();
        Backup::open(&path)
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        fs::write(&path, whole_backup()).unwrap();
        let backup = Backup::open(&path).unwrap();
        assert_eq!(backup.contents().snapshot.revision, 77);
        let bytes = |part| {
            let mut bytes = Vec::new();
            backup.part(part).unwrap().bytes.read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(bytes(Part::File(0)), b"key");
        assert_eq!(bytes(Part::File(2)).len(), 600);
        assert_eq!(bytes(Part::Snapshot), SNAPSHOT_BYTES);
        // Changed after it was opened.
        let mut altered = whole_backup();
        let at = usize::try_from(backup.snapshot_at).unwrap();
        altered[at + 1] ^= 1;
        fs::write(&path, altered).unwrap();
        let mut bytes = Vec::new();
        backup.part(Part::Snapshot).unwrap().bytes.read_to_end(&mut bytes).unwrap_err();
    }

    #[test]
    fn no_cut_and_no_altered_byte_passes() {
        let bytes = whole_backup();
        // The last file has 600 bytes; padding and the archive's end follow.
        let content = bytes.len() - 1024 - 424;
        for end in (0..content).step_by(97) {
            let error = opened(&bytes[..end]).map(drop).unwrap_err().to_string();
            assert!(error.contains("is cut short") || error.contains("not a backup"), "{error}");
        }
        // What a header says of owners and times does not count, nor does padding.
        let reads = |bytes: &[u8]| opened(bytes).is_ok();
        for at in (0..content).step_by(13) {
            let mut altered = bytes.clone();
            altered[at] ^= 0x20;
            if reads(&altered) {
                let backup = opened(&altered).unwrap();
                assert_eq!(backup.texts[0], b"key");
                assert_eq!(backup.contents.snapshot.digest, Digest::of(SNAPSHOT_BYTES));
            }
        }
    }

    #[test]
    fn another_version_and_another_file_are_told() {
        let texts = Vec::new();
        let mut later = contents(&texts);
        later.version = 2;
        let mut bytes = Vec::new();
        write(&mut bytes, &later, SNAPSHOT_BYTES, &texts).unwrap();
        assert!(
            opened(&bytes).map(drop).unwrap_err().to_string().contains("a backup of version 2")
        );
        let error = opened(b"kind: Config\n").map(drop).unwrap_err().to_string();
        assert!(error.ends_with("not a backup"), "{error}");
    }
}
