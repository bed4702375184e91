//! `docs/verify-by-hand.md`: its commands find nothing wrong with a good bundle, and notice
//! what was done to a bad one.

use std::fs;
use std::path::Path;
use std::process::Command;

use bundle_format::Digest;

use crate::image_bundles;
use crate::image_signatures;
use crate::keyless;
use crate::support::demo::Demo;
use crate::trust_bundle::change_package;

/// The stock tools that the page names, and what takes a signature away.
const TOOLS: [&str; 8] =
    ["gpg", "jq", "minisign", "openssl", "rpmkeys", "rpmsign", "sha256sum", "skopeo"];

/// A fenced block of the page.
struct Block {
    heading: String,
    text: String,
}

/// Whether all tools are here; says which is not.
pub(crate) fn has_tools() -> bool {
    let is_missing = |tool: &&str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
        !found.unwrap().status.success()
    };
    let missing: Vec<&str> = TOOLS.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        println!("skipped: not installed: {}", missing.join(", "));
    }
    missing.is_empty()
}

fn blocks() -> Vec<Block> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify-by-hand.md");
    let mut blocks: Vec<Block> = Vec::new();
    let (mut heading, mut is_fenced) = ("", false);
    let page = fs::read_to_string(page).unwrap();
    for line in page.lines() {
        match (line.strip_prefix("## "), line == "```") {
            (_, true) => {
                is_fenced = !is_fenced;
                if is_fenced {
                    blocks.push(Block { heading: heading.to_owned(), text: String::new() });
                }
            }
            (Some(own), _) if !is_fenced => heading = own,
            _ if is_fenced => blocks.last_mut().unwrap().text += &format!("{line}\n"),
            _ => {}
        }
    }
    assert!(blocks.len() > 12, "only {} blocks were found", blocks.len());
    blocks
}

/// A bundle of the embedded upstream with an installer, with images that somebody signed, and
/// who signs it.
pub(crate) fn signed() -> Demo {
    let (demo, pause) = image_signatures::start();
    demo.upstream.put_signatures("pause", pause, &[image_signatures::good(pause)]).unwrap();
    image_bundles::sign_too(&demo, "coredns/coredns");
    keyless::sign_too(&demo, "kube-proxy", "trusted_root.json");
    demo.ok(&["keygen", "--no-password", "site.key"]);
    fs::write(demo.path("program"), "#!/bin/sh\necho it runs\n").unwrap();
    let own = "installers: [{architecture: x86_64, file: program}]\n";
    demo.write_spec(&demo.spec().replace("installers: []\n", own));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "--sign", "site.key"]);
    demo
}

/// What the blocks that failed printed, each under its heading, for the bundle
/// `bundle` with what else is on the stick.
fn failures(demo: &Demo, bundle: &[u8]) -> Vec<(String, String)> {
    failures_of(demo, bundle, &[])
}

/// The same with other words in place of some of the page's.
pub(crate) fn failures_of(
    demo: &Demo,
    bundle: &[u8],
    instead: &[(&str, &str)],
) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let stick = ["demo.tar.sha256", "demo.tar.minisig", "installer"];
    for name in stick.into_iter().chain(["site.key.pub", "team.pub", "trusted_root.json"]) {
        fs::copy(demo.path(name), at(name)).unwrap();
    }
    fs::write(at("demo.tar"), bundle).unwrap();
    let failed = blocks().into_iter().filter_map(|block| {
        let replace = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let text = instead.iter().fold(block.text.clone(), replace);
        // Tests with real cosign name where it is.
        if text.lines().any(|line| line.starts_with("cosign ")) {
            return None;
        }
        let said = run(demo, folder.path(), &text).err()?;
        // A reader sees no exit status.
        assert!(!said.trim().is_empty(), "it fails without a word: {text}");
        Some((block.heading, format!("{}{said}", block.text)))
    });
    failed.collect()
}

