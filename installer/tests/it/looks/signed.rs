//! Bundles that must be signed, by the real minisign.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use bundle_format::archive::reader::Bundle;
use bundle_format::built_in;

use super::{NODE, folder, run};
use crate::pages::INSTALLER;

fn minisign(folder: &Path, arguments: &[&str]) {
    let output = Command::new("minisign").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Makes a key pair NAME.pub and NAME.
pub(super) fn key(folder: &Path, name: &str) {
    minisign(folder, &["-GW", "-p", &format!("{name}.pub"), "-s", name]);
}

/// Signs the bundle, at this second.
pub(super) fn sign(folder: &Path, key: &str, at: u64) {
    let bundle = Bundle::open(&folder.join("small.tar")).unwrap();
    fs::write(folder.join("index.json"), bundle.index()).unwrap();
    let at = format!("timestamp:{at}");
    let files = ["-m", "index.json", "-x", "small.tar.minisig", "-t", &at];
    minisign(folder, &[&["-S", "-s", key], &files[..]].concat());
}

#[test]
fn with_a_key_a_bundle_counts_only_if_it_is_signed() {
    let folder = folder();
    let folder = folder.path();
    let plan = |more: &str| run(folder, &format!("plan {NODE}{more}"));
    let (status, out, _) = plan("");
    assert_eq!(status, 0);
    assert!(
        out.contains("\nno signature was asked for, because no key is trusted here\n"),
        "{out}"
    );
    key(folder, "site");
    key(folder, "other");
    let with_key = " --trusted-key site.pub";
    let (status, out, err) = plan(with_key);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.contains("there is no signature small.tar.minisig"), "{err}");
    sign(folder, "other", 1_795_833_174);
    let (status, _, err) = plan(with_key);
    assert_eq!(status, 1);
    assert!(err.contains("small.tar.minisig was made with the key"), "{err}");
    assert_eq!(plan(" --trusted-key site.pub --trusted-key other.pub").0, 0);
    sign(folder, "site", 1_795_833_174);
    let (status, out, err) = plan(with_key);
    assert_eq!(status, 0, "{err}");
    let signed = "the bundle is signed: public key ";
    assert!(out.contains(signed) && out.contains(" on 28 Nov 2026, "), "{out}");
    assert!(plan(&format!("{with_key} --json")).1.contains("\"signedBy\": \""));
    let verify = || run(folder, "verify small.tar --trusted-key site.pub");
    let (status, out, err) = verify();
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("signed: public key "), "{out}");
    // The older form, over the bytes themselves.
    minisign(folder, &["-S", "-l", "-s", "site", "-m", "index.json", "-x", "small.tar.minisig"]);
    let (status, out, err) = verify();
    assert_eq!(status, 0, "{err}");
    assert!(out.starts_with("signed: public key "), "{out}");
    // The first byte of the lock, which the index pins, is another one.
    let mut bytes = fs::read(folder.join("small.tar")).unwrap();
    let place = bytes.windows(11).rposition(|bytes| bytes == b"lockVersion").unwrap();
    bytes[place] = b'L';
    fs::write(folder.join("small.tar"), bytes).unwrap();
    assert_eq!(plan(with_key).0, 1);
}

#[test]
fn the_keys_of_the_node_that_is_planned_for_count() {
    let folder = folder();
    let folder = folder.path();
    key(folder, "site");
    key(folder, "other");
    let kubeferry = folder.join("node/etc/kubeferry");
    fs::create_dir(&kubeferry).unwrap();
    // From Windows.
    let keys = fs::read_to_string(folder.join("site.pub")).unwrap().replace('\n', "\r\n");
    fs::write(kubeferry.join("trusted.pub"), format!("\u{feff}{keys}")).unwrap();
    for command in ["plan", "config"] {
        fs::remove_file(folder.join("small.tar.minisig")).ok();
        let run = || run(folder, &format!("{command} {NODE}"));
        let (status, _, err) = run();
        assert_eq!(status, 1, "{command}");
        assert!(err.contains("there is no signature"), "{err}");
        sign(folder, "other", 1);
        assert_eq!(run().0, 1, "{command}");
        sign(folder, "site", 1);
        let (status, _, err) = run();
        assert_eq!(status, 0, "{command}: {err}");
    }
    // The keys of the folder say nothing of what is checked without it.
    sign(folder, "other", 1);
    let (status, out, err) = run(folder, "verify small.tar");
    assert_eq!(status, 0);
    assert!(out.starts_with("good: "), "{out}");
    let words = "note: no signature was asked for, because no key is trusted here; \
                 `--trusted-key FILE` checks it\n";
    assert_eq!(err, words);
}

