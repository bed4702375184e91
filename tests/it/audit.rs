//! Who vouches for what is in a bundle.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::hops;
use crate::support::demo::Demo;
use crate::support::gpg::{Gpg, is_missing};
use crate::trust_bundle::{change_package, is_rpm_missing};

/// The things of each voucher.
fn audited(demo: &Demo) -> Vec<(String, String, String)> {
    let json: Value = serde_json::from_str(&demo.ok(&["audit", "--json", "demo.tar"])).unwrap();
    let text = |one: &Value| one.as_str().unwrap().to_owned();
    let all = json["audited"].as_array().unwrap().iter();
    all.map(|one| {
        let voucher = &one["voucher"];
        (text(&voucher["by"]), text(&one["what"]), text(&voucher["words"]))
    })
    .collect()
}

#[test]
fn each_thing_has_its_voucher_and_what_nobody_vouches_for_comes_first() {
    let demo = Demo::start();
    fs::write(demo.path("program"), "program").unwrap();
    let own = "installers: [{architecture: x86_64, file: program}]\n";
    demo.write_spec(&demo.spec().replace("installers: []\n", own));
    demo.ok(&["build", "-q"]);
    let all = audited(&demo);
    let of = |start: &str| -> Vec<&(String, String, String)> {
        all.iter().filter(|(_, what, _)| what.starts_with(start)).collect()
    };
    // The demo's registry has no TLS, for a reason.
    let images = of("image ");
    assert!(!images.is_empty() && all[0].1.starts_with("image "), "{all:#?}");
    for (by, what, words) in &images {
        // A manifest of the maker's names it with its digest.
        if what.contains('@') {
            assert!(
                by == "maker" && words.starts_with("by its digest in the manifest "),
                "{words}"
            );
            continue;
        }
        assert_eq!(by, "nobody");
        let host = demo.upstream.host();
        let wanted = format!("it may have come without TLS (plainHttp) for {host}: ");
        assert!(words.starts_with(&wanted), "{words}");
    }
    let packages = of("rpm ");
    assert!(packages.len() > 10, "{all:#?}");
    for (by, what, words) in &packages {
        assert_eq!(by, "signature", "{what}: {words}");
        assert!(words.starts_with("key ") && words.contains(" with SHA"), "{words}");
    }
    assert_eq!(of("installer ")[0].0, "maker");
    let text = demo.ok(&["audit", "demo.tar"]);
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(place("NOBODY vouches for these (") < place("from who made the bundle ("));
    assert!(place("from who made the bundle (") < place("signed by a vendor, which was"));
    assert!(text.contains("signature  not asked for"), "{text}");
}

#[test]
fn a_check_that_is_off_leaves_what_else_vouches() {
    let demo = Demo::start();
    let spec = demo.spec();
    let off = "gpgcheck: {off: its maker signs nothing}";
    assert!(spec.contains("    id: ") || spec.contains("- id: "), "{spec}");
    let spec = spec.replacen("- id: ", &format!("- {off}\n        id: "), 1);
    demo.write_spec(&spec);
    demo.ok(&["build", "-q"]);
    let all = audited(&demo);
    let listed: Vec<_> = all.iter().filter(|(by, ..)| by == "signedList").collect();
    assert!(!listed.is_empty(), "{all:#?}");
    for (_, what, words) in listed {
        assert!(what.starts_with("rpm ") && words.contains("its maker signs nothing"), "{words}");
        assert!(words.contains(", and not read again by `build`; "), "{words}");
    }
    let text = demo.ok(&["audit", "demo.tar"]);
    assert!(text.contains("so whoever edited the lock could name other packages ("), "{text}");
}

