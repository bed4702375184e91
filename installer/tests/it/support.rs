//! The archive for a supporter, of the machine that runs the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::pages::INSTALLER;

#[test]
fn the_archive_says_what_is_in_it_and_what_is_missing() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can look at everything");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("support.tar.gz");
    let mut support = Command::new(INSTALLER);
    let output = support.args(["support", "--output"]).arg(&archive).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("READ-ME-FIRST.txt lists all"), "{said}");
    assert_eq!(fs::metadata(&archive).unwrap().permissions().mode() & 0o7777, 0o600);
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(folder.path());
    assert!(tar.status().unwrap().success());
    let read = |name: &str| fs::read_to_string(folder.path().join("support").join(name)).unwrap();
    let page = read("READ-ME-FIRST.txt");
    // This machine is no node.
    for words in ["What `installer doctor` says:", "is missing: /opt/kubernetes"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for line in page.lines().skip_while(|line| !line.starts_with("FILE")).skip(1) {
        let name = line.split_whitespace().next().unwrap();
        let is_there = folder.path().join("support").join(name).exists();
        assert_eq!(is_there, !line.contains(" is missing: "), "{line}");
    }
    assert!(read("system/uname.txt").starts_with("Linux"));
}
