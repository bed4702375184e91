//! A lock that was made on one machine, built on others: they have nothing but the
//! spec, its lock and the registries, and make the same bundle.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use bundle_format::architecture::Architecture::{Aarch64, X86_64};
use bundle_format::{Digest, Lock};
use upstream::Upstream;

use crate::real_registry::RealRegistry;
use crate::real_registry::image::Content;
use crate::support::demo::BUNDLER;

const TEMPLATE: &str = include_str!("../../upstream/bundle.yaml");

/// Every form that an image has in a registry.
fn forms() -> [(&'static str, Content); 4] {
    [
        ("index", Content::Index(vec![X86_64, Aarch64])),
        ("oci", Content::Oci(X86_64)),
        ("list", Content::DockerList(vec![X86_64, Aarch64])),
        ("docker", Content::Docker(X86_64)),
    ]
}

/// Pushes every form below `prefix`, and gives references below `name`: each by
/// its tag, and each by its digest alone.
fn push(registry: &RealRegistry, prefix: &str, name: &str) -> Vec<String> {
    let mut references = Vec::new();
    for (form, content) in forms() {
        let digest = registry.push_image(&format!("{prefix}/{form}:v1"), &content);
        references.push(format!("{name}/{form}:v1"));
        references.push(format!("{name}/{form}@{digest}"));
    }
    references
}

/// A machine: a folder that is also its home, and a cache that is empty.
struct Machine(tempfile::TempDir);

impl Machine {
    /// With the spec, the lock if there is one, and the logins of a person.
    fn new(spec: &str, lock: Option<&[u8]>, tls: &RealRegistry, tokens: &RealRegistry) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::write(machine.path("bundle.yaml"), spec).unwrap();
        if let Some(lock) = lock {
            fs::write(machine.path("bundle.yaml.lock.json"), lock).unwrap();
        }
        fs::copy(tls.ca(), machine.path("ca.crt")).unwrap();
        fs::create_dir_all(machine.path(".docker")).unwrap();
        fs::copy(tls.login_file(), machine.path(".docker/config.json")).unwrap();
        fs::create_dir_all(machine.path(".config/containers")).unwrap();
        fs::copy(tokens.login_file(), machine.path(".config/containers/auth.json")).unwrap();
        machine
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(BUNDLER);
        command.args(arguments).current_dir(self.0.path()).env("HOME", self.0.path());
        for variable in [
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_RUNTIME_DIR",
            "DOCKER_CONFIG",
            "REGISTRY_AUTH_FILE",
        ] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
    }

    fn bundle(&self) -> Vec<u8> {
        assert!(!self.path(".cache").exists(), "the cache is not empty");
        self.run(&["build", "-q"]);
        fs::read(self.path("demo.tar")).unwrap()
    }
}

fn spec(upstream: &Upstream, registries: &str, images: &[String]) -> String {
    let own = TEMPLATE.split_once("registries:").unwrap().0;
    let images: String = images.iter().map(|image| format!("  - '{image}'\n")).collect();
    let key = "repodata/repomd.xml.key";
    // Manifests and keys by URL and from a file, patched and not.
    let own = own
        .replace(&format!("[URL/os/{key}]"), "[os.asc]")
        .replace(
            "url: URL/manifests/calico.yaml",
            "url: URL/manifests/calico.yaml\n    patches: [{poolCidr: 10.244.0.0/16}]",
        )
        .replace("manifests:\n", "manifests:\n  - {name: pod, file: pod.yaml}\n");
    format!("{own}{registries}images:\n{images}installers: []\n")
        .replace("URL", upstream.url())
        .replace("HOST", upstream.host())
}

/// What the spec names beside itself.
fn beside(machine: &Machine, upstream: &Upstream) {
    fs::copy(upstream.key_path("os"), machine.path("os.asc")).unwrap();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: 'docker.io/calico/node:v3.26.4'}\n";
    fs::write(machine.path("pod.yaml"), pod).unwrap();
}