#[test]
fn the_releases_in_between_are_audited_too() {
    let Some(demo) = hops::start() else { return };
    demo.ok(&["build", "-q"]);
    demo.ok(&["keygen", "--no-password", "site"]);
    demo.ok(&["sign", "demo.tar", "--key", "site"]);
    let json = demo.ok(&["audit", "--json", "demo.tar", "--trusted-key", "site.pub"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["signedBy"].is_string(), "{json:#}");
    let all = audited(&demo);
    for version in ["1.29.90", "1.30.90", "1.31.90"] {
        let name = format!(" kubelet-{version}-");
        let kubelets: Vec<_> = all.iter().filter(|(_, what, _)| what.contains(&name)).collect();
        assert!(kubelets.len() == 1 && kubelets[0].0 == "signature", "{version}: {kubelets:?}");
    }
}

#[test]
fn a_spec_may_require_that_somebody_vouches_for_everything() {
    let demo = Demo::start();
    let spec = demo.spec();
    demo.ok(&["lock"]);
    let lock: Value =
        serde_json::from_slice(&fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap();
    demo.write_spec(&format!("{spec}require: signed\n"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("`require: signed`: image registry.k8s.io/pause:"), "{error}");
    assert!(error.contains("for an image its digest in the spec"), "{error}");
    assert!(!error.contains("rpm "), "{error}");
    let off = "gpgcheck: {off: tried here}\n        repoGpgcheck: {off: tried here}";
    let plain = spec.replacen(
        "- id: ",
        &format!("- {off}\n        plainHttp: tried here\n        id: "),
        1,
    );
    demo.write_spec(&format!("{plain}require: signed\n"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("`require: signed`: rpm el9-x86_64 socat-"), "{error}");

    // Pinned by digest, all is well.
    let text = |one: &Value| one.as_str().unwrap().to_owned();
    let images = lock["images"].as_array().unwrap().iter();
    let images = images.map(|one| (text(&one["name"]), text(&one["root"]["digest"])));
    let images = images.filter(|(name, _)| !name.contains('@'));
    let images: String = images.map(|(name, digest)| format!("  - {name}@{digest}\n")).collect();
    let (start, rest) = spec.split_once("manifests:\n").unwrap();
    let (_, registries) = rest.split_once("registries:\n").unwrap();
    let listed = start.replace("kubernetes:\n", "kubernetes:\n  kubeadmImages: listed\n");
    demo.write_spec(&format!(
        "{listed}images:\n{images}registries:\n{registries}require: signed\n"
    ));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    assert!(audited(&demo).iter().all(|(by, ..)| by != "nobody" && by != "connection"));
}

/// The rpm of el7 takes such a signature, so the package is in the bundle.
#[test]
fn a_package_that_is_signed_with_sha_1_is_told() {
    if is_missing() || is_rpm_missing() {
        return;
    }
    let (demo, gpg) = (Demo::start(), Gpg::new());
    let made = 1_700_000_000;
    gpg.ok(made, &["--quick-gen-key", "Owner <owner@keys.invalid>", "rsa2048", "sign", "never"]);
    let key = demo.path("own.asc");
    gpg.ok(made, &["--armor", "--output", key.to_str().unwrap(), "--export"]);
    let vendor = demo.upstream.key_path("kubernetes");
    change_package(vendor.parent().unwrap().parent().unwrap(), "kubectl-1.28.2", |package| {
        let output = Command::new("rpmsign")
            .args(["--define", &format!("_gpg_path {}", gpg.folder().display())])
            .args(["--define", "__gpg /usr/bin/gpg", "--define", "_gpg_digest_algo sha1"])
            .args(["--define", "_gpg_name owner@keys.invalid", "--resign"])
            .arg(package)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    let keys = "keys: [URL/kubernetes/repodata/repomd.xml.key";
    let off = format!("repoGpgcheck: {{off: tried here}}\n        {keys}, own.asc");
    let spec = demo.spec().replace(keys, &off).replace("family: el9", "family: el7");
    demo.write_spec(&spec);
    demo.ok(&["build", "-q"]);
    let text = demo.ok(&["audit", "demo.tar"]);
    let (_, after) = text.split_once("\nSigned with SHA-1, which is broken").unwrap();
    let (told, _) = after.split_once("\n\n").unwrap();
    assert!(told.contains("(1 thing)\n  rpm el7-x86_64 kubectl-1.28.2"), "{told}");
    assert!(text.contains("  metadata el7-x86_64/kubernetes\n    without a signature "), "{text}");
    demo.ok(&["report", "--output", "report.html", "demo.tar"]);
    let page = fs::read_to_string(demo.path("report.html")).unwrap();
    let (_, worry) = page.split_once("Signed with SHA-1, which is broken").unwrap();
    assert!(worry.split("</li>").next().unwrap().contains(">1 thing<"), "{worry}");
}
