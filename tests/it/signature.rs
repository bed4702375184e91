//! Signed bundles: what `bundler` signs, the real minisign checks, and the other way round.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bundle_format::built_in;
use bundle_format::signature::TrustedKeys;

use crate::support::demo::Demo;

fn minisign(demo: &Demo, arguments: &[&str]) -> Output {
    Command::new("minisign").args(arguments).current_dir(demo.folder.path()).output().unwrap()
}

/// A demo with a bundle and a key.
fn built() -> Demo {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    demo.ok(&["keygen", "--no-password", "site"]);
    demo
}

fn index(demo: &Demo) {
    let mut tar = Command::new("tar");
    tar.args(["-xOf", "demo.tar", "index.json"]).current_dir(demo.folder.path());
    let output = tar.output().unwrap();
    fs::write(demo.path("index.json"), output.stdout).unwrap();
}

fn verify(demo: &Demo, key: &str) -> Result<String, String> {
    let output = demo.run(&["verify", "-q", "demo.tar", "--trusted-key", key]);
    let text = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    if output.status.success() { Ok(text) } else { Err(text) }
}

#[test]
fn what_bundler_signs_minisign_checks() {
    let demo = built();
    assert_eq!(demo.ok(&["sign", "demo.tar", "--key", "site"]), "demo.tar.minisig\n");
    index(&demo);
    let said =
        minisign(&demo, &["-V", "-m", "index.json", "-x", "demo.tar.minisig", "-p", "site.pub"]);
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success(), "{text}");
    assert!(text.contains("\tname:demo\tlock:sha256:"), "{text}");
    let said = verify(&demo, "site.pub").unwrap();
    assert!(said.starts_with("signed: public key ") && said.contains("\ngood: "), "{said}");
}

#[test]
fn a_signature_that_nobody_asked_for_is_said_to_be_unchecked() {
    let demo = built();
    fs::write(demo.path("demo.tar.minisig"), "garbage").unwrap();
    let output = demo.run(&["verify", "-q", "demo.tar"]);
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"good: "), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "no signature was asked for, because no key is trusted here; `--trusted-key FILE` checks \
         it\n"
    );
    let sign = ["sign", "demo.tar", "--key", "site"];
    let error = demo.fails(&sign);
    assert!(error.contains("demo.tar.minisig exists, and it is no signature: move it away"));
    fs::remove_file(demo.path("demo.tar.minisig")).unwrap();
    demo.ok(&sign);
    assert!(!verify(&demo, "site.pub").unwrap().contains("no signature"));
}

