//! Generated configurations, written in all ways of TOML: containerd says what they mean, before
//! they are edited and after it, and what we read of them is the same.

use std::fs;

use bundle_format::cluster::CgroupDriver;
use installer::node::containerd::told;

use super::{
    MAIN, Machine, Release, apply, assert_holds, borrowed, cases, dump, generated, intent, written,
};

/// A generated configuration in other ways of writing, and on a machine.
fn rewritten(release: &Release, seed: u64) -> (Vec<(String, String)>, Machine) {
    let plain = generated::files(release, seed);
    let mut numbers = generated::Numbers(seed);
    let files: Vec<(String, String)> = plain
        .iter()
        .map(|(path, text)| (path.clone(), written::written(text, &mut numbers)))
        .collect();
    let machine = Machine::new(release, &borrowed(&files));
    let of = format!("containerd {}, seed {seed}:\n{files:#?}", release.version);
    let said = |machine: &Machine| {
        let mut document = dump(machine, MAIN).1;
        // They come in any order.
        document.remove("imports");
        document.to_string()
    };
    let plain = said(&Machine::new(release, &borrowed(&plain)));
    assert_eq!(said(&machine), plain, "they mean the same: {of}");
    (files, machine)
}

#[test]
fn configurations_written_in_other_ways_are_edited() {
    for release in Release::all() {
        for seed in 0..cases(12) {
            let (files, machine) = rewritten(&release, seed);
            println!("{files:#?}");
            generated::assert_others_stay(&release, &borrowed(&files));
            let intent = intent(&release);
            let of = format!("containerd {}, seed {seed}", release.version);
            apply(&machine, &intent).unwrap_or_else(|error| panic!("{of}: {error:#?}"));
            assert_holds(&dump(&machine, MAIN).1, &of);
            assert_eq!(apply(&machine, &intent).unwrap(), 0, "{of}: there is nothing left to do");
            for (path, _) in &files {
                let text = fs::read_to_string(machine.path(path)).unwrap();
                assert!(text.contains("# a file of the site"), "{of}: {text}");
            }
        }
    }
}

/// If containerd is not there, its files are read as the releases read them that know their
/// format.
#[test]
fn files_say_what_containerd_says_of_them() {
    for release in Release::all() {
        let nothing = Machine::new(&release, &[(&MAIN[1..], "")]);
        let usual = told(&nothing.host()).unwrap().unwrap();
        for seed in 0..cases(30) {
            let (files, machine) = rewritten(&release, seed);
            let is_new = files
                .iter()
                .any(|(_, text)| text.contains("version = 3") || text.contains("version = 4"));
            let is_judge =
                if is_new { release.migrates() } else { release.version.starts_with("1.6") };
            if !is_judge {
                continue;
            }
            let of = format!("containerd {}, seed {seed}:\n{files:#?}", release.version);
            let said = told(&machine.host()).unwrap().unwrap();
            let read = told(&machine.host_without())
                .unwrap()
                .unwrap_or_else(|failure| panic!("{of}: {failure}"));
            assert_eq!(read.cri_is_off, said.cri_is_off, "{of}");
            assert_eq!(read.runtime, said.runtime, "{of}");
            assert_eq!(sorted(read.drivers), sorted(said.drivers), "{of}");
            let usual = usual.sandbox.clone().filter(|_| !said.cri_is_off);
            assert_eq!(read.sandbox.or(usual), said.sandbox, "{of}");
            assert_eq!(read.has_folder, said.has_folder, "{of}");
        }
    }
}

fn sorted(mut drivers: Vec<(String, CgroupDriver)>) -> Vec<String> {
    drivers.sort_by(|one, other| one.0.cmp(&other.0));
    drivers.iter().map(|(name, driver)| format!("{name}: {driver}")).collect()
}
