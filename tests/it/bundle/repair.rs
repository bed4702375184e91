//! A stick with bad sectors: the parity file repairs what it can, and says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bundle_format::archive::survey;

use crate::support::demo::Demo;

const SECTOR: usize = 512;

/// A bundle with its parity file, and a folder for damaged copies of both.
struct Stick {
    demo: Demo,
    good: Vec<u8>,
    parity: Vec<u8>,
}

impl Stick {
    fn new(share: &str) -> Self {
        let demo = Demo::start();
        let written = demo.ok(&["build", "-q", "--parity", share]);
        assert!(written.ends_with("demo.tar.parity\n"), "{written}");
        let good = fs::read(demo.path("demo.tar")).unwrap();
        let parity = fs::read(demo.path("demo.tar.parity")).unwrap();
        fs::create_dir(demo.path("stick")).unwrap();
        Self { demo, good, parity }
    }

    fn path(&self) -> PathBuf {
        self.demo.path("stick/demo.tar")
    }

    fn put(&self, bundle: &[u8], parity: &[u8]) {
        fs::write(self.path(), bundle).unwrap();
        fs::write(self.demo.path("stick/demo.tar.parity"), parity).unwrap();
    }

    /// What `verify` says of a repaired bundle, beside that no signature was asked for.
    fn repaired(&self, what: &str) -> String {
        let output = self.demo.run(&["verify", "-q", "stick/demo.tar"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{what}: {said}");
        assert!(String::from_utf8(output.stdout).unwrap().starts_with("good: "), "{what}");
        let is_note = |line: &&str| !line.starts_with("no signature was asked for");
        said.lines().filter(is_note).collect()
    }

    fn is_lost(&self, what: &str) -> String {
        let error = self.demo.fails(&["verify", "-q", "stick/demo.tar"]);
        assert!(!error.contains("panicked"), "{what}: {error}");
        error
    }
}

/// The same bytes with other bytes in these sectors.
fn with_bad(bytes: &[u8], sectors: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for sector in sectors {
        let end = ((sector + 1) * SECTOR).min(bytes.len());
        bytes[sector * SECTOR..end].iter_mut().for_each(|byte| *byte ^= 0xa5);
    }
    bytes
}

/// The same sectors in each run.
fn random_sectors(seed: u64, count: usize, bytes: &[u8]) -> BTreeSet<usize> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| random.usize(0..bytes.len() / SECTOR)).collect()
}

