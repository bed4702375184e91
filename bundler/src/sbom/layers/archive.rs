//! Reading a layer: a tar, alone or compressed. Nothing of it is written anywhere, and
//! whatever it has, it takes little memory.

use std::io::{self, BufRead, BufReader, Read};

use bundle_format::input::{Bounded, bounded};
use tar::{Entry, EntryType};

use super::super::database::{Found, Package, System, Watched, go};
use super::layer::Layer;

/// The most bytes of a layer, unpacked.
const MAX_LAYER: u64 = 64 << 30;
/// The most entries of a layer.
const MAX_ENTRIES: usize = 2_000_000;
/// The most files of a layer that say what is installed.
const MAX_FOUND: usize = 20_000;
/// The most bytes of their packages. The 816 packages of a Debian machine have 100 kB.
const MAX_TEXT: usize = 64 << 20;
/// The longest path, in bytes (`PATH_MAX`), and the largest header that has one.
const MAX_PATH: usize = 4096;
const MAX_EXTENSION: u64 = 1 << 20;
/// The same for zstd's window as for yum's metadata, as a power of two.
const MAX_ZSTANDARD_WINDOW: u32 = 27;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Reads a layer as far as it can be read.
pub(super) fn read(reader: &mut dyn Read) -> Layer {
    let mut layer = Layer::default();
    let result = content(reader).and_then(|content| entries(content, &mut layer));
    layer.problem = result.err().map(|error| error.to_string());
    layer.finish()
}

/// The layer's tar.
fn content(reader: &mut dyn Read) -> io::Result<impl Read + '_> {
    let mut reader = BufReader::with_capacity(256 << 10, reader);
    let start = reader.fill_buf()?;
    let reader: Box<dyn Read + '_> = if start.starts_with(GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(reader))
    } else if start.starts_with(ZSTANDARD) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
        decoder.window_log_max(MAX_ZSTANDARD_WINDOW)?;
        Box::new(decoder)
    } else {
        Box::new(reader)
    };
    Ok(Bounded::new(reader, MAX_LAYER, "it has more bytes than any real layer"))
}

fn entries(content: impl Read, layer: &mut Layer) -> io::Result<()> {
    let mut archive = tar::Archive::new(content);
    // A long name that an entry before it has. The crate would read it into memory,
    // however long it is; so its entries are taken as they are.
    let mut long = None;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let bytes = bounded(&mut entry, MAX_EXTENSION)?;
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                long = Some(bytes.get(..end).unwrap_or_default().to_vec());
                continue;
            }
            EntryType::XHeader => {
                long = pax_path(&bounded(&mut entry, MAX_EXTENSION)?).or(long);
                continue;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
            _ => {}
        }
        let name = long.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        if name.len() > MAX_PATH || layer.count() > MAX_ENTRIES {
            return Err(io::Error::other("it has more entries, or longer names, than any layer"));
        }
        let name = String::from_utf8_lossy(&name);
        if let Some(path) = plain(&name) {
            one(&path, &mut entry, layer)?;
        }
    }
    Ok(())
}

/// The path that a pax header gives: lines of `LENGTH KEY=VALUE` (pax(1)).
fn pax_path(header: &[u8]) -> Option<Vec<u8>> {
    let lines = tar::PaxExtensions::new(header).filter_map(Result::ok);
    let paths = lines.filter(|line| line.key_bytes() == b"path");
    paths.last().map(|line| line.value_bytes().to_vec())
}

/// The path without `./` and `/` around it. `None` if it leads elsewhere.
fn plain(name: &str) -> Option<String> {
    let parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<&str> = parts.collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

fn one<R: Read>(path: &str, entry: &mut Entry<'_, R>, layer: &mut Layer) -> io::Result<()> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name == ".wh..wh..opq" {
        layer.empty(folder);
        return Ok(());
    }
    if let Some(removed) = name.strip_prefix(".wh.") {
        let separator = if folder.is_empty() { "" } else { "/" };
        layer.take(&format!("{folder}{separator}{removed}"));
        return Ok(());
    }
    let kind = entry.header().entry_type();
    if kind.is_dir() {
        return Ok(());
    }
    layer.take(path);
    let found = match Watched::of(path) {
        Some(watched) if kind.is_file() => Some(watched.read(entry)),
        // os-release is mostly a link to the other one.
        Some(Watched::OsRelease) => None,
        Some(_) => Some(Found::Unread("it is a link".to_owned())),
        None if kind.is_file() => program(entry)?,
        None => None,
    };
    if let Some(found) = found {
        if let Found::Packages(_, packages) = &found {
            layer.text += packages.iter().map(Package::size).sum::<usize>();
        }
        if layer.found.len() >= MAX_FOUND || layer.text > MAX_TEXT {
            return Err(io::Error::other("it has more programs and packages than any layer"));
        }
        layer.found.insert(path.to_owned(), found);
    }
    Ok(())
}

