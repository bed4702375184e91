//! A sweep over a whole bundle: each byte that gives it its structure, thousands of
//! others, hundreds of cuts, exchanged blobs and an exchanged index. Each is an error
//! that names what is wrong. `hostile_bundle` says how much memory that may take.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::verify;
use bundle_format::archive::writer;
use bundle_format::layout::Layout;
use bundle_format::lock::Descriptor;
use bundle_format::signature::TrustedKeys;

use crate::support::demo::Demo;

const BLOCK: usize = 512;
/// The fewest bytes that give the demo's bundle its structure. Each of them is altered.
const STRUCTURE: usize = 10_000;
/// How many bytes of blobs are altered.
const OF_BLOBS: usize = 2_500;
/// Of bytes that are zero in each header, or free text in the index, each so many is
/// altered.
const EACH: usize = 11;
/// How many cuts are made.
const CUTS: usize = 500;

/// An entry of the archive: its name, and where its header and its bytes begin and end.
struct Entry {
    name: String,
    header: usize,
    start: usize,
    end: usize,
}

/// The entries, by what tar itself says of them.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut header = 0;
    while bytes[header] != 0 {
        let text = |from: usize, to: usize| {
            let field = &bytes[header + from..header + to];
            String::from_utf8(field.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).unwrap();
        let start = header + BLOCK;
        found.push(Entry { name: text(0, 100), header, start, end: start + size });
        header = start + size.next_multiple_of(BLOCK);
    }
    found
}

/// A bundle, and a file in memory to alter.
struct Sweep {
    demo: Demo,
    good: Vec<u8>,
    entries: Vec<Entry>,
    folder: tempfile::TempDir,
}

impl Sweep {
    fn start() -> Self {
        let demo = Demo::start();
        demo.ok(&["build", "-q"]);
        let good = fs::read(demo.path("demo.tar")).unwrap();
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let sweep = Self { entries: entries(&good), demo, good, folder: memory };
        fs::write(sweep.path(), &sweep.good).unwrap();
        assert_eq!(sweep.problem(&TrustedKeys::default()), None);
        sweep
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("demo.tar")
    }

    fn entry(&self, name: &str) -> &Entry {
        self.entries.iter().find(|entry| entry.name == name).unwrap()
    }