#[test]
fn a_signature_that_is_replaced_is_named_with_its_key() {
    let demo = built();
    demo.ok(&["keygen", "--no-password", "next"]);
    let said = |arguments: &[&str]| {
        let output = demo.run(arguments);
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.ends_with(b"demo.tar.minisig\n"), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let key = |name: &str| {
        let keys = TrustedKeys::read(&[demo.path(name)]).unwrap();
        keys.ids().next().unwrap()
    };
    let (site, next) = (key("site.pub"), key("next.pub"));
    let of = |key| {
        format!(
            "replaced demo.tar.minisig, a signature by the key {key}: nodes that trust only that key \
             refuse the bundle now\n"
        )
    };
    let sign = |key| said(&["sign", "-q", "demo.tar", "--key", key]);
    assert_eq!(sign("site"), "", "there was none");
    assert_eq!(sign("next"), of(site));
    let same = "replaced demo.tar.minisig, an older signature of this bundle by the same key\n";
    assert_eq!(sign("next"), same);
    let built = said(&["build", "-q", "--sign", "site"]);
    assert!(built.ends_with(&of(next)), "{built}");
    // A number proves nothing: that of the site's key, in a signature by another key.
    sign("next");
    let text = fs::read_to_string(demo.path("demo.tar.minisig")).unwrap();
    let line = text.lines().nth(1).unwrap();
    let mut bytes = BASE64_STANDARD.decode(line).unwrap();
    let own = fs::read_to_string(demo.path("site.pub")).unwrap();
    let own = BASE64_STANDARD.decode(own.lines().last().unwrap()).unwrap();
    bytes[2..10].copy_from_slice(&own[2..10]);
    let forged = text.replace(line, &BASE64_STANDARD.encode(bytes));
    fs::write(demo.path("demo.tar.minisig"), forged).unwrap();
    let forged = format!(
        "replaced demo.tar.minisig, which has the number of the same key, {site}, and is no \
         signature of this bundle by it\n"
    );
    assert_eq!(sign("site"), forged);
}

#[test]
fn a_public_key_does_not_sign_and_the_secret_one_is_named() {
    let demo = built();
    let error = demo.fails(&["sign", "-q", "demo.tar", "--key", "site.pub"]);
    assert!(error.contains("site.pub is a public key, which only checks"), "{error}");
    assert!(!demo.path("demo.tar.minisig").exists());
}

#[test]
fn what_minisign_signs_bundler_takes() {
    let demo = built();
    index(&demo);
    for (key, public) in [("site", "site.pub"), ("own", "own.pub")] {
        if key == "own" {
            assert!(minisign(&demo, &["-GW", "-p", "own.pub", "-s", "own"]).status.success());
            // And bundler signs with minisign's key.
            demo.ok(&["sign", "demo.tar", "--key", "own"]);
            verify(&demo, public).unwrap();
        }
        let signed =
            minisign(&demo, &["-S", "-s", key, "-m", "index.json", "-x", "demo.tar.minisig"]);
        assert!(signed.status.success(), "{signed:?}");
        verify(&demo, public).unwrap();
    }
    // Signed by `own`: one of several keys is enough, and another one is not.
    let said = verify(&demo, "site.pub").unwrap_err();
    assert!(said.contains("was made with the key") && said.contains("not trusted here"), "{said}");
    let both = ["site.pub", "own.pub"].map(|name| fs::read_to_string(demo.path(name)).unwrap());
    fs::write(demo.path("both.pub"), both.concat()).unwrap();
    verify(&demo, "both.pub").unwrap();
}

/// What the page says of a bundle that somebody may have kept since last year.
#[test]
fn the_page_tells_of_a_bundle_that_may_be_an_old_one() {
    let demo = built();
    demo.ok(&["keygen", "--no-password", "next"]);
    index(&demo);
    fs::copy(demo.path("demo.tar"), demo.path("before.tar")).unwrap();
    let sign = |bundle: &str, key: &str, comment: &str| {
        let signature = format!("{bundle}.minisig");
        let how = ["-S", "-s", key, "-m", "index.json", "-x", &signature, "-t", comment];
        assert!(minisign(&demo, &how).status.success());
    };
    let worries = || {
        let keys = ["--trusted-key", "site.pub", "--trusted-key", "next.pub"];
        let bundles = ["report", "-q", "demo.tar", "--against", "before.tar", "--output", "page"];
        demo.ok(&[&bundles[..], &keys].concat());
        fs::read_to_string(demo.path("page")).unwrap()
    };
    let (earlier, later) = ("timestamp:1795833174", "timestamp:1795833175");
    let [old, undated, stranger, ahead] = [
        "This bundle was signed earlier than the bundle before",
        "The signature does not say when it was made",
        "Another key signed the bundle before",
        "The signature is dated in the future</strong>: on 01 Jan 2100, 00:00:01 UTC, and this page",
    ];
    for (key, comment, said) in [
        ("site", later, None),
        ("site", earlier, Some(old)),
        ("site", "of nobody knows when", Some(undated)),
        ("next", later, Some(stranger)),
        ("site", "timestamp:4102444801", Some(ahead)),
    ] {
        // Both in the same second are in order.
        sign("before.tar", "site", later);
        sign("demo.tar", key, comment);
        let page = worries();
        for words in [old, undated, stranger, ahead] {
            assert_eq!(page.contains(words), said == Some(words), "{key}, {comment}: {words}");
        }
        assert!(!page.contains("The bundle before has another name"));
    }
    demo.write_spec(&demo.spec().replace("name: demo", "name: other"));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "-o", "demo.tar"]);
    demo.ok(&["report", "-q", "demo.tar", "--against", "before.tar", "--output", "page"]);
    let page = fs::read_to_string(demo.path("page")).unwrap();
    assert!(page.contains("The bundle before has another name, <strong>demo</strong>"), "{page}");
}

#[test]
fn a_bundle_is_not_read_without_its_own_signature() {
    let demo = built();
    let said = verify(&demo, "site.pub").unwrap_err();
    assert!(said.contains("there is no signature demo.tar.minisig"), "{said}");
    demo.ok(&["sign", "demo.tar", "--key", "site"]);
    // Another bundle under the signature, whose blobs and lock are right in themselves.
    let spec = demo.spec().replace("name: demo", "name: other");
    demo.write_spec(&spec);
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "-o", "demo.tar"]);
    let said = verify(&demo, "site.pub").unwrap_err();
    assert!(said.contains("demo.tar.minisig is not of this bundle"), "{said}");
    fs::write(demo.path("demo.tar.minisig"), "x").unwrap();
    assert!(verify(&demo, "site.pub").unwrap_err().contains("is no signature of minisign"));
    fs::write(demo.path("empty.pub"), "untrusted comment: nothing\n").unwrap();
    assert!(verify(&demo, "empty.pub").unwrap_err().contains("it has no key"));
    let said = verify(&demo, "bundle.yaml").unwrap_err();
    assert!(said.contains("is no public key of minisign"), "{said}");
}

