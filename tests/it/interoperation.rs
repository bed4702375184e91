//! Stock tools read a bundle: skopeo, and a real containerd.

use std::fs;
use std::process::{Command, Output};

use bundle_format::Lock;
use bundle_format::architecture::Architecture::X86_64;
use bundle_format::layout::names;

use crate::real_registry::RealRegistry;
use crate::real_registry::image::Content;
use crate::support::demo::Demo;
use crate::support::stock::{Containerd, has, is_root, succeeded};

fn lock(demo: &Demo) -> Lock {
    serde_json::from_slice(&fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap()
}

/// skopeo's picture of an archive, as the first platform of the lock's.
fn skopeo(arguments: &[&str]) -> Output {
    Command::new("skopeo")
        .args(["--override-arch", "amd64", "--override-os", "linux"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn skopeo_reads_the_images_of_a_bundle_as_it_is() {
    if !has("skopeo") {
        return;
    }
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    // Among several images, skopeo passes over those of docker's types; the
    // next test has those.
    let images = lock(&demo).images;
    let mut read = images
        .iter()
        .filter(|image| !image.root.media_type.starts_with("application/vnd.docker."))
        .peekable();
    assert!(read.peek().is_some());
    for image in read {
        for name in names(image) {
            let bundle = format!("oci-archive:{}:{name}", demo.path("demo.tar").display());
            let raw = skopeo(&["inspect", "--raw", &bundle]);
            assert!(raw.status.success(), "{name}: {}", String::from_utf8_lossy(&raw.stderr));
            // A sparse index is shown as it is: the registry's own bytes.
            let digest = bundle_format::Digest::of(&raw.stdout);
            assert_eq!(digest, image.root.digest, "{name}");
        }
    }
}

#[test]
fn skopeo_copies_each_extracted_image_with_the_registrys_digest() {
    if !has("skopeo") {
        return;
    }
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    demo.ok(&["extract", "-C", "out", "--kind", "images", "demo.tar"]);
    let titles = demo.ok(&["extract", "--list", "--kind", "images", "demo.tar"]);
    let images = lock(&demo).images;
    assert_eq!(titles.lines().count(), images.len());
    assert!(images.iter().any(|image| image.root.media_type.contains("vnd.docker.")));
    for (title, image) in titles.lines().zip(&images) {
        let archive = format!("oci-archive:{}", demo.path(&format!("out/{title}")).display());
        let raw = skopeo(&["inspect", "--raw", &archive]);
        assert!(raw.status.success(), "{title}: {}", String::from_utf8_lossy(&raw.stderr));
        assert_eq!(bundle_format::Digest::of(&raw.stdout), image.root.digest, "{title}");
        let folder = demo.path(&format!("copy-{}", image.root.digest.hex()));
        let to = format!("dir:{}", folder.display());
        succeeded(&skopeo(&["copy", "--preserve-digests", &archive, &to]));
        let manifest = fs::read(folder.join("manifest.json")).unwrap();
        assert_eq!(bundle_format::Digest::of(&manifest), image.platforms[0].manifest.digest);
    }
}

#[test]
fn containerd_imports_the_bundle_as_it_is() {
    if !has("containerd") || !has("ctr") {
        return;
    }
    if !is_root() {
        println!("skipped: containerd needs root");
        return;
    }
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let folder = tempfile::tempdir().unwrap();
    let containerd = Containerd::start(folder.path());
    let bundle = demo.path("demo.tar").display().to_string();
    succeeded(&containerd.ctr(&["images", "import", "--platform", "linux/amd64", &bundle]));
    let listed = succeeded(&containerd.ctr(&["images", "list"]));
    for image in lock(&demo).images {
        for name in names(&image) {
            let line =
                listed.lines().find(|line| line.split(' ').next() == Some(&name.to_string()));
            let line = line.unwrap_or_else(|| panic!("{name} is not in:\n{listed}"));
            assert!(line.contains(&image.root.digest.to_string()), "{line}");
        }
        // Its content is whole: the image can be checked and unpacked.
        let checked = succeeded(&containerd.ctr(&[
            "images",
            "check",
            &format!("name=={}", names(&image)[0]),
        ]));
        assert!(checked.contains("complete"), "{checked}");
    }
}

/// Images whose documents leave out what they should say, as some tools make
/// them: skopeo copies them, and so containerd must have them of us.
#[test]
fn containerd_imports_images_that_leave_things_out() {
    if !has("containerd") || !has("ctr") || !is_root() {
        return;
    }
    let Some(registry) = RealRegistry::plain() else { return };
    let contents = [
        ("unplaced", Content::Unplaced(X86_64)),
        ("beside", Content::Beside(X86_64)),
        ("bare", Content::Bare),
        ("empty", Content::Empty),
    ];
    let mut images = String::new();
    for (name, content) in &contents {
        registry.push_image(&format!("odd/{name}:v1"), content);
        images += &format!("  - {}/odd/{name}:v1\n", registry.host());
    }
    registry.push_image("odd/rootless:v1", &Content::Rootless(X86_64));
    let demo = Demo::start();
    let spec = format!(
        "{}  '{}': {{plainHttp: a test}}\nimages:\n{images}",
        demo.spec().replace("installers: []\n", ""),
        registry.host()
    );
    demo.write_spec(&format!("{spec}installers: []\n"));
    demo.ok(&["lock"]);
    let own: Vec<_> = lock(&demo)
        .images
        .into_iter()
        .filter(|image| image.name.to_string().contains("/odd/"))
        .collect();
    assert_eq!(own.len(), contents.len());
    // On another machine, with nothing in its cache.
    fs::remove_dir_all(demo.path("cache")).unwrap();
    demo.ok(&["build", "-q"]);
    demo.ok(&["verify", "-q", "demo.tar"]);
    let folder = tempfile::tempdir().unwrap();
    let containerd = Containerd::start(folder.path());
    let bundle = demo.path("demo.tar").display().to_string();
    succeeded(&containerd.ctr(&["images", "import", "--platform", "linux/amd64", &bundle]));
    for image in &own {
        let filter = format!("name=={}", image.name);
        let checked = succeeded(&containerd.ctr(&["images", "check", &filter]));
        assert!(checked.contains("complete"), "{checked}");
    }
    // What no containerd unpacks is said here, not on site.
    demo.write_spec(&format!("{spec}  - {}/odd/rootless:v1\ninstallers: []\n", registry.host()));
    demo.ok(&["lock"]);
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains("names 0 layers, but its manifest names 1"), "{error}");
}