    /// Why the file is not a good bundle; none if it is.
    fn problem(&self, keys: &TrustedKeys) -> Option<String> {
        match Bundle::open_trusted(&self.path(), keys) {
            Ok(bundle) => verify(&bundle, |_| ()).report(),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The same where the file has these bytes.
    fn problem_of(&self, bytes: &[u8]) -> String {
        fs::write(self.path(), bytes).unwrap();
        self.problem(&TrustedKeys::default()).unwrap()
    }

    /// Asks with one byte altered, and puts it right again.
    fn altered<T>(&self, file: &File, place: usize, ask: impl FnOnce() -> T) -> T {
        let good = self.good[place];
        file.write_all_at(&[good ^ 1 << (place % 8)], place as u64).unwrap();
        let answer = ask();
        file.write_all_at(&[good], place as u64).unwrap();
        answer
    }

    /// The blobs with their bytes, in order.
    fn blobs(&self) -> Vec<(Descriptor, Vec<u8>)> {
        let blob = |entry: &Entry| {
            let digest = format!("sha256:{}", entry.name.strip_prefix("blobs/sha256/")?);
            let bytes = self.good[entry.start..entry.end].to_vec();
            let (digest, size) = (digest.parse().unwrap(), bytes.len() as u64);
            Some((Descriptor { media_type: "".into(), digest, size }, bytes))
        };
        self.entries.iter().filter_map(blob).collect()
    }

    fn index(&self) -> &[u8] {
        let entry = self.entry("index.json");
        &self.good[entry.start..entry.end]
    }
}

/// An archive in which everything has its right place, with these blobs.
fn archive(index: &[u8], blobs: &[(Descriptor, Vec<u8>)]) -> Vec<u8> {
    let mut rest = blobs.iter();
    let blobs =
        blobs.iter().map(|(blob, bytes)| Descriptor { size: bytes.len() as u64, ..blob.clone() });
    let layout = Layout {
        index: index.to_vec(),
        documents: Vec::new(),
        blobs: blobs.collect(),
        absent: Vec::new(),
    };
    let mut bytes = Vec::new();
    let open = |_: &Descriptor| Ok(io::Cursor::new(rest.next().unwrap().1.clone()));
    writer::write(&mut bytes, &layout, open, |_| ()).unwrap();
    bytes
}

#[test]
fn a_byte_that_is_altered_anywhere_is_an_error_with_its_place() {
    let sweep = Sweep::start();
    let file = File::options().write(true).open(sweep.path()).unwrap();
    let asked = Cell::new(0);
    let ask = || {
        asked.set(asked.get() + 1);
        sweep.problem(&TrustedKeys::default())
    };
    // What holds the archive together: headers, what fills the blocks, the end mark.
    for entry in &sweep.entries {
        for place in entry.header..entry.start {
            if sweep.good[place] == 0 && place % EACH != 0 {
                continue;
            }
            let said = sweep.altered(&file, place, ask).unwrap_or_else(|| panic!("byte {place}"));
            let words = match entry.header {
                0 => "demo.tar is not a bundle".to_owned(),
                header => format!("demo.tar is damaged at byte {header}: "),
            };
            assert!(said.contains(&words), "byte {place}: {said}");
        }
        let next = entry.start + (entry.end - entry.start).next_multiple_of(BLOCK);
        for place in (entry.end..next).filter(|place| place % EACH == 0) {
            let said = sweep.altered(&file, place, ask).unwrap_or_else(|| panic!("byte {place}"));
            assert!(said.contains(&format!("behind `{}`", entry.name)), "byte {place}: {said}");
        }
    }
    let end = sweep.good.len() - 2 * BLOCK..sweep.good.len();
    for place in end.filter(|place| place % EACH == 0) {
        assert!(sweep.altered(&file, place, ask).is_some(), "byte {place}");
    }
    // What gives the index its structure, and some of the rest.
    let index = sweep.entry("index.json");
    for place in index.start..index.end {
        if b"{}[]\":,".contains(&sweep.good[place]) || place % EACH == 0 {
            assert!(sweep.altered(&file, place, ask).is_some(), "byte {place}");
        }
    }
    let layout = sweep.entry("oci-layout");
    for place in layout.start..layout.end {
        assert!(sweep.altered(&file, place, ask).is_some(), "byte {place}");
    }
    assert!(asked.get() > STRUCTURE, "{}", asked.get());
    // Blobs, of which a bundle that is open already is verified.
    let bundle = Bundle::open(&sweep.path()).unwrap();
    let places: Vec<(&Entry, usize)> = sweep
        .entries
        .iter()
        .filter(|entry| entry.name.starts_with("blobs/"))
        .flat_map(|entry| (entry.start..entry.end).map(move |place| (entry, place)))
        .collect();
    let mut numbers = fastrand::Rng::with_seed(15);
    for _ in 0..OF_BLOBS {
        let (entry, place) = places[numbers.usize(..places.len())];
        let said = sweep.altered(&file, place, || verify(&bundle, |_| ()).report());
        let said = said.unwrap_or_else(|| panic!("byte {place}"));
        let digest = entry.name.strip_prefix("blobs/sha256/").unwrap();
        assert!(said.contains(digest), "byte {place}: {said}");
    }
    assert_eq!(ask(), None, "every byte is right again");
}

#[test]
fn a_bundle_that_is_cut_anywhere_is_called_cut() {
    let sweep = Sweep::start();
    let mut numbers = fastrand::Rng::with_seed(15);
    for cut in 0..CUTS {
        // Each half of them at the end of a block.
        let length = numbers.usize(..sweep.good.len());
        let length = if cut % 2 == 0 { length / BLOCK * BLOCK } else { length };
        let said = sweep.problem_of(&sweep.good[..length]);
        let is_told = ["demo.tar ends in the middle of ", "demo.tar is not a bundle: "]
            .iter()
            .any(|words| said.contains(words));
        assert!(is_told, "cut to {length}: {said}");
    }
}

#[test]
fn blobs_that_are_right_in_themselves_have_to_be_in_their_places() {
    let sweep = Sweep::start();
    let (index, good) = (sweep.index().to_vec(), sweep.blobs());
    assert!(archive(&index, &good) == sweep.good);
    // Another blob's bytes under a blob's name.
    for place in 0..good.len() {
        let mut blobs = good.clone();
        blobs[place].1.clone_from(&good[(place + 1) % good.len()].1);
        let said = sweep.problem_of(&archive(&index, &blobs));
        let is_own = ["its lock: ", "its manifest: "].iter().any(|own| said.contains(own));
        let is_named = said.contains(&good[place].0.digest.to_string());
        assert!(is_named || is_own, "blob {place}: {said}");
    }
    // Two in each other's place, one that is missing, one twice, and one too many.
    for place in (1..good.len()).step_by(3) {
        let mut blobs = good.clone();
        blobs.swap(place - 1, place);
        sweep.problem_of(&archive(&index, &blobs));
        let mut blobs = good.clone();
        blobs.remove(place);
        sweep.problem_of(&archive(&index, &blobs));
        let mut blobs = good.clone();
        blobs.insert(place, good[place].clone());
        assert!(sweep.problem_of(&archive(&index, &blobs)).contains("a second time"));
        let mut blobs = good.clone();
        let more = b"more".to_vec();
        let digest = bundle_format::Digest::of(&more);
        blobs.insert(place, (Descriptor { digest, ..good[place].0.clone() }, more));
        sweep.problem_of(&archive(&index, &blobs));
    }
    // Ranges of the archive in each other's place.
    let half = sweep.good.len() / BLOCK / 2 * BLOCK;
    sweep.problem_of(&[&sweep.good[half..], &sweep.good[..half]].concat());
    sweep.problem_of(&[&sweep.good[..], &sweep.good[..]].concat());
}

#[test]
fn an_older_index_does_not_count_even_with_its_signature() {
    let sweep = Sweep::start();
    let demo = &sweep.demo;
    demo.ok(&["keygen", "--no-password", "site"]);
    let keys = TrustedKeys::read(&[demo.path("site.pub")]).unwrap();
    let signature = |to: &str| {
        demo.ok(&["sign", "demo.tar", "--key", "site"]);
        fs::copy(demo.path("demo.tar.minisig"), sweep.folder.path().join(to)).unwrap();
    };
    signature("older");
    demo.write_spec(&demo.spec().replace("name: demo", "name: newer"));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "-o", "demo.tar"]);
    signature("demo.tar.minisig");
    let newer = fs::read(demo.path("demo.tar")).unwrap();
    fs::write(sweep.path(), &newer).unwrap();
    assert_eq!(sweep.problem(&keys), None);

    // The newer one's blobs below the older index.
    let older = sweep.index().to_vec();
    let newer = Sweep { entries: entries(&newer), good: newer, ..sweep };
    fs::write(newer.path(), archive(&older, &newer.blobs())).unwrap();
    let said = newer.problem(&keys).unwrap();
    assert!(said.contains("demo.tar.minisig is not of this bundle"), "{said}");
    fs::rename(newer.folder.path().join("older"), newer.folder.path().join("demo.tar.minisig"))
        .unwrap();
    let said = newer.problem(&keys).unwrap();
    assert!(said.contains("the bundle lacks blob sha256:"), "{said}");

    // The newer one itself, with the older signature and without one.
    fs::write(newer.path(), &newer.good).unwrap();
    let said = newer.problem(&keys).unwrap();
    assert!(said.contains("demo.tar.minisig is not of this bundle"), "{said}");
    fs::remove_file(newer.folder.path().join("demo.tar.minisig")).unwrap();
    let said = newer.problem(&keys).unwrap();
    assert!(said.contains("there is no signature") && said.contains("demo.tar.minisig"), "{said}");
}
