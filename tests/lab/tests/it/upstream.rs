//! Our bundler against the lab's upstream: a signed yum repository, a registry
//! with TLS and tokens, manifests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use lab::{Line, Places, products};
use serde_json::Value;

use crate::support::{ConnectedHost, connected_host, succeed};

#[test]
fn a_bundle_comes_from_the_upstream_with_the_packages_that_dnf_chooses() {
    let Some(host) = connected_host() else { return };
    let (lock, bundle) = host.bundle();
    let said = host.bundler(&["verify", "--quiet", bundle.to_str().unwrap()]);
    assert!(said.starts_with("good: "), "{said}");
    assert_eq!(package_files(&lock), chosen_by_dnf(&host));
    let audit = host.bundler(&["audit", "--json", bundle.to_str().unwrap()]);
    let audit: Value = serde_json::from_str(&audit).unwrap();
    let audited = audit["audited"].as_array().unwrap();
    let by = |who: &'static str| audited.iter().filter(move |one| one["voucher"]["by"] == who);
    assert_eq!(by("signature").count(), lock["rpms"].as_array().unwrap().len());
    let unvouched: Vec<&Value> = by("nobody").collect();
    assert!(unvouched.is_empty(), "nobody vouches for these: {unvouched:?}");
    assert_has_a_page(&host, &bundle);
    // An index whose other platform is absent, and an image of docker's types.
    let image = |name: &str| {
        let images = lock["images"].as_array().unwrap();
        images.iter().find(|image| image["name"].as_str().unwrap().contains(name)).unwrap()
    };
    let media_type = |name: &str| image(name)["root"]["mediaType"].as_str().unwrap().to_owned();
    assert_eq!(media_type("flannel:"), "application/vnd.oci.image.index.v1+json");
    assert_eq!(image("flannel:")["platforms"].as_array().unwrap().len(), 1);
    assert_eq!(media_type("web"), "application/vnd.docker.distribution.manifest.v2+json");
}

/// The page about the bundle has its answers, and nothing for which nobody vouches.
fn assert_has_a_page(host: &ConnectedHost, bundle: &Path) {
    let page = host.folder().join("report.html");
    let paths = [bundle, &page].map(|path| path.to_str().unwrap());
    host.bundler(&["report", "--quiet", paths[0], "--output", paths[1]]);
    let page = fs::read_to_string(&page).unwrap();
    let kubernetes =
        format!("<strong>Kubernetes {}</strong>", Line::of_tests().unwrap().kubernetes);
    let questions = [
        "What is it?",
        "What changed?",
        "Who vouches for it?",
        "What is there to worry about?",
        &kubernetes,
    ];
    for words in questions {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("nobody vouches:"));
}

/// File names of the packages in a lock.
fn package_files(lock: &Value) -> BTreeSet<String> {
    let rpms = lock["rpms"].as_array().unwrap();
    let source =
        |rpm: &Value| rpm["source"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    rpms.iter().map(source).collect()
}

/// What dnf would download in the nodes' base for what the spec asks for.
fn chosen_by_dnf(host: &ConnectedHost) -> BTreeSet<String> {
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/targets/el9.yaml");
    let profile = fs::read_to_string(profile).unwrap();
    let base = profile.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let base = base.filter_map(|entry| entry.split_whitespace().next());
    let line = Line::of_tests().unwrap();
    let asked = ["kubelet", "kubeadm", "kubectl"].map(|name| format!("{name}-{}", line.kubernetes));
    // kubeadm's package does not ask for crictl any more, and our installer does.
    let runtime = format!("containerd.io-{}", line.containerd);
    let folder = host.folder().join("dnf");
    for name in ["upper", "work", "root"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let script = r#"
        set -e
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
        mount -t proc proc "$2/root/proc"
        root=$2/root
        shift 2
        exec chroot "$root" dnf -y --quiet "$@"
    "#;
    let mut dnf = Command::new("unshare");
    dnf.args(["--mount", "sh", "-c", script, "sh"]);
    dnf.arg(products::base(&Places::find().unwrap()).unwrap()).arg(&folder);
    for repository in ["os", "kubernetes", "docker-ce"] {
        let url = format!("http://{}/{repository}/", lab::upstream::serve::FILES);
        dnf.arg(format!("--repofrompath={repository},{url}"));
        dnf.arg(format!("--setopt={repository}.gpgcheck=0"));
    }
    dnf.args(["install", "--downloadonly", "--downloaddir=/downloaded"]);
    succeed(dnf.args(asked).args([&runtime, "cri-tools"]).args(base));
    let files = fs::read_dir(folder.join("upper/downloaded")).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_lock_of_another_day_differs_where_the_upstream_does() {
    let Some(host) = connected_host() else { return };
    let (first, again) = (host.lock("first"), host.lock("again"));
    assert_eq!(first, again);
    host.upstream.next_day().unwrap();
    let next = host.lock("next");
    let mut changed = BTreeSet::new();
    compare("", &first, &next, &mut changed);
    let expected = [
        "rpms[socat].digest",
        "rpms[socat].package",
        "rpms[socat].size",
        "rpms[socat].source",
        "targets[el9-x86_64].repositories[os].repomd",
        "targets[el9-x86_64].repositories[os].revision",
        "targets[el9-x86_64].requested[socat]",
    ];
    // Another package may have the same size to the byte.
    changed.insert("rpms[socat].size".to_owned());
    assert_eq!(changed, expected.map(str::to_owned).into());
}

/// Collects the places at which two JSON texts differ; an entry of a list is
/// called by its name.
fn compare(path: &str, old: &Value, new: &Value, changed: &mut BTreeSet<String>) {
    match (old, new) {
        (Value::Object(one), Value::Object(two)) if one.keys().eq(two.keys()) => {
            for (key, value) in one {
                compare(format!("{path}.{key}").trim_start_matches('.'), value, &two[key], changed);
            }
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            for (value, other) in one.iter().zip(two) {
                compare(&format!("{path}[{}]", name(value)), value, other, changed);
            }
        }
        _ if old == new => {}
        _ => {
            changed.insert(path.to_owned());
        }
    }
}

/// What a person would call an entry; the version of a package is no part of it.
fn name(entry: &Value) -> String {
    let called = ["id", "package", "name", "title"].iter().find_map(|key| entry[*key].as_str());
    let called = called.or(entry.as_str()).unwrap_or("?");
    if called.starts_with("socat-") { "socat".to_owned() } else { called.to_owned() }
}