#[test]
fn bad_sectors_are_repaired_and_told_wherever_they_are() {
    let stick = Stick::new("50%");
    let (good, parity) = (&stick.good, &stick.parity);
    for seed in 0..10 {
        let sectors = random_sectors(seed, 40, good);
        stick.put(&with_bad(good, sectors.iter().copied()), parity);
        let chunks: BTreeSet<_> = sectors.iter().map(|at| at / 8).collect();
        let said = stick.repaired(&format!("seed {seed}"));
        let words = format!("{} chunks of 4 KiB were damaged", chunks.len());
        assert!(
            said.contains(&words) && said.contains("demo.tar.parity repaired them"),
            "{words}: {said}"
        );
    }
    // The first header and the index; a hole; the end.
    let last = good.len() / SECTOR;
    for (what, sectors) in [
        ("the first header", 0..1),
        ("the index", 3..5),
        ("the lock", 16..24),
        ("a hole", 80..80 + last / 5),
        ("the end mark", last - 2..last),
    ] {
        stick.put(&with_bad(good, sectors), parity);
        stick.repaired(what);
    }
    for cut in [1, 512, 1024, 5000, good.len() / 5] {
        stick.put(&good[..good.len() - cut], parity);
        stick.repaired(&format!("cut by {cut}"));
    }
    stick.put(&[good.as_slice(), &[7; 4096]].concat(), parity);
    stick.repaired("more behind its end");
    // Bytes come out right, not only checked.
    stick.put(&with_bad(good, 80..80 + last / 5), parity);
    stick.demo.ok(&["extract", "-C", "damaged", "stick/demo.tar"]);
    stick.demo.ok(&["extract", "-C", "whole", "demo.tar"]);
    let texts = |folder: &str| {
        let mut files = super::walk(&stick.demo.path(folder));
        files.sort();
        files.iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    assert!(texts("damaged") == texts("whole"));
    assert!(fs::read(stick.path()).unwrap() == with_bad(good, 80..80 + last / 5), "it was written");
}

#[test]
fn a_parity_file_with_bad_sectors_of_its_own_still_repairs() {
    let stick = Stick::new("30%");
    let bad = with_bad(&stick.good, [0, 40, 100]);
    let last = stick.parity.len() / SECTOR;
    for (what, sectors) in
        [("the first table", 0..8), ("the second table", last - 8..last), ("recovery", 16..32)]
    {
        stick.put(&bad, &with_bad(&stick.parity, sectors));
        stick.repaired(what);
    }
    for seed in 0..10 {
        let mut sectors = random_sectors(seed, 12, &stick.parity);
        // One table of one record must stay.
        sectors.retain(|sector| *sector >= 8);
        stick.put(&bad, &with_bad(&stick.parity, sectors));
        stick.repaired(&format!("seed {seed}"));
    }
    stick.put(&bad, &stick.parity[..stick.parity.len() - 5000]);
    stick.repaired("a parity file that is cut short");
    // Without any of it, the bundle is as damaged as it is.
    for nothing in [&b""[..], b"nonsense", &[0; 9000], &stick.parity[..100]] {
        stick.put(&bad, nothing);
        stick.is_lost("no parity");
        stick.put(&stick.good, nothing);
        assert_eq!(stick.repaired("no damage"), "");
    }
}

#[test]
fn more_damage_than_it_can_repair_is_named() {
    let stick = Stick::new("2%");
    let sectors = stick.good.len() / SECTOR;
    stick.put(&with_bad(&stick.good, sectors / 3..sectors / 2), &stick.parity);
    let error = stick.is_lost("a large hole");
    assert!(error.contains("is damaged at byte"), "{error}");
    // It says what happened and what to do, wherever the damage is: over headers, or over all by
    // which the bundle is opened.
    let named = |what: &str, error: &str| {
        let words = "stick/demo.tar has more damage than stick/demo.tar.parity can repair";
        assert!(error.contains(words), "{what}: {error}");
        assert!(error.contains("`bundler patch`") && error.contains("--map"), "{what}: {error}");
    };
    named("a large hole", &error);
    let headers = stick.good.windows(13).enumerate().filter(|(_, name)| name == b"blobs/sha256/");
    let headers: Vec<usize> = headers.map(|(at, _)| at / SECTOR).collect();
    let header = headers[headers.len() / 2];
    stick.put(&with_bad(&stick.good, header..header + sectors / 10), &stick.parity);
    named("a header", &stick.is_lost("a header"));
    stick.put(&with_bad(&stick.good, 0..sectors / 10), &stick.parity);
    named("the first header", &stick.is_lost("the first header"));
    // Without a parity file, or where it repairs what is read, nothing is said of it.
    stick.put(&with_bad(&stick.good, [header]), b"");
    assert!(!stick.is_lost("no parity").contains("more damage than"));
    stick.put(&with_bad(&stick.good, 0..sectors), &stick.parity);
    stick.is_lost("all of it");
}

/// After a new build, an old parity file may lie there. It must not bring the old bytes back.
#[test]
fn the_parity_file_of_another_bundle_does_not_count() {
    let stick = Stick::new("30%");
    let spec = stick.demo.spec();
    stick.demo.write_spec(&format!("{spec}\ncluster: {{podCidr: 10.9.0.0/16}}\n"));
    let output = stick.demo.run(&["lock"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = stick.demo.run(&["build", "-q"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("demo.tar.parity is of another bundle"), "{said}");
    let other = fs::read(stick.demo.path("demo.tar")).unwrap();
    assert!(other != stick.good);
    stick.put(&other, &stick.parity);
    assert_eq!(stick.repaired("a good bundle"), "");
    // Where the lock, the index and the header of the index are.
    for sector in [60, 3, 2] {
        stick.put(&with_bad(&other, [sector]), &stick.parity);
        stick.is_lost("a damaged bundle");
    }
    // One digit of the index is enough.
    let mut bytes = other.clone();
    let digest = other.windows(7).position(|window| window == b"sha256:").unwrap() + 7;
    bytes[digest] ^= 1;
    stick.put(&bytes, &stick.parity);
    stick.is_lost("a digit of the index");
    // `parity` makes the right one.
    stick.demo.ok(&["parity", "-q", "demo.tar", "--parity", "5%"]);
    let own = fs::read(stick.demo.path("demo.tar.parity")).unwrap();
    fs::write(stick.demo.path("stick/demo.tar.parity"), own).unwrap();
    stick.repaired("with its own");
    fs::write(stick.path(), &bytes).unwrap();
    stick.repaired("a digit of the index");
    fs::write(stick.path(), with_bad(&other, [60])).unwrap();
}

impl Stick {
    /// Makes the patch of what the stick has lost, beside the bundle there; gives how many
    /// chunks it has.
    fn patch(&self) -> u64 {
        let map = survey::map(&self.path()).unwrap().unwrap();
        fs::write(self.demo.path("map.txt"), map.to_string()).unwrap();
        let output = "stick/demo.tar.patch";
        let patch = ["patch", "-q", "demo.tar", "--map", "map.txt", "--output", output];
        assert_eq!(self.demo.ok(&patch), format!("{output}\n"));
        map.count()
    }
}

/// Somebody on site reads the map out, and gets the patch by any way.
#[test]
fn a_patch_brings_what_the_parity_file_cannot_repair() {
    let stick = Stick::new("2%");
    let sectors = stick.good.len() / SECTOR;
    let small = stick.demo.path("stick/demo.tar.patch");
    for (what, bad) in [
        ("a hole", sectors / 3..sectors / 2),
        ("the first header, the index and the lock", 0..sectors / 6),
        ("the end", sectors - 300..sectors),
    ] {
        stick.put(&with_bad(&stick.good, bad.clone()), &stick.parity);
        stick.is_lost(what);
        let count = stick.patch();
        assert!(count <= (bad.len() as u64 + 14) / 8, "{what}: {count} chunks");
        assert_eq!(fs::metadata(&small).unwrap().len(), count * 4188, "{what}");
        let said = stick.repaired(what);
        assert!(said.contains("demo.tar.patch repaired"), "{what}: {said}");
        fs::remove_file(&small).unwrap();
    }
    // The end is not there at all.
    stick.put(&stick.good[..stick.good.len() - 300 * SECTOR], &stick.parity);
    stick.patch();
    stick.repaired("a bundle that is cut short");
    // The stick has lost some of the patch, too. What is still lost gets another one.
    let patch = fs::read(&small).unwrap();
    fs::write(&small, with_bad(&patch, 0..patch.len() / SECTOR / 2)).unwrap();
    stick.is_lost("half of a patch");
    let lost = survey::map(&stick.path()).unwrap().unwrap().count();
    assert!(lost > 0 && lost * 4188 < patch.len() as u64, "{lost} chunks");
    // Nothing is lost with all of it.
    fs::write(&small, &patch).unwrap();
    assert_eq!(survey::map(&stick.path()).unwrap(), None);
}

/// Then a whole blob is as lost as one of its bytes.
#[test]
fn without_a_parity_file_a_patch_has_each_damaged_blob() {
    let stick = Stick::new("0%");
    let sectors = stick.good.len() / SECTOR;
    stick.put(&with_bad(&stick.good, [sectors / 2]), b"");
    stick.is_lost("one sector");
    assert!(stick.patch() >= 1);
    stick.repaired("one sector");
    // With checksums of its chunks, it is one chunk.
    fs::remove_file(stick.demo.path("stick/demo.tar.patch")).unwrap();
    stick.put(&with_bad(&stick.good, [sectors / 2]), &stick.parity);
    stick.is_lost("one sector");
    assert_eq!(stick.patch(), 1);
    stick.repaired("one sector");
    // A patch of another bundle does not count, and a map of one makes none.
    let odd = fs::read(stick.demo.path("stick/demo.tar.patch")).unwrap();
    let map = fs::read_to_string(stick.demo.path("map.txt")).unwrap();
    let spec = stick.demo.spec();
    stick.demo.write_spec(&format!("{spec}\ncluster: {{podCidr: 10.9.0.0/16}}\n"));
    stick.demo.ok(&["lock"]);
    stick.demo.ok(&["build", "-q"]);
    let other = fs::read(stick.demo.path("demo.tar")).unwrap();
    stick.put(&with_bad(&other, [sectors / 2]), b"");
    fs::write(stick.demo.path("stick/demo.tar.patch"), &odd).unwrap();
    stick.is_lost("a patch of another bundle");
    let patch = ["patch", "-q", "demo.tar", "--map", "map.txt"];
    let error = stick.demo.fails(&patch);
    assert!(error.contains("the map is of another bundle"), "{error}");
    fs::write(stick.demo.path("map.txt"), map.replace("lost ", "lost 1")).unwrap();
    let error = stick.demo.fails(&patch);
    assert!(error.contains("a digit of it is wrong"), "{error}");
}

/// What is made for a bundle destroys neither the bundle nor what repairs it.
#[test]
fn neither_a_bundle_nor_the_parity_file_that_repairs_it_is_replaced() {
    let stick = Stick::new("30%");
    stick.put(&with_bad(&stick.good, 80..200), &stick.parity);
    let output = stick.demo.run(&["parity", "-q", "stick/demo.tar", "--parity", "0%"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success()
            && error.contains("the bundle is damaged, and what lies beside it repairs it"),
        "{error}"
    );
    assert!(fs::read(stick.demo.path("stick/demo.tar.parity")).unwrap() == stick.parity);
    fs::remove_file(stick.demo.path("demo.tar.parity")).unwrap();
    std::os::unix::fs::symlink("demo.tar", stick.demo.path("demo.tar.parity")).unwrap();
    let error = stick.demo.fails(&["parity", "-q", "demo.tar"]);
    assert!(error.contains("demo.tar.parity exists, and it is no parity file"), "{error}");
    assert!(fs::read(stick.demo.path("demo.tar")).unwrap() == stick.good);
}

#[test]
fn parts_are_repaired_like_a_bundle_in_one_file() {
    let stick = Stick::new("30%");
    let size = (stick.good.len() / 3 + 1).to_string();
    fs::create_dir(stick.demo.path("parts")).unwrap();
    let build = ["build", "-q", "--split", &size, "--parity", "30%", "-o", "parts/demo.tar"];
    let names = stick.demo.ok(&build);
    assert_eq!(names.lines().count(), 4, "{names}");
    assert!(fs::read(stick.demo.path("parts/demo.tar.parity")).unwrap() == stick.parity);
    for name in names.lines().take(3) {
        let path = stick.demo.path(name);
        let part = fs::read(&path).unwrap();
        fs::write(&path, with_bad(&part, [1, 50])).unwrap();
    }
    // The last part ends early.
    let last = stick.demo.path("parts/demo.tar.part03of03");
    let part = fs::read(&last).unwrap();
    fs::write(&last, &part[..part.len() - 700]).unwrap();
    let output = stick.demo.run(&["verify", "-q", "parts/demo.tar"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("demo.tar.parity repaired them"), "{said}");
}

impl Stick {
    /// Cuts the good bundle into so many parts on the stick, which has no other bundle then.
    fn put_parts(&self, count: usize) -> Vec<PathBuf> {
        for file in super::walk(&self.demo.path("stick")) {
            fs::remove_file(file).unwrap();
        }
        fs::write(self.demo.path("stick/demo.tar.parity"), &self.parity).unwrap();
        let parts = self.good.chunks(self.good.len().div_ceil(count));
        let write = |(number, bytes): (usize, &[u8])| {
            let path = self.demo.path(&format!("stick/demo.tar.part0{number}of0{count}"));
            fs::write(&path, bytes).unwrap();
            path
        };
        (1..).zip(parts).map(write).collect()
    }
}

/// The lengths of the others and that of the bundle say how much is missing.
#[test]
fn a_part_that_is_cut_short_or_gone_is_made_again() {
    let stick = Stick::new("30%");
    for (count, share) in [(2, 4), (5, 1)] {
        for number in 0..count {
            let part = &stick.put_parts(count)[number];
            let bytes = fs::read(part).unwrap();
            for left in [bytes.len() - 1, bytes.len() - 700, bytes.len() - bytes.len() / share] {
                fs::write(part, &bytes[..left]).unwrap();
                let said = stick.repaired(&format!("{left} bytes of {}", part.display()));
                assert!(said.contains("demo.tar.parity repaired"), "{said}");
            }
        }
    }
    // Zeros of a file system that a crash left are behind the last one.
    let parts = stick.put_parts(5);
    let last = fs::read(&parts[4]).unwrap();
    fs::write(&parts[4], [last.as_slice(), &[0; 3]].concat()).unwrap();
    fs::remove_file(&parts[0]).unwrap();
    stick.repaired("more behind the end of the last part");
    for number in 0..5 {
        let parts = stick.put_parts(5);
        fs::remove_file(&parts[number]).unwrap();
        stick.repaired(&format!("without part {}", number + 1));
        let other = parts[(number + 1) % 5].to_str().unwrap();
        stick.demo.ok(&["verify", "-q", other]);
        assert!(!parts[number].exists(), "nothing is written to the stick");
    }
    let whole = stick.demo.ok(&["inspect", "--json", "demo.tar"]);
    assert_eq!(stick.demo.ok(&["inspect", "--json", "stick/demo.tar"]), whole);
    // Two are more than it can repair. The map has them, and the patch brings them.
    let parts = stick.put_parts(5);
    parts[1..3].iter().for_each(|part| fs::remove_file(part).unwrap());
    let error = stick.is_lost("two parts");
    for words in [
        "stick/demo.tar has more damage than stick/demo.tar.parity can repair",
        "stick/demo.tar has 5 parts, and these are missing: demo.tar.part02of05, demo.tar.part03of05",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let size = stick.good.len() as u64 / 5 / 4096;
    assert!((2 * size..2 * size + 4).contains(&stick.patch()));
    stick.repaired("with a patch");
    // Without a parity file, nobody knows.
    stick.put_parts(5);
    fs::remove_file(stick.demo.path("stick/demo.tar.parity")).unwrap();
    fs::remove_file(&parts[4]).unwrap();
    let error = stick.is_lost("no parity file");
    assert!(error.contains("are missing: demo.tar.part05of05; copy them again"), "{error}");
}
