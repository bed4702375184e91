//! `bundler lock --upgrade`: what moves, and what stays as it was locked.

use std::fs;

use super::{LOCK, REQUIRES, Site};

#[test]
fn one_thing_moves_and_all_else_stays() {
    let site = Site::start();
    let demo = &site.0;
    site.packages(&[("web", "1", &["lib"]), ("app", "1", &["lib"]), ("lib", "1", &[])]);
    demo.ok(&["lock"]);
    let newer: [(&str, &str, &[&str]); 6] = [
        ("web", "1", &["lib"]),
        ("app", "1", &["lib"]),
        ("lib", "1", &[]),
        ("web", "2", &["lib"]),
        ("app", "2", &["lib"]),
        ("lib", "2", &[]),
    ];
    site.packages(&newer);
    let said = demo.ok(&["lock", "--upgrade", "web"]);
    assert!(said.contains("~ rpm el9-x86_64 web.noarch 1-1 -> 2-1\n"), "{said}");
    let versions = |site: &Site| ["web", "app", "lib"].map(|name| site.version(name));
    assert_eq!(versions(&site), ["2", "1", "1"]);
    // Of what nothing asks for by name as well.
    demo.ok(&["lock", "--upgrade", "lib"]);
    assert_eq!(versions(&site), ["2", "1", "2"]);
    // It is the newest already.
    let said = demo.ok(&["lock", "--upgrade", "lib", "--upgrade", "web"]);
    assert_eq!(said, "0 changes, 0 B of new blobs\n");

    // What it needs moves along, and what stands on that; no more than that.
    demo.ok(&["lock"]);
    site.packages(&[
        ("web", "2", &["lib=2"]),
        ("app", "2", &[]),
        ("lib", "2", &[]),
        ("web", "3", &["lib=3"]),
        ("app", "3", &[]),
        ("lib", "3", &[]),
    ]);
    demo.ok(&["lock", "--upgrade", "web"]);
    assert_eq!(versions(&site)[..2], ["3", "2"]);
    assert_eq!(site.version("lib"), "3");
    let before = fs::read(demo.path(LOCK)).unwrap();

    // Impossible, with the cause, and nothing is written.
    site.packages(&[
        ("web", "3", &["lib=3"]),
        ("app", "2", &[]),
        ("app", "3", &["nowhere"]),
        ("lib", "3", &[]),
    ]);
    let error = demo.fails(&["lock", "--upgrade", "app"]);
    assert!(error.contains("upgrading app") && error.contains("nowhere"), "{error}");
    assert_eq!(fs::read(demo.path(LOCK)).unwrap(), before);
    // What is offered no more cannot stay.
    site.packages(&[("web", "3", &["lib=3"]), ("app", "3", &[]), ("lib", "3", &[])]);
    let said = demo.ok(&["lock", "--upgrade", "web"]);
    assert!(said.contains("~ rpm el9-x86_64 app.noarch 2-1 -> 3-1\n"), "{said}");

    let error = demo.fails(&["lock", "--upgrade", "wbe", "--upgrade", "zzzzzz"]);
    assert!(error.contains("nothing called `wbe`; did you mean `web`?"), "{error}");
    assert!(error.contains("nothing called `zzzzzz`; name a package, an image"), "{error}");
    assert!(error.contains("bundle.yaml") || !error.is_empty());
    assert_eq!(demo.run(&["lock", "--check", "--upgrade", "web"]).status.code(), Some(2));
    fs::remove_file(demo.path(LOCK)).unwrap();
    assert!(
        demo.fails(&["lock", "--upgrade", "web"]).contains("there is no bundle.yaml.lock.json")
    );
}

#[test]
fn what_the_spec_asks_for_anew_comes_and_the_rest_stays() {
    let site = Site::start();
    site.0.ok(&["lock"]);
    site.packages(&[
        ("web", "1", &["lib"]),
        ("app", "1", &["lib"]),
        ("lib", "1", &[]),
        ("web", "2", &["lib"]),
        ("app", "2", &["lib"]),
        ("lib", "2", &[]),
        ("extra", "1", &["lib=2"]),
    ]);
    site.edit_spec(REQUIRES, "packages: [web, \"app = 2\", extra]");
    site.0.ok(&["lock", "--upgrade", "kubernetes"]);
    let versions = ["web", "app", "lib", "extra"].map(|name| site.version(name));
    assert_eq!(versions, ["1", "2", "2", "1"]);
}

#[test]
fn images_and_manifests_stay_or_move_too() {
    let site = Site::start();
    let demo = &site.0;
    demo.ok(&["lock"]);
    // As if all of it had been locked earlier.
    let path = demo.path(LOCK);
    let locked = site.lock();
    let mut older = locked.clone();
    let stands_for = |text: &str| bundle_format::Digest::of(text.as_bytes());
    let calico = older.manifests.iter_mut().find(|one| one.name == "calico").unwrap();
    let real = calico.upstream.digest;
    let old =
        fs::read_to_string(demo.path("cache/kubeferry/blobs/sha256").join(real.hex())).unwrap();
    let old = old.replace("calico_backend: \"bird\"", "calico_backend: \"none\"");
    calico.upstream.digest = stands_for(&old);
    calico.upstream.size = old.len() as u64;
    calico.applied = calico.upstream.clone();
    fs::write(demo.path("cache/kubeferry/blobs/sha256").join(stands_for(&old).hex()), &old)
        .unwrap();
    let layer = stands_for("an older layer");
    let pause = older.images.iter_mut().find(|one| one.name.repository() == "pause").unwrap();
    pause.platforms[0].layers[0].digest = layer;
    fs::write(&path, bundle_format::layout::lock_bytes(&older).unwrap()).unwrap();

    demo.ok(&["lock", "--upgrade", "containerd"]);
    let now = site.lock();
    assert_eq!((&now.images, &now.manifests), (&older.images, &older.manifests));
    let said = demo.ok(&["lock", "--upgrade", "calico"]);
    assert!(
        said.contains("    -  calico_backend: \"none\"\n    +  calico_backend: \"bird\"\n"),
        "{said}"
    );
    let now = site.lock();
    assert_eq!((&now.images, &now.manifests), (&older.images, &locked.manifests));
    demo.ok(&["lock", "--upgrade", "registry.k8s.io/pause"]);
    assert_eq!(site.lock(), locked);
    fs::write(&path, bundle_format::layout::lock_bytes(&older).unwrap()).unwrap();
    demo.ok(&["lock", "--upgrade", "kubernetes"]);
    assert_eq!(site.lock().images, locked.images);

    // The text that is locked is lost: said, with the way on.
    fs::write(&path, bundle_format::layout::lock_bytes(&older).unwrap()).unwrap();
    fs::remove_file(demo.path("cache/kubeferry/blobs/sha256").join(stands_for(&old).hex()))
        .unwrap();
    let error = demo.fails(&["lock", "--upgrade", "pause"]);
    assert!(error.contains("--upgrade calico"), "{error}");
    // A file beside the spec is its author's own.
    site.manifest("replicas: 7");
    let said = demo.ok(&["lock", "--upgrade", "pause", "--upgrade", "calico"]);
    assert!(said.contains("    +  replicas: 7\n"), "{said}");
}