fn run(demo: &Demo, folder: &Path, text: &str) -> Result<(), String> {
    // The embedded upstream is the registry's mirror.
    let registry = format!("--tls-verify=false docker://{}/", demo.upstream.host());
    let text = text.replace("docker://registry.k8s.io/", &registry);
    let mut bash = Command::new("bash");
    bash.args(["-e", "-o", "pipefail", "-c", &text]).current_dir(folder).env("HOME", folder);
    let output = bash.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// The headings under which something failed, each once.
fn headings(failures: &[(String, String)]) -> Vec<&str> {
    let mut headings: Vec<&str> = failures.iter().map(|(heading, _)| &heading[..]).collect();
    headings.dedup();
    headings
}

/// Where in the bundle the last bytes of a file are, by its name. All were extracted before.
fn end_of(demo: &Demo, bundle: &[u8], name: &str) -> usize {
    let find = format!("find taken -name '{name}'");
    let found = Command::new("sh").args(["-c", &find]).current_dir(demo.folder.path()).output();
    let path = String::from_utf8(found.unwrap().stdout).unwrap();
    let bytes = fs::read(demo.path(path.trim())).unwrap();
    bundle.windows(bytes.len()).position(|part| part == bytes).unwrap() + bytes.len() - 16
}

#[test]
fn the_pages_commands_find_nothing_wrong_with_a_good_bundle() {
    if !has_tools() {
        return;
    }
    let demo = signed();
    let failures = failures(&demo, &fs::read(demo.path("demo.tar")).unwrap());
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn the_pages_commands_notice_what_was_done_to_a_bundle() {
    if !has_tools() {
        return;
    }
    let demo = signed();
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let (checksums, archive) = ("The signature", "All that is in the archive");
    let altered = |place: usize| {
        let mut bundle = good.clone();
        bundle[place] ^= 1;
        bundle
    };

    demo.ok(&["extract", "-C", "taken", "demo.tar"]);
    // A byte in the payload of a package: rpm says so too.
    let found = failures(&demo, &altered(end_of(&demo, &good, "kubelet-*.rpm")));
    assert_eq!(headings(&found), [checksums, archive, "Packages"], "{found:#?}");
    // A byte of a file for which only the bundle's maker vouches.
    let found = failures(&demo, &altered(end_of(&demo, &good, "calico.yaml")));
    assert_eq!(headings(&found), [checksums, archive], "{found:#?}");
    // A byte of `index.json`, in a name: the checksum finds it, and the signature.
    let name = b"registry.k8s.io/pause:3.9";
    let index = good.windows(name.len()).position(|part| part == name).unwrap();
    let found = failures(&demo, &altered(index + name.len() - 1));
    assert_eq!(headings(&found), [checksums], "{found:#?}");
    assert!(found.len() == 3 && found[1].1.contains("minisign -V"), "{found:#?}");
}

#[test]
fn the_pages_commands_notice_a_blob_too_many_and_one_too_few() {
    if !has_tools() {
        return;
    }
    let demo = signed();
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let archive = "All that is in the archive";
    let stray = Digest::of(b"stray").hex();
    let lock = fs::read(demo.path("bundle.yaml.lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
    let package = lock["rpms"][0]["digest"].as_str().unwrap().replace(':', "/");
    let tar = "tar --owner=0 --group=0 --mode=0644 --mtime=@0 --format=ustar";
    for (change, word) in [
        (
            format!(
                "mkdir -p blobs/sha256; printf stray >blobs/sha256/{stray}; \
                 {tar} --append -f changed.tar blobs/sha256/{stray}"
            ),
            format!("> bundle/blobs/sha256/{stray}"),
        ),
        (
            format!("tar --delete -f changed.tar blobs/{package}"),
            format!("< bundle/blobs/{package}"),
        ),
        (
            format!("touch x; {tar} --append -f changed.tar --transform s,x,../x, x"),
            "../x".to_owned(),
        ),
    ] {
        fs::write(demo.path("changed.tar"), &good).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-ec", &change]).current_dir(demo.folder.path());
        assert!(shell.status().unwrap().success(), "{change}");
        let found = failures(&demo, &fs::read(demo.path("changed.tar")).unwrap());
        let own: Vec<_> = found.iter().filter(|(heading, _)| heading == archive).collect();
        assert!(own.iter().any(|(_, said)| said.contains(&word)), "{change}: {found:#?}");
    }
}

#[test]
fn the_pages_commands_notice_a_package_that_nobody_signed() {
    if !has_tools() {
        return;
    }
    let demo = signed();
    let repository = demo.upstream.key_path("os").parent().unwrap().parent().unwrap().to_owned();
    change_package(&repository, "socat-", |package| {
        let output = Command::new("rpmsign").arg("--delsign").arg(package).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    let off = "gpgcheck: {off: tried here}\n        repoGpgcheck: {off: tried here}";
    let off = format!("- {off}\n        plainHttp: tried here\n        id: os");
    demo.write_spec(&demo.spec().replacen("- id: os", &off, 1));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "--sign", "site.key"]);
    let found = failures(&demo, &fs::read(demo.path("demo.tar")).unwrap());
    assert_eq!(headings(&found), ["Packages"], "{found:#?}");
    assert!(found[0].1.contains("socat-"), "{found:#?}");
}
