//! Which files `--output` replaces.

use std::fs;

use super::run;

#[test]
fn an_output_replaces_no_file_of_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // A kind of file that each of them may be given by mistake.
    fs::write(at("cluster.yaml"), "podCidr: 10.0.0.0/8\n").unwrap();
    fs::write(at("big.tar.gz"), b"\x1f\x8b\x08 another archive").unwrap();
    for name in ["cluster.yaml", "big.tar.gz"] {
        let before = fs::read(at(name)).unwrap();
        for (command, kind) in [
            ("support", "archive for a supporter"),
            ("backup", "backup"),
            ("token", "join file"),
            ("token --sample", "join file"),
            ("kubeconfig --user eve", "kubeconfig"),
        ] {
            let (status, out, err) = run(folder.path(), &format!("{command} --output {name}"));
            assert_eq!((status, out.as_str()), (1, ""), "{command}");
            let said = format!(
                "error: {name} exists, and it is no {kind}\nhint: name another file for --output\n"
            );
            assert_eq!(err, said, "{command}");
            assert_eq!(fs::read(at(name)).unwrap(), before, "{command}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left there");
}

#[test]
fn a_file_of_its_kind_is_replaced_and_a_dash_is_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let sample = || run(folder.path(), "token --sample --output join.yaml");
    assert_eq!(sample().0, 0);
    let path = folder.path().join("join.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n# older\n")).unwrap();
    assert_eq!(sample(), (0, String::new(), String::new()));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(run(folder.path(), "token --sample --output -").1, text);
    assert!(!folder.path().join("-").exists());
}

#[test]
fn an_archive_for_a_supporter_is_replaced_by_the_next() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can look at everything");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (status, _, err) = run(folder.path(), "support --output support.tar.gz");
        assert_eq!(status, 0, "{err}");
    }
}