/// The modules of a program, if it is one of Go.
fn program(entry: &mut impl Read) -> io::Result<Option<Found>> {
    let mut start = Vec::new();
    entry.by_ref().take(go::ELF.len() as u64).read_to_end(&mut start)?;
    if start != go::ELF {
        return Ok(None);
    }
    let modules = go::modules(&mut start.as_slice().chain(entry))?;
    Ok(modules.map(|modules| Found::Packages(System::Go, modules)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const STATUS: &str = "var/lib/dpkg/status";

    fn layer(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn names(layer: &Layer) -> Vec<String> {
        let found = layer.found.values().flat_map(|found| match found {
            Found::Packages(_, packages) => packages.clone(),
            _ => Vec::new(),
        });
        found.map(|package| package.name).collect()
    }

    #[test]
    fn a_layer_is_read_however_it_is_compressed() {
        let plain = layer(&[("etc/a", "b"), (STATUS, "Package: libc6\nVersion: 1\n")]);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let zstandard = zstd::encode_all(plain.as_slice(), 1).unwrap();
        for bytes in [plain, gzip.finish().unwrap(), zstandard] {
            let layer = read(&mut bytes.as_slice());
            assert_eq!((names(&layer), layer.problem), (vec!["libc6".to_owned()], None));
        }
    }

    #[test]
    fn a_layer_hides_what_it_removes_and_replaces() {
        for (path, hides) in [
            (STATUS, true),
            ("./var/lib/dpkg/.wh.status", true),
            ("var/.wh.lib", true),
            (".wh.var", true),
            ("var/lib/.wh..wh..opq", true),
            (".wh..wh..opq", true),
            ("var/lib", true),
            ("var/lib/dpkg/status.d/a", false),
            ("var/lib/dpkg/.wh.status-old", false),
            ("usr/.wh..wh..opq", false),
        ] {
            assert_eq!(read(&mut layer(&[(path, "")]).as_slice()).hides(STATUS), hides, "{path}");
        }
    }

    #[test]
    fn long_names_of_both_kinds_are_read() {
        let long = format!("var/lib/dpkg/status.d/{}", "a".repeat(150));
        let text = "Package: long\n";
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_pax_extensions([("path", long.as_bytes())]).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_path("short").unwrap();
        header.set_size(text.len() as u64);
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
        for bytes in [layer(&[(&long, text)]), archive.into_inner().unwrap()] {
            assert_eq!(names(&read(&mut bytes.as_slice())), ["long"]);
        }
    }

    #[test]
    fn a_name_without_end_takes_no_memory() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        let mut endless = header.as_bytes().chain(io::repeat(b'a'));
        let layer = read(&mut endless);
        assert!(layer.problem.is_some_and(|words| words.contains("bytes")));
    }

    #[test]
    fn damage_is_said_and_what_was_read_stays() {
        let whole = layer(&[(STATUS, "Package: libc6\n"), ("etc/os-release", "ID=debian\n")]);
        let mut problems = 0;
        for end in (0..whole.len()).step_by(7) {
            problems += usize::from(read(&mut &whole[..end]).problem.is_some());
        }
        assert!(problems > 100, "{problems}");
        let mut bad = whole.clone();
        bad[1024 + 3] ^= 1;
        let layer = read(&mut bad.as_slice());
        assert!(layer.problem.is_some());
        assert_eq!(names(&layer), ["libc6"]);
        assert!(read(&mut &b"{\"a\": \"statement\"}"[..]).problem.is_some());
    }

    #[test]
    fn a_link_in_place_of_a_list_is_said() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, STATUS, "/proc/self/mem").unwrap();
        let layer = read(&mut archive.into_inner().unwrap().as_slice());
        let wanted = [(STATUS.to_owned(), Found::Unread("it is a link".to_owned()))];
        assert_eq!(layer.found, wanted.into());
    }
}