#[test]
fn a_page_compares_only_with_a_bundle_that_a_trusted_key_has_signed() {
    let demo = built();
    demo.ok(&["keygen", "--no-password", "other"]);
    demo.ok(&["sign", "demo.tar", "--key", "site"]);
    fs::copy(demo.path("demo.tar"), demo.path("old.tar")).unwrap();
    let compare = ["report", "demo.tar", "--against", "old.tar", "--output", "report.html"];
    let trusting = [&compare[..], &["--trusted-key", "site.pub"]].concat();
    let error = demo.fails(&trusting);
    assert!(error.contains("--against old.tar"), "{error}");
    assert!(error.contains("there is no signature old.tar.minisig"), "{error}");
    demo.ok(&["sign", "old.tar", "--key", "other"]);
    let error = demo.fails(&trusting);
    assert!(error.contains("--against old.tar") && error.contains("was made with the key"));
    assert!(!demo.path("report.html").exists());
    let page = || fs::read_to_string(demo.path("report.html")).unwrap();
    let both = [&trusting[..], &["--trusted-key", "other.pub"]].concat();
    demo.ok(&both);
    let other = fs::read_to_string(demo.path("other.pub")).unwrap();
    let said = format!(" by the public key <code>{}</code>.", other.lines().nth(1).unwrap());
    assert!(page().contains("It was signed on ") && page().contains(&said), "{}", page());
    // Without a key, nobody asks, and the page says so.
    demo.ok(&compare);
    assert!(page().contains("Nobody has checked for this page who signed that one."));
}

#[test]
fn a_build_signs_and_tells_of_a_signature_that_no_longer_counts() {
    let demo = built();
    demo.ok(&["build", "-q", "--sign", "site"]);
    verify(&demo, "site.pub").unwrap();
    let again = demo.run(&["build", "-q"]);
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(!said.contains("minisig"), "the same bundle: {said}");
    verify(&demo, "site.pub").unwrap();
    demo.write_spec(&demo.spec().replace("name: demo", "name: other"));
    demo.ok(&["lock"]);
    let again = demo.run(&["build", "-q", "-o", "demo.tar"]);
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("demo.tar.minisig is the signature of another bundle"), "{said}");
    // In parts, by any of their names.
    demo.ok(&["build", "-q", "-o", "parts.tar", "--split", "20KiB", "--sign", "site"]);
    let said = demo.ok(&["verify", "-q", "parts.tar", "--trusted-key", "site.pub"]);
    assert!(said.starts_with("signed: "), "{said}");
    let error = demo.fails(&["build", "-q", "--sign", "bundle.yaml"]);
    assert!(error.contains("bundle.yaml is no secret key of minisign"), "{error}");
}

#[test]
fn nobody_signs_or_approves_a_bundle_that_is_damaged() {
    let demo = Demo::start();
    demo.ok(&["keygen", "--no-password", "site"]);
    fs::write(demo.path("program"), "#!/bin/sh\necho it runs\nexit\n").unwrap();
    let own = "installers: [{architecture: x86_64, file: program}]\n";
    demo.write_spec(&demo.spec().replace("installers: []\n", own));
    demo.ok(&["build", "-q"]);
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let mut bytes = good.clone();
    let place = bytes.windows(7).position(|bytes| bytes == b"it runs").unwrap();
    bytes[place] = b'I';
    fs::write(demo.path("demo.tar"), bytes).unwrap();
    let commands: [&[&str]; 3] = [
        &["sign", "-q", "demo.tar", "--key", "site"],
        &["report", "-q", "demo.tar", "--output", "report.html"],
        &["audit", "-q", "--json", "demo.tar"],
    ];
    for command in commands {
        let error = demo.fails(command);
        assert!(error.contains("installers/x86_64/installer (sha256:"), "{command:?}: {error}");
        assert!(error.contains("do not use this bundle"), "{command:?}: {error}");
    }
    let is_there = |name: &str| demo.path(name).exists();
    assert!(!is_there("demo.tar.minisig") && !is_there("report.html"));
    fs::write(demo.path("demo.tar"), good).unwrap();
    for command in commands {
        demo.ok(command);
    }
    assert!(is_there("demo.tar.minisig") && is_there("report.html"));
}

