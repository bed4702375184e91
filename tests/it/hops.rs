//! A bundle with the releases between the one that clusters have and its own.

use std::fs;

use bundle_format::Lock;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::LOCK_VERSION_WITH_HOPS;
use upstream::Upstream;

use crate::kubeadm_asked::can_confine;
use crate::support::demo::Demo;

const LOCK: &str = "bundle.yaml.lock.json";

/// A demo whose spec goes from 1.28.2 to 1.31.90; none where its kubeadms cannot be asked for
/// their images, because no table has their releases.
pub(crate) fn start() -> Option<Demo> {
    if !can_confine() {
        return None;
    }
    let demo = Demo::of(Upstream::start_with_minors().unwrap());
    let spec = demo.spec().replace("version: 1.28.2", "version: 1.31.90\n  from: 1.28.2");
    demo.write_spec(&spec.replace("URL/kubernetes/", "URL/v$minor/"));
    Some(demo)
}

fn lock_of(demo: &Demo) -> Lock {
    Lock::parse(fs::read(demo.path(LOCK)).unwrap()).unwrap()
}

#[test]
fn what_a_cluster_needs_on_its_way_is_in_one_bundle_once() {
    let Some(demo) = start() else { return };
    let said = demo.run(&["lock"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("and the hops 1.29.90, 1.30.90 in "), "{said}");
    let lock = lock_of(&demo);
    assert_eq!(lock.lock_version, LOCK_VERSION_WITH_HOPS);
    for hop in &lock.hops {
        let version = hop.kubernetes.as_str();
        for name in ["kubelet", "kubeadm", "kubectl"] {
            let rpm = hop.rpms.iter().find(|rpm| rpm.package.name == name).unwrap();
            assert_eq!(rpm.package.evr.version, version);
            assert!(rpm.source.as_str().contains("/v1."), "{}", rpm.source);
        }
        assert_eq!(hop.images.len(), 7, "kubeadm's only");
        let url = format!("{}/v1.{}/", demo.upstream.url(), hop.kubernetes.minor());
        assert!(hop.targets[0].repositories.iter().any(|one| one.base_url.as_str() == url));
    }
    // A lock is the same each time.
    let before = fs::read(demo.path(LOCK)).unwrap();
    demo.ok(&["lock"]);
    demo.ok(&["lock", "--check"]);
    demo.ok(&["lock", "--offline"]);
    assert!(before == fs::read(demo.path(LOCK)).unwrap());

    demo.ok(&["build", "-q", "--locked"]);
    let fetched = demo.upstream.requests();
    fs::rename(demo.path("demo.tar"), demo.path("first.tar")).unwrap();
    demo.ok(&["build", "-q"]);
    assert_eq!(demo.upstream.requests(), fetched, "the second build downloads nothing");
    assert!(fs::read(demo.path("demo.tar")).unwrap() == fs::read(demo.path("first.tar")).unwrap());
    demo.ok(&["verify", "demo.tar"]);
    let titles = demo.ok(&["extract", "demo.tar", "--list"]);
    for title in [
        "rpms/el9-x86_64/kubelet-1.31.90-150500.1.1.x86_64.rpm",
        "hops/1.29.90/rpms/el9-x86_64/kubelet-1.29.90-150500.1.1.x86_64.rpm",
        "hops/1.29.90/rpms/el9-x86_64/repodata/repomd.xml",
        "hops/1.30.90/keys/el9-x86_64/kubernetes-1.asc",
        "images/registry.k8s.io/kube-proxy/v1.30.90.tar",
    ] {
        assert!(titles.lines().any(|line| line == title), "{title}: {titles}");
    }
    assert_eq!(titles.matches("images/registry.k8s.io/pause/").count(), 1, "{titles}");
}

#[test]
fn each_release_of_a_bundle_is_a_bundle_of_its_own() {
    let Some(demo) = start() else { return };
    demo.ok(&["build", "-q"]);
    let open = || Bundle::open(&demo.path("demo.tar")).unwrap();
    let whole = open();
    let releases: Vec<String> = whole.releases().map(ToString::to_string).collect();
    assert_eq!(releases, ["1.29.90", "1.30.90", "1.31.90"]);
    let mut digests = Vec::new();
    for release in whole.releases() {
        let own = open().at(release).unwrap();
        assert_eq!(own.lock().kubernetes, *release);
        assert_eq!(own.index_digest(), whole.digest_of(release).unwrap());
        let titles: Vec<String> = own.contents().iter().map(|one| one.path.to_string()).collect();
        let kubelet = format!("rpms/el9-x86_64/kubelet-{release}-150500.1.1.x86_64.rpm");
        assert!(titles.contains(&kubelet), "{titles:?}");
        let is_last = release.minor() == 31;
        assert_eq!(titles.iter().any(|title| title.starts_with("manifests/")), is_last);
        assert_eq!(own.lock().manifests.len(), if is_last { 2 } else { 0 });
        assert!(bundle_format::archive::verify::verify(&own, |_| ()).report().is_none());
        digests.push(own.index_digest());
    }
    digests.dedup();
    assert_eq!(digests.len(), 3);
}

#[test]
fn a_hop_is_shown_and_found_by_its_names() {
    let Some(demo) = start() else { return };
    demo.ok(&["build", "-q"]);
    for held in ["demo.tar", LOCK] {
        let shown = demo.ok(&["inspect", held]);
        assert!(shown.contains("hops        1.29.90, 1.30.90\n"), "{shown}");
        assert!(shown.contains("hop 1.30.90: 5 packages and 4 images of its own"), "{shown}");
        assert!(
            shown.contains("\n  kubelet-1.30.90-150500.1.1.x86_64  kubernetes for el9-x86_64\n")
        );
    }
    let why = demo.ok(&["why", "kubelet-1.29.90"]);
    assert!(
        why.starts_with("on the way to 1.31.90, for the hop 1.29.90:\nkubelet-1.29.90"),
        "{why}"
    );
    assert!(why.contains("the spec asks for it: kubernetes.from, line "), "{why}");
    assert!(demo.ok(&["why", "kubelet"]).starts_with("kubelet-1.31.90"));
    demo.ok(&["extract", "demo.tar", "kubelet-1.29.90", "kube-proxy:v1.30.90"]);
    let path = "hops/1.29.90/rpms/el9-x86_64/kubelet-1.29.90-150500.1.1.x86_64.rpm";
    assert!(demo.path(path).is_file());
    assert!(demo.path("images/registry.k8s.io/kube-proxy/v1.30.90.tar").is_file());

    let audited = demo.ok(&["audit", "demo.tar"]);
    for words in [
        "\n  rpm el9-x86_64 kubelet-1.31.90-150500.1.1.x86_64\n",
        "\n  hop 1.30.90: rpm el9-x86_64 kubelet-1.30.90-150500.1.1.x86_64\n",
        "\n  hop 1.29.90: image registry.k8s.io/kube-proxy:v1.29.90\n",
        "\n  hop 1.29.90: key keys/el9-x86_64/kubernetes-1.asc\n",
    ] {
        assert!(audited.contains(words), "{words}: {audited}");
    }
    assert!(!audited.contains("hop 1.29.90: rpm el9-x86_64 tar-"), "{audited}");

    // What another `from` brings.
    fs::rename(demo.path("demo.tar"), demo.path("before.tar")).unwrap();
    demo.write_spec(&demo.spec().replace("from: 1.28.2", "from: 1.29.90"));
    let changed = demo.ok(&["lock"]);
    assert!(changed.contains("- hop 1.29 1.29.90\n"), "{changed}");
    assert!(changed.contains("- hop 1.29 rpm el9-x86_64 kubelet.x86_64 1.29.90-150500.1.1\n"));
    demo.ok(&["build", "-q"]);
    assert!(demo.ok(&["diff", "before.tar", "demo.tar"]).contains("- hop 1.29 1.29.90\n"));
    // Nothing between.
    demo.write_spec(&demo.spec().replace("from: 1.29.90", "from: 1.30.1"));
    demo.ok(&["lock"]);
    let text = fs::read_to_string(demo.path(LOCK)).unwrap();
    assert!(text.starts_with("{\n  \"lockVersion\": 1,") && !text.contains("\"hops\""), "{text}");
}

#[test]
fn a_wrong_from_is_told_at_once() {
    let Some(demo) = start() else { return };
    for (from, words) in [
        ("1.32.0", "kubernetes.from is 1.32.0, which is newer than the version 1.31.90"),
        ("1.31.91", "which is newer than the version 1.31.90"),
        ("1.27.4", "the installer upgrades only from 1.28 on"),
        ("1.28", "write all three numbers"),
    ] {
        demo.write_spec(&demo.spec().replace("from: 1.28.2", &format!("from: {from}")));
        let error = demo.fails(&["lock"]);
        assert!(error.contains(words) && error.contains("bundle.yaml:"), "{error}");
        demo.write_spec(&demo.spec().replace(&format!("from: {from}"), "from: 1.28.2"));
    }
    let good = demo.spec();
    let many = good.replace("version: 1.31.90", "version: 1.38.0");
    let listed = good.replacen("  repository:", "  kubeadmImages: listed\n  repository:", 1);
    let of_one = good.replace("URL/v$minor/\n", "URL/v1.31/\n");
    for (spec, words) in [
        (many, "there are 9 minor releases in between, and a bundle has at most 8"),
        (listed, "`kubeadmImages: listed` has the images of one release only"),
        (of_one, "repository `kubernetes` has only v1.31"),
    ] {
        demo.write_spec(&spec);
        let error = demo.fails(&["lock"]);
        assert!(error.contains(words), "{words}: {error}");
    }
    // A minor release whose repository is not there, or has no such packages.
    let elsewhere = good.replace("URL/v$minor/\n", "URL/nowhere-$minor/\n");
    demo.write_spec(&elsewhere);
    let error = demo.fails(&["lock"]);
    assert!(error.contains("nowhere-1.31/repodata/repomd.xml"), "{error}");
    demo.write_spec(&good.replace("v$minor", "newest"));
    let error = demo.fails(&["lock"]);
    for words in [
        "the hop 1.29, on the way to 1.31.90",
        "repository `kubernetes` of target el9-x86_64 has no kubelet, kubeadm and kubectl of 1.29: \
         write `$minor` where the repository's URLs name the minor release",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_lock_with_hops_that_make_no_sense_is_refused() {
    let Some(demo) = start() else { return };
    demo.ok(&["lock"]);
    let good = fs::read_to_string(demo.path(LOCK)).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
        change(&mut value);
        Lock::parse(value.to_string().as_bytes()).unwrap_err().to_string()
    };
    for (error, words) in [
        (with(&|lock| lock["lockVersion"] = 1.into()), "a lock with 2 hops has version 2"),
        (
            with(&|lock| drop(lock.as_object_mut().unwrap().remove("hops"))),
            "a lock with 0 hops has version 1",
        ),
        (
            with(&|lock| lock["hops"].as_array_mut().unwrap().reverse()),
            "is not one minor release before what follows it",
        ),
        (
            with(&|lock| drop(lock["hops"].as_array_mut().unwrap().pop())),
            "the hop 1.29.90 is not one minor release before",
        ),
        (
            with(&|lock| lock["hops"][0]["targets"][0]["id"] = "el8-x86_64".into()),
            "the hop 1.29.90 is for other targets",
        ),
        (
            with(&|lock| lock["hops"][0]["targets"][0]["repositories"][1]["keys"] = [0; 0].into()),
            "the hop 1.29.90: repository el9-x86_64/kubernetes: it has no keys",
        ),
        (
            with(&|lock| lock["hops"][1]["images"][0]["root"]["digest"] = lock["spec"].clone()),
            "is another image than",
        ),
        (with(&|lock| lock["hops"][0]["rpms"][0]["size"] = 1.into()), "has two sizes"),
        (with(&|lock| lock["hops"][0]["hops"] = serde_json::json!([])), "unknown field `hops`"),
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // What is edited by hand does not fit its spec.
    let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
    value["hops"].as_array_mut().unwrap().remove(0);
    fs::write(demo.path(LOCK), value.to_string()).unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(
        error.contains("the list of hops is `1.30`, but the spec says `1.29, 1.30`"),
        "{error}"
    );
}

#[test]
fn a_hop_stays_in_its_locked_release_until_kubernetes_is_upgraded() {
    let Some(demo) = start() else { return };
    let spec = demo.spec();
    demo.write_spec(&spec.replace("URL/v$minor", "URL/old-v$minor"));
    demo.ok(&["lock"]);
    let hops = |demo: &Demo| -> Vec<String> {
        lock_of(demo).hops.iter().map(|hop| hop.kubernetes.to_string()).collect()
    };
    assert_eq!(hops(&demo), ["1.29.80", "1.30.90"]);
    demo.write_spec(&spec);
    for name in ["tar", "kube-proxy:v1.29.80", "kubelet-1.29.80-150500.1.1.x86_64"] {
        demo.ok(&["lock", "--upgrade", name]);
        assert_eq!(hops(&demo), ["1.29.80", "1.30.90"], "{name}");
    }
    demo.ok(&["build", "-q"]);
    let error = demo.fails(&["lock", "--upgrade", "kubelet-1.27.1"]);
    assert!(error.contains("the lock holds nothing called"), "{error}");
    let changed = demo.ok(&["lock", "--upgrade", "kubernetes"]);
    assert!(changed.contains("~ hop 1.29 1.29.80 -> 1.29.90\n"), "{changed}");
    assert_eq!(hops(&demo), ["1.29.90", "1.30.90"]);
    let locked = lock_of(&demo);
    demo.ok(&["lock"]);
    assert!(lock_of(&demo) == locked);
}

#[test]
fn local_files_of_a_hop_are_watched_like_all_others() {
    let Some(demo) = start() else { return };
    let place = demo.upstream.key_path("v1.29");
    let root = place.ancestors().nth(3).unwrap().display().to_string();
    for minor in [29, 30, 31] {
        let key = demo.upstream.key_path(&format!("v1.{minor}"));
        fs::copy(key, demo.path(&format!("v1.{minor}.asc"))).unwrap();
    }
    let spec = demo.spec().replace("[URL/v$minor/repodata/repomd.xml.key]", "[v$minor.asc]");
    demo.write_spec(&spec.replace("URL/v$minor/", &format!("file://{root}/v$minor/")));
    demo.ok(&["lock"]);
    let inputs: Vec<String> = lock_of(&demo).inputs.into_iter().map(|own| own.path).collect();
    assert_eq!(inputs, ["v1.29.asc", "v1.30.asc", "v1.31.asc"]);
    demo.ok(&["build", "-q"]);
    let good = fs::read(demo.path("v1.29.asc")).unwrap();
    fs::write(demo.path("v1.29.asc"), [&good[..], b"\n"].concat()).unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains("the key v1.29.asc has changed since the lock was made"), "{error}");
    fs::write(demo.path("v1.29.asc"), good).unwrap();
    let package = "v1.30/Packages/kubelet-1.30.90-150500.1.1.x86_64.rpm";
    fs::write(format!("{root}/{package}"), "another").unwrap();
    let error = demo.fails(&["build", "-q"]);
    let words = "kubelet-1.30.90-150500.1.1.x86_64 has changed since the lock was made";
    assert!(error.contains(words), "{error}");
    // The bundle does not replace what it is made from.
    let output = format!("{root}/{package}");
    let error = demo.fails(&["build", "-q", "--output", &output]);
    assert!(error.contains("exists, and it is no bundle"), "{error}");
}
