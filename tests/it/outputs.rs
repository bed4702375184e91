//! Where a command writes what `--output` names, and what it says if it cannot.

use std::fs;

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
        assert!(error.contains("there is no bundle none.tar: name its file"), "{error}");
    }
}

/// What each command writes, beside what it is given.
const COMMANDS: [(&[&str], &str); 7] = [
    (&["build", "-q", "--output"], "bundle"),
    (&["build", "-q", "--against", "demo.tar", "--output"], "bundle"),
    (&["complete", "-q", "demo.tar", "--output"], "bundle"),
    (&["pull", "-q", "oci://registry.invalid/demo:1", "--output"], "bundle"),
    (&["patch", "-q", "demo.tar", "--map", "lost", "--output"], "patch"),
    (&["report", "-q", "demo.tar", "--output"], "page of `bundler report`"),
    (&["sbom", "demo.tar", "--output"], "bill of materials"),
];

#[test]
fn an_output_replaces_no_file_of_another_kind() {
    let demo = built();
    demo.ok(&["sign", "-q", "demo.tar", "--key", "site"]);
    fs::write(demo.path("map"), "bundle 8f1847dbd7fcdb0d\n").unwrap();
    let names = ["bundle.yaml", "bundle.yaml.lock.json", "site", "site.pub", "map"];
    let before = demo.upstream.requests();
    for (command, kind) in COMMANDS {
        for name in names {
            let text = fs::read(demo.path(name)).unwrap();
            let error = demo.fails(&[command, &[name]].concat());
            let said =
                format!("{name} exists, and it is no {kind}: name another file for --output");
            assert!(error.contains(&said), "{command:?}: {error}");
            assert!(fs::read(demo.path(name)).unwrap() == text, "{command:?} {name}");
        }
    }
    let after = demo.upstream.requests();
    assert_eq!((before.blobs, before.packages), (after.blobs, after.packages));
}

#[test]
fn an_output_replaces_no_bundle_that_is_read_for_it() {
    let demo = built();
    fs::copy(demo.path("demo.tar"), demo.path("copy.tar")).unwrap();
    demo.ok(&["build", "-q", "--split", "64KiB", "-o", "cut.tar"]);
    let mut names = fs::read_dir(demo.folder.path()).unwrap();
    let part = names.find_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("cut.tar.part01of").then_some(name)
    });
    let part = part.unwrap();
    let against = |old: &str, new: &str| {
        demo.fails(&["build", "-q", "--split", "64KiB", "--against", old, "-o", new])
    };
    for (old, new) in [("copy.tar", "copy.tar"), (&part, "cut.tar"), ("cut.tar", "cut.tar")] {
        let said = format!("{old} is read here, and the new bundle would replace it: name another");
        assert!(against(old, new).contains(&said), "{old}: {}", against(old, new));
        let error = demo.fails(&["complete", "-q", "demo.tar", "--bundle", old, "-o", new]);
        assert!(error.contains(&said), "{error}");
    }
}

#[test]
fn what_lies_beside_a_bundle_replaces_no_file_of_another_kind() {
    let demo = built();
    let secret = fs::read(demo.path("site")).unwrap();
    for (name, kind, commands) in [
        (
            "demo.tar.minisig",
            "signature",
            &[
                &["sign", "-q", "demo.tar", "--key", "site"][..],
                &["build", "-q", "--sign", "site"],
                &["complete", "-q", "none.tar", "-o", "demo.tar"],
                &["pull", "-q", "oci://registry.invalid/demo:1", "-o", "demo.tar"],
            ][..],
        ),
        (
            "demo.tar.parity",
            "parity file",
            &[&["parity", "-q", "demo.tar"], &["build", "-q", "--parity", "2%"]],
        ),
        ("demo.tar.sha256", "list of checksums", &[&["build", "-q"]]),
        ("demo.tar.patch", "patch", &[&["patch", "-q", "demo.tar", "--map", "site"]]),
    ] {
        let kept = fs::read(demo.path(name)).ok();
        // A key, which looks a little like a signature.
        fs::write(demo.path(name), &secret).unwrap();
        for command in commands {
            let error = demo.fails(command);
            let said = format!("{name} exists, and it is no {kind}: ");
            assert!(error.contains(&said), "{command:?}: {error}");
            assert!(fs::read(demo.path(name)).unwrap() == secret, "{command:?}");
        }
        fs::remove_file(demo.path(name)).unwrap();
        kept.into_iter().for_each(|kept| fs::write(demo.path(name), kept).unwrap());
    }
    // Somebody's own page of HTML.
    fs::write(demo.path("notes.html"), "<!DOCTYPE html>\n<title>Notes</title>\n").unwrap();
    let error = demo.fails(&["report", "-q", "demo.tar", "-o", "notes.html"]);
    assert!(error.contains("notes.html exists, and it is no page of `bundler report`"), "{error}");
    // What is of its kind is replaced.
    for _ in 0..2 {
        demo.ok(&["build", "-q", "--sign", "site", "--parity", "2%"]);
        demo.ok(&["parity", "-q", "demo.tar"]);
        demo.ok(&["report", "-q", "demo.tar", "-o", "page.html"]);
        demo.ok(&["sbom", "demo.tar", "-o", "bill.json"]);
    }
}
