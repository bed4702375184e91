//! Where a command writes what `--output` names, and what it says if it cannot.

use crate::support::demo::Demo;

/// A demo with a bundle and a key.
fn built() -> Demo {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    demo.ok(&["keygen", "--no-password", "site"]);
    demo
}

#[test]
fn a_bundle_cannot_have_the_name_of_what_lies_beside_one() {
    let demo = Demo::start();
    for name in ["x.tar.minisig", "x.tar.sha256", "x.tar.parity", "x.tar.patch"] {
        for command in [
            &["build", "-q", "-o", name][..],
            &["complete", "-q", "none.tar", "-o", name],
            &["pull", "-q", "oci://registry.invalid/demo:1", "-o", name],
        ] {
            let error = demo.fails(command);
            let said = format!("error: --output {name}: a name that ends in .");
            assert!(error.starts_with(&said), "{error}");
            assert!(error.contains("choose another name, such as x.tar\n"), "{error}");
        }
        assert!(!demo.path(name).exists());
    }
    assert!(!demo.path("bundle.yaml.lock.json").exists(), "nothing was done before");
}

#[test]
fn a_dash_is_standard_output_where_one_file_is_written() {
    let demo = built();
    let bill = demo.ok(&["sbom", "demo.tar"]);
    assert_eq!(demo.ok(&["sbom", "demo.tar", "--output", "-"]), bill);
    let page = demo.ok(&["report", "-q", "demo.tar", "--output", "-"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{page}");
    let error = demo.fails(&["keygen", "--no-password", "-"]);
    assert!(error.contains("cannot go to standard output: name a file"), "{error}");
    assert!(!demo.path("-").exists() && !demo.path("-.pub").exists());
}

#[test]
fn a_folder_that_takes_no_file_is_named_with_the_output() {
    // Nobody can make a file there, not even root.
    let demo = built();
    for (command, output) in [
        (&["report", "-q", "demo.tar", "--output"][..], "/sys/page.html"),
        (&["sbom", "demo.tar", "--output"], "/sys/bill.json"),
        (&["build", "-q", "--output"], "/sys/demo.tar"),
        (&["keygen", "--no-password"], "/sys/key"),
    ] {
        let error = demo.fails(&[command, &[output]].concat());
        assert!(error.contains(output) && !error.contains(".partial"), "{error}");
        assert!(error.contains("no file can be made in the folder /sys ("), "{error}");
        assert!(error.contains("name a file in another folder"), "{error}");
    }
}

#[test]
fn a_key_that_is_missing_is_told_with_what_makes_one() {
    let demo = built();
    let error = demo.fails(&["sign", "-q", "demo.tar", "--key", "none"]);
    assert!(error.starts_with("error: there is no key none: "), "{error}");
    assert!(error.contains("`bundler keygen`"), "{error}");
    let error = demo.fails(&["verify", "-q", "demo.tar", "--trusted-key", "none.pub"]);
    assert!(error.contains("reading the trusted keys in none.pub"), "{error}");
    assert!(error.contains("`bundler keygen KEY` made it as KEY.pub"), "{error}");
}

#[test]
fn a_bundle_that_is_missing_is_told_once() {
    let demo = built();
    for command in [
        &["verify", "-q", "none.tar"][..],
        &["sign", "-q", "none.tar", "--key", "site"],
        &["parity", "-q", "none.tar"],
        &["inspect", "none.tar"],
        &["audit", "-q", "none.tar"],
        &["sbom", "none.tar"],
        &["report", "-q", "none.tar", "-o", "page.html"],
    ] {
        let error = demo.fails(command);
        assert_eq!(error.matches("none.tar").count(), 1, "{command:?}: {error}");
        assert!(error.contains("cannot open none.tar"), "{error}");
    }
}
