//! The installer reads a bundle in Debian's docker-registry: plain, with TLS and a password,
//! and with tokens.

use std::process::{Command, Output};

use bundle_format::Digest;
use lab::program;

use crate::real_registry::RealRegistry;
use crate::support::demo::{BUNDLER, Demo};

/// A built bundle, pushed to `registry`, and its address.
fn pushed(registry: &RealRegistry) -> (Demo, String) {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let address = format!("oci://{}/kubeferry/demo:1", registry.host());
    let pushed = run(&demo, registry, BUNDLER.as_ref(), "--ca", &["push", "demo.tar", &address]);
    assert!(pushed.status.success(), "{}", words(&pushed));
    (demo, address)
}

fn run(
    demo: &Demo,
    registry: &RealRegistry,
    program: &std::path::Path,
    authority: &str,
    arguments: &[&str],
) -> Output {
    let mut command = Command::new(program);
    command.current_dir(demo.folder.path()).env("HOME", demo.folder.path());
    command.env("XDG_CACHE_HOME", demo.path("cache"));
    command.env("REGISTRY_AUTH_FILE", registry.login_file()).args(arguments);
    match registry.ca().is_file() {
        true => command.arg(authority).arg(registry.ca()),
        false => command.arg("--plain-http"),
    };
    command.output().unwrap()
}

fn installer(demo: &Demo, registry: &RealRegistry, arguments: &[&str]) -> Output {
    run(demo, registry, &program("installer").unwrap(), "--registry-ca", arguments)
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn each_kind_of_registry_is_read_as_the_file_is() {
    for start in [RealRegistry::plain, RealRegistry::tls_basic, RealRegistry::token] {
        let Some(registry) = start() else { return };
        let (demo, address) = pushed(&registry);
        let of_file = installer(&demo, &registry, &["verify", "demo.tar"]);
        let found = installer(&demo, &registry, &["verify", "--bundle", &address]);
        assert!(found.status.success(), "{}", words(&found));
        assert_eq!(found.stdout, of_file.stdout);
    }
}

#[test]
fn a_digest_pins_and_a_key_that_has_not_signed_refuses() {
    let Some(registry) = RealRegistry::plain() else { return };
    let (demo, address) = pushed(&registry);
    let own = Digest::of(&registry.raw_manifest("kubeferry/demo:1"));
    let at = |digest: &Digest| format!("oci://{}/kubeferry/demo@{digest}", registry.host());
    let found = installer(&demo, &registry, &["verify", &at(&own)]);
    assert!(found.status.success(), "{}", words(&found));
    let found = installer(&demo, &registry, &["verify", &at(&Digest::of(b""))]);
    assert!(words(&found).contains("is not there"), "{}", words(&found));

    let key = demo.path("site.key.pub");
    let text = "untrusted comment: minisign public key\n\
                RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";
    std::fs::write(&key, text).unwrap();
    let trusted = ["verify", "--bundle", &address, "--trusted-key", "site.key.pub"];
    let found = installer(&demo, &registry, &trusted);
    assert_eq!(found.status.code(), Some(1));
    assert!(words(&found).contains("is not signed in the registry"), "{}", words(&found));
}

#[test]
fn what_is_damaged_or_lost_there_is_named() {
    let Some(registry) = RealRegistry::plain() else { return };
    let (demo, address) = pushed(&registry);
    let blobs = registry.storage().join("docker/registry/v2/blobs/sha256");
    let bundle = bundle_format::archive::reader::Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut contents = bundle.contents().iter();
    let rpm = contents.find(|file| file.path.to_string().ends_with(".rpm")).unwrap();
    let rpm = &rpm.descriptor;
    let hex = rpm.digest.hex();
    let file = blobs.join(&hex[..2]).join(&hex).join("data");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let found = installer(&demo, &registry, &["verify", &address]);
    assert!(words(&found).contains(&rpm.digest.to_string()), "{}", words(&found));
    std::fs::remove_file(&file).unwrap();
    let found = installer(&demo, &registry, &["verify", &address]);
    let said = words(&found);
    assert!(said.contains(&rpm.digest.to_string()) && said.contains("status 404"), "{said}");
}