/// As the page about signatures says.
#[test]
fn strip_takes_the_keys_away_and_the_version_shows_it() {
    let folder = folder();
    let folder = folder.path();
    key(folder, "site");
    let keys = fs::read_to_string(folder.join("site.pub")).unwrap();
    let own = folder.join("installer");
    fs::write(&own, built_in::with_keys(&fs::read(INSTALLER).unwrap(), &keys).unwrap()).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    let version = || {
        let output = Command::new(&own).arg("--version").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let line = "\ntakes only bundles that are signed: ";
    assert!(version().contains(line));
    let Ok(stripped) = Command::new("strip").arg("--strip-debug").arg(&own).status() else {
        println!("skipped: strip is not installed");
        return;
    };
    assert!(stripped.success());
    assert!(version().starts_with("installer ") && !version().contains(line), "{}", version());
}

#[test]
fn a_program_with_keys_takes_only_bundles_that_are_signed() {
    let folder = folder();
    let folder = folder.path();
    key(folder, "site");
    let keys = fs::read_to_string(folder.join("site.pub")).unwrap();
    let own = folder.join("installer");
    let program = built_in::with_keys(&fs::read(INSTALLER).unwrap(), &keys).unwrap();
    fs::write(&own, &program).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |arguments: &str| {
        let words = arguments.split(' ').filter(|word| !word.is_empty());
        let output = Command::new(&own).args(words).current_dir(folder).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (is_good, version) = run("--version");
    let id = keys.lines().next().unwrap().rsplit(' ').next().unwrap();
    assert!(is_good, "{version}");
    // minisign leaves out zeros at the beginning.
    let words = format!("\ntakes only bundles that are signed: key {id:0>16}\n");
    assert!(version.ends_with(&words), "{words}: {version}");
    for arguments in ["verify small.tar", &format!("plan {NODE}")] {
        let (is_good, said) = run(arguments);
        assert!(!is_good && said.contains("there is no signature"), "{said}");
    }
    sign(folder, "site", 1);
    assert!(run("verify small.tar").0);
    // It runs without its end, but it does not forget that it had keys.
    fs::remove_file(folder.join("small.tar.minisig")).unwrap();
    for cut in [1, 24, 25, 24 + keys.len()] {
        let file = File::options().write(true).open(&own).unwrap();
        file.set_len((program.len() - cut) as u64).unwrap();
        drop(file);
        for arguments in ["verify small.tar", &format!("plan {NODE}")] {
            let (is_good, said) = run(arguments);
            let words = "with trusted keys at its end, and they are not there any more";
            assert!(!is_good && said.contains(words), "{cut}: {said}");
            assert!(said.contains("hint: copy the installer again"), "{said}");
        }
        assert!(run("--version").1.contains("not there any more"));
    }
    // Its length says that there are no keys.
    let mut damaged = program;
    let at = damaged.len() - 24;
    damaged[at..at + 8].fill(0);
    fs::write(&own, &damaged).unwrap();
    for arguments in ["verify small.tar", "--version"] {
        let said = run(arguments).1;
        assert!(said.contains("made with trusted keys, and none is left at its end"), "{said}");
    }
}

#[test]
fn an_older_bundle_of_the_same_name_is_refused() {
    let folder = folder();
    let folder = folder.path();
    key(folder, "site");
    sign(folder, "site", 1_795_833_174);
    let name = Bundle::open(&folder.join("small.tar")).unwrap().lock().name.clone();
    let receipt = folder.join("node/var/lib/kubeferry/receipt.jsonl");
    fs::create_dir_all(receipt.parent().unwrap()).unwrap();
    let digest = format!("sha256:{}", "0".repeat(64));
    let note = |at: u64| {
        let begun = format!(
            r#"{{"line":"begun","role":"master","bundle":"{digest}","signed":{{"name":"{name}","at":{at}}}}}"#
        );
        let first = r#"{"line":"receipt","version":1}"#;
        fs::write(&receipt, format!("{first}\n{begun}\n")).unwrap();
    };
    let plan = |more: &str| run(folder, &format!("plan {NODE} --trusted-key site.pub{more}"));
    note(1_795_833_174);
    assert_eq!(plan("").0, 0, "the same");
    note(1_895_833_174);
    let (status, _, err) = plan("");
    assert_eq!(status, 1);
    assert!(err.contains("was signed on 28 Nov 2026, and this node has had one"), "{err}");
    assert!(err.contains("on 28 Jan 2030\nhint: take the newer bundle"), "{err}");
    assert_eq!(plan(" --allow-older").0, 0);
    // A signature without a date could be of any time.
    let files = ["-m", "index.json", "-x", "small.tar.minisig", "-t", "approved"];
    minisign(folder, &[&["-S", "-s", "site"], &files[..]].concat());
    let (status, _, err) = plan("");
    assert_eq!(status, 1);
    assert!(err.contains("has no date, and this node has had one that was signed on"), "{err}");
    assert_eq!(plan(" --allow-older").0, 0);
    fs::remove_file(&receipt).unwrap();
    assert_eq!(plan("").0, 0, "the first of its name");
    // Its signature was not asked for: nobody knows when it was made.
    assert_eq!(run(folder, &format!("plan {NODE}")).0, 0);
}
