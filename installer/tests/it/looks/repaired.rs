//! A stick with bad sectors, and a parity file beside the bundle.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use bundle_format::archive::reader::Bundle;
use bundle_format::damage::plan::Plan;
use bundle_format::damage::{Head, make};

use super::{NODE, folder, run};
use crate::node::intent::{target, write_bundle_of};

/// Bundle and parity file, and the bundle's bytes. The stick has 40 bad sectors.
fn stick(folder: &Path) -> Vec<u8> {
    let path = folder.join("small.tar");
    let mut random = fastrand::Rng::with_seed(40);
    let lines = (0..20_000).map(|_| format!("# {:016x}{:016x}\n", random.u64(..), random.u64(..)));
    let text = format!(
        "kind: Namespace\napiVersion: v1\nmetadata: {{name: a}}\n{}",
        String::from_iter(lines)
    );
    write_bundle_of(&path, &[("large", &text)], |lock| {
        lock.targets = vec![target(std::env::consts::ARCH.parse().unwrap())];
    });
    let bundle = Bundle::open(&path).unwrap();
    let plan = Plan::new(bundle.length(), "25%".parse().unwrap()).unwrap();
    let head = Head { bundle: bundle.identity().0, plan };
    let out = File::create(folder.join("small.tar.parity")).unwrap();
    make::write(&out, &head, |bytes, at| bundle.read_archive_at(bytes, at), |_| ()).unwrap();
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    let sectors: BTreeSet<usize> =
        std::iter::repeat_with(|| random.usize(0..good.len() / 512)).take(40).collect();
    for sector in sectors {
        bad[sector * 512..(sector + 1) * 512].fill(0xff);
    }
    fs::write(&path, bad).unwrap();
    good
}

#[test]
fn forty_bad_sectors_are_repaired_and_a_good_copy_is_written() {
    let folder = folder();
    let folder = folder.path();
    let good = stick(folder);
    fs::write(folder.join("small.tar.minisig"), "its signature").unwrap();
    // A copy that was killed left this.
    fs::write(folder.join(".good.tar.partial"), "half of it").unwrap();
    let (status, out, err) = run(folder, "verify small.tar --copy good.tar");
    assert_eq!(status, 0, "{err}");
    assert!(out.starts_with("good: "), "{out}");
    assert!(err.contains("chunks of 4 KiB were damaged, and small.tar.parity repaired"), "{err}");
    assert!(err.contains("verify --copy FILE"), "{err}");
    assert!(fs::read(folder.join("good.tar")).unwrap() == good);
    assert_eq!(fs::read_to_string(folder.join("good.tar.minisig")).unwrap(), "its signature");
    assert!(fs::read(folder.join("small.tar")).unwrap() != good);
    let (status, _, err) = run(folder, "verify good.tar");
    assert_eq!(status, 0);
    let is_only_note = err.starts_with("note: no signature was asked for");
    assert!(is_only_note && err.lines().count() == 1, "{err}");
    // No file is replaced, least of all the bundle.
    let (status, _, err) = run(folder, "verify small.tar --copy small.tar");
    assert_eq!(status, 1);
    assert!(err.contains("small.tar exists"), "{err}");
    let (status, _, err) = run(folder, "verify small.tar --copy missing/good.tar");
    assert_eq!(status, 1);
    assert!(err.contains("writing missing/good.tar") && !err.contains("damaged"), "{err}");
    let (status, out, err) = run(folder, &format!("plan {NODE}"));
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("large"), "{out}");
    // A link to the bundle leads to what repairs it, too.
    fs::create_dir(folder.join("here")).unwrap();
    std::os::unix::fs::symlink("../small.tar", folder.join("here/link.tar")).unwrap();
    let (status, _, err) = run(folder, "verify here/link.tar --copy here/copy.tar");
    assert_eq!(status, 0, "{err}");
    assert!(fs::read(folder.join("here/copy.tar")).unwrap() == good);
    assert_eq!(fs::read_to_string(folder.join("here/copy.tar.minisig")).unwrap(), "its signature");
    // A hole that is too large is named, with what the parity file could do.
    let mut holed = good.clone();
    let middle = good.len() / 2;
    holed[middle..middle + good.len() / 3].fill(0);
    fs::write(folder.join("small.tar"), holed).unwrap();
    let (status, _, err) = run(folder, "verify small.tar");
    assert_eq!(status, 1);
    assert!(err.contains("manifests/large.yaml") && err.contains("cannot repair"), "{err}");
    assert!(err.contains("hint: `installer verify --map` prints"), "{err}");
    // The map says how much a patch must bring.
    let (status, map, err) = run(folder, "verify small.tar --map");
    assert_eq!(status, 0, "{err}");
    assert!(map.starts_with("bundle ") && map.contains("\nlost "), "{map}");
    assert!(err.contains(" chunks of 4 KiB are lost; `bundler patch"), "{err}");
    let (status, map, err) = run(folder, "verify good.tar --map");
    assert_eq!((status, map.as_str()), (0, ""), "{err}");
    assert!(err.contains("nothing of good.tar is lost"), "{err}");
    // Without the parity file, it is damaged as before.
    fs::remove_file(folder.join("small.tar.parity")).unwrap();
    assert_eq!(run(folder, "verify small.tar").0, 1);
}

#[test]
fn a_stick_without_one_of_its_parts_is_repaired_by_the_name_of_its_folder() {
    let folder = folder();
    let folder = folder.path();
    let good = stick(folder);
    let usb = folder.join("usb");
    fs::create_dir(&usb).unwrap();
    fs::rename(folder.join("small.tar.parity"), usb.join("small.tar.parity")).unwrap();
    let put = |number: usize| {
        let part = good.chunks(good.len().div_ceil(5)).nth(number - 1).unwrap();
        fs::write(usb.join(format!("small.tar.part0{number}of05")), part).unwrap();
    };
    for gone in 1..=5 {
        (1..=5).for_each(put);
        fs::remove_file(usb.join(format!("small.tar.part0{gone}of05"))).unwrap();
        let (status, out, err) = run(folder, "verify usb");
        assert_eq!(status, 0, "without part {gone}: {err}");
        assert!(out.starts_with("good: ") && err.contains("small.tar.parity repaired"), "{err}");
    }
    let (status, _, err) = run(folder, "verify usb --copy good.tar");
    assert_eq!(status, 0, "{err}");
    assert!(fs::read(folder.join("good.tar")).unwrap() == good);
    // Another bundle beside it makes two.
    fs::write(usb.join("other.tar"), "").unwrap();
    let (status, _, err) = run(folder, "verify usb");
    assert_eq!(status, 1);
    assert!(err.contains("there are several bundles in usb"), "{err}");
}