#[test]
fn a_key_is_secret_has_a_password_and_is_never_replaced() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    fs::write(demo.path("password"), "correct horse\n").unwrap();
    fs::write(demo.path("wrong"), "battery\n").unwrap();
    demo.ok(&["keygen", "site", "--password-file", "password"]);
    let mode = |name: &str| fs::metadata(demo.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("site"), 0o600);
    let before = fs::read(demo.path("site")).unwrap();
    for name in ["site", "site.pub"] {
        let error = demo.fails(&["keygen", "site", "--no-password"]);
        assert!(error.contains(&format!("{name} exists already")), "{error}");
        assert_eq!(fs::read(demo.path("site")).unwrap_or(before.clone()), before);
        drop(fs::rename(demo.path("site"), demo.path("kept")));
    }
    let sign = |password: &str| {
        demo.run(&["sign", "demo.tar", "--key", "kept", "--password-file", password])
    };
    let output = sign("wrong");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Wrong password") && !said.contains("battery"), "{said}");
    assert!(!demo.path("demo.tar.minisig").exists());
    assert!(sign("password").status.success());
    verify(&demo, "site.pub").unwrap();
    // A key whose bytes are damaged signs nothing.
    demo.ok(&["keygen", "plain", "--no-password"]);
    let text = fs::read_to_string(demo.path("plain")).unwrap();
    let mut bytes = BASE64_STANDARD.decode(text.lines().nth(1).unwrap()).unwrap();
    let end = bytes.len() - 32;
    bytes[80] ^= 1;
    for is_checked in [true, false] {
        if !is_checked {
            bytes[end..].fill(0);
        }
        let damaged = format!("untrusted comment: x\n{}\n", BASE64_STANDARD.encode(&bytes));
        fs::write(demo.path("plain"), damaged).unwrap();
        let before = fs::read(demo.path("demo.tar.minisig")).unwrap();
        demo.fails(&["sign", "-q", "demo.tar", "--key", "plain"]);
        assert_eq!(fs::read(demo.path("demo.tar.minisig")).unwrap(), before);
    }
    // If the public key cannot be written, there is no secret one either. Nor are there others.
    fs::create_dir(demo.path("keys")).unwrap();
    let long = format!("keys/{}", "x".repeat(253));
    demo.fails(&["keygen", &long, "--no-password"]);
    assert_eq!(fs::read_dir(demo.path("keys")).unwrap().count(), 0);
    demo.ok(&["keygen", "keys/site", "--no-password"]);
    assert_eq!((mode("keys/site"), mode("keys/site.pub") & 0o133), (0o600, 0));
    assert_eq!(fs::read_dir(demo.path("keys")).unwrap().count(), 2);
    // Nobody to ask.
    let error = demo.fails(&["keygen", "another"]);
    assert!(error.contains("give --password-file FILE"), "{error}");
}

#[test]
fn the_specs_keys_are_in_the_bundles_installer() {
    let demo = Demo::start();
    demo.ok(&["keygen", "--no-password", "site"]);
    fs::write(demo.path("program"), "#!/bin/sh\necho it runs\nexit\n").unwrap();
    let own = "installers: [{architecture: x86_64, file: program}]\ntrustedKeys: [site.pub]\n";
    demo.write_spec(&demo.spec().replace("installers: []\n", own));
    demo.ok(&["build", "-q"]);
    let keys = built_in::keys_of(&demo.path("installer")).unwrap().unwrap();
    assert_eq!(keys, fs::read_to_string(demo.path("site.pub")).unwrap());
    let run = Command::new(demo.path("installer")).output().unwrap();
    assert_eq!(run.stdout, b"it runs\n");
    // On another machine, whose cache is empty.
    let bundle = fs::read(demo.path("demo.tar")).unwrap();
    fs::remove_dir_all(demo.path("cache")).unwrap();
    demo.ok(&["build", "-q", "--locked"]);
    assert_eq!(fs::read(demo.path("demo.tar")).unwrap(), bundle);
    // A key that was changed, or a program.
    fs::remove_file(demo.path("site")).unwrap();
    fs::remove_file(demo.path("site.pub")).unwrap();
    demo.ok(&["keygen", "--no-password", "site"]);
    let error = demo.fails(&["build", "-q"]);
    assert!(
        error.contains("the trusted key site.pub has changed since the lock was made"),
        "{error}"
    );
    fs::write(demo.path("site.pub"), &keys).unwrap();
    demo.ok(&["build", "-q"]);
    fs::write(demo.path("program"), "another").unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains("the installer for x86_64 has changed"), "{error}");
    fs::write(demo.path("site.pub"), "nonsense").unwrap();
    let error = demo.fails(&["lock"]);
    assert!(error.contains("line 1 is no public key of minisign: nonsense"), "{error}");
    for (key, value) in [("trustedKeys", "[]"), ("signatures", "{}"), ("require", "~")] {
        let spec = demo.spec().replace("trustedKeys: [site.pub]\n", "");
        let keyed = demo.spec();
        demo.write_spec(&format!("{spec}{key}: {value}\n"));
        let error = demo.fails(&["lock"]);
        assert!(error.contains(&format!("`{key}` is empty: write")), "{error}");
        demo.write_spec(&keyed);
    }
    demo.write_spec(&demo.spec().replace("[site.pub]", "[gone.pub]"));
    assert!(demo.fails(&["lock"]).contains("no such file"), "the spec's line is told");
}
