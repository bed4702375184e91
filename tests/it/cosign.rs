//! Real cosign, of both forms: what it signs with a key is taken, carried, and found good by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bundle_format::architecture::Architecture;
use bundle_format::lock::LockedSignature;
use lab::built;

use crate::by_hand;
use crate::image_signatures::{ask_too, lock};
use crate::real_registry::RealRegistry;
use crate::real_registry::image::Content;
use crate::support::demo::Demo;

/// The major releases, with what the page about checks by hand says of an image that each signs.
const RELEASES: [(&str, &str); 2] =
    [("2.", "registry.k8s.io/pause:3.9"), ("3.", "registry.k8s.io/coredns/coredns:v1.10.1")];

/// The newest cosign of a major release; says if there is none.
fn cosign(release: &str) -> Option<PathBuf> {
    let mut all = built::programs("cosign").into_iter();
    let found = all.rfind(|(version, _)| version.starts_with(release));
    if found.is_none() {
        println!("skipped: no cosign {release}x: `scripts/tools --kubeadms` builds it");
    }
    Some(found?.1)
}

/// Runs cosign in `folder`, which has its keys, without a service of anybody's.
fn run(program: &Path, folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("HOME", folder).env("COSIGN_PASSWORD", "");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cosign {arguments:?}: {words}");
}

/// Signs an image with the key `cosign.key`, as that release is told to use no log.
fn sign(program: &Path, folder: &Path, release: &str, image: &str) {
    let without_a_log = match release {
        "2." => "--tlog-upload=false",
        _ => {
            run(program, folder, &["signing-config", "create", "--out", "no-services.json"]);
            "--signing-config=no-services.json"
        }
    };
    run(program, folder, &["sign", "--yes", "--key", "cosign.key", without_a_log, image]);
}

/// The demo with an image of `registry`'s, `HOST/app:1`, that the owner of `cosign.pub` must have
/// signed.
fn demo(registry: &RealRegistry) -> Demo {
    let (demo, host) = (by_hand::signed(), registry.host());
    let spec = demo.spec().replace(
        "registries:\n",
        &format!(
            "images: [\"{host}/app:1\"]\nregistries:\n  \"{host}\":\n    plainHttp: tried here\n"
        ),
    );
    demo.write_spec(&spec);
    ask_too(&demo, &format!("\"{host}\": cosign.pub"));
    demo
}

#[test]
fn what_real_cosign_signs_counts_and_another_key_does_not() {
    if !by_hand::has_tools() {
        return;
    }
    for (release, on_the_page) in RELEASES {
        let Some(program) = cosign(release) else { continue };
        let Some(registry) = RealRegistry::plain() else { return };
        let image = format!("{}/app:1", registry.host());
        let root = registry.push_image("app:1", &Content::Oci(Architecture::X86_64));
        let demo = demo(&registry);
        let folder = demo.folder.path();
        run(&program, folder, &["generate-key-pair"]);
        let own = fs::read(demo.path("cosign.pub")).unwrap();

        let error = demo.fails(&["lock"]);
        assert!(error.contains("it has no signatures over this image"), "{error}");
        sign(&program, folder, release, &format!("{}/app@{root}", registry.host()));
        fs::copy(demo.path("team.pub"), demo.path("cosign.pub")).unwrap();
        let error = demo.fails(&["lock"]);
        let words = "of 1 signature, none counts; it is not over this payload, or another key";
        assert!(error.contains(words), "{error}");
        fs::write(demo.path("cosign.pub"), own).unwrap();
        demo.ok(&["lock"]);
        let locked = lock(&demo).images.into_iter().find(|one| one.name.to_string() == image);
        let Some(LockedSignature::Key(locked)) = locked.unwrap().signature else { panic!() };
        assert_eq!(locked.payload_type.is_some(), release == "3.");
        // By hand.
        demo.ok(&["build", "-q", "--sign", "site.key"]);
        let key = demo.path("cosign.pub").display().to_string();
        let by_itself = format!("{} verify-blob", program.display());
        let by_itself = ("cosign verify-blob", &*by_itself);
        let bundle = fs::read(demo.path("demo.tar")).unwrap();
        let failures = by_hand::failures_of(&demo, &bundle, &[by_itself]);
        assert!(failures.is_empty(), "{failures:#?}");
        let instead = [
            by_itself,
            (
                &*format!("select(.name == \"{on_the_page}\")"),
                &*format!("select(.name == \"{image}\")"),
            ),
            ("-verify team.pub", &*format!("-verify {key}")),
            ("--key team.pub", &*format!("--key {key}")),
        ];
        let failures = by_hand::failures_of(&demo, &bundle, &instead);
        // The other form is of the demo's own key, as openssl and cosign say.
        let others = if release == "2." { "signature envelope" } else { "signature payload" };
        let is_other =
            |(_, said): &(String, String)| said.contains(others) && !said.contains(&image);
        assert!(failures.len() == 2 && failures.iter().all(is_other), "{failures:#?}");
    }
}