fn kinds(lock: &Path) -> (Lock, Vec<String>) {
    let lock: Lock = serde_json::from_slice(&fs::read(lock).unwrap()).unwrap();
    let kinds = lock.images.iter().map(|image| image.root.media_type.to_string()).collect();
    (lock, kinds)
}

#[test]
fn a_lock_is_built_on_other_machines_to_the_same_bytes() {
    let (Some(plain), Some(second), Some(tls), Some(tokens)) = (
        RealRegistry::plain(),
        RealRegistry::plain(),
        RealRegistry::tls_basic(),
        RealRegistry::token(),
    ) else {
        return;
    };
    let upstream = Upstream::start().unwrap();
    // A port that was given back: nobody listens there.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut images = push(&plain, "own", &format!("{}/own", plain.host()));
    images.extend(push(&tls, "own", &format!("{}/own", tls.host())));
    images.extend(push(&tokens, "private", &format!("{}/private", tokens.host())));
    images.extend(push(&tokens, "public", &format!("{}/public", tokens.host())));
    // Of three mirrors the first is dead, and of the other two each has some.
    images.extend(push(&plain, "hub/first", "docker.io/first"));
    images.extend(push(&tokens, "private/hub/second", "docker.io/second"));
    images.extend(push(&second, "third", "quay.io/third"));
    let registries = format!(
        "registries:\n\
         \x20 docker.io: {{mirrors: ['http://{dead}', 'http://{plain}/hub', 'http://{tokens}/private/hub', URL]}}\n\
         \x20 quay.io: {{mirrors: ['http://{second}']}}\n\
         \x20 registry.k8s.io: {{mirrors: [URL]}}\n\
         \x20 '{tls}': {{ca: ca.crt}}\n\
         \x20 '{dead}': {{plainHttp: a test}}\n\
         \x20 '{plain}': {{plainHttp: a test}}\n\
         \x20 '{second}': {{plainHttp: a test}}\n\
         \x20 '{tokens}': {{plainHttp: a test}}\n\
         \x20 HOST: {{plainHttp: a test}}\n",
        plain = plain.host(),
        second = second.host(),
        tls = tls.host(),
        tokens = tokens.host(),
    );
    let spec = spec(&upstream, &registries, &images);
    let machine = |lock: Option<&[u8]>| {
        let machine = Machine::new(&spec, lock, &tls, &tokens);
        beside(&machine, &upstream);
        machine
    };

    let first = machine(None);
    first.run(&["lock"]);
    let path = first.path("bundle.yaml.lock.json");
    let lock = fs::read(&path).unwrap();
    let (locked, kinds) = kinds(&path);
    for image in &images {
        assert!(locked.images.iter().any(|own| own.name.to_string() == *image), "{image}");
    }
    for kind in ["oci.image.index", "oci.image.manifest", "manifest.list.v2", "manifest.v2+json"] {
        assert!(kinds.iter().filter(|own| own.contains(kind)).count() >= 14, "{kind}: {kinds:?}");
    }
    first.run(&["build", "-q"]);
    let bundle = fs::read(first.path("demo.tar")).unwrap();

    let other = machine(Some(&lock));
    assert!(other.bundle() == bundle, "another bundle on another machine");

    // Upstream gave its tags to other images since.
    for (registry, prefix) in [(&plain, "own"), (&tls, "own"), (&plain, "hub/first")] {
        for (form, _) in forms() {
            let moved = Content::Index(vec![X86_64]);
            let digest = registry.push_image(&format!("{prefix}/{form}:v1"), &moved);
            assert!(locked.images.iter().all(|image| image.root.digest != digest), "{form}");
        }
    }
    let later = machine(Some(&lock));
    assert!(later.bundle() == bundle, "another bundle after the tags were moved");
    assert_eq!(
        Digest::of(&fs::read(later.path("bundle.yaml.lock.json")).unwrap()),
        Digest::of(&lock)
    );
}
