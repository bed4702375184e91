//! An application that comes as a Helm chart: in the bundle, in the cluster, and taken over by helm
//! on site, with the commands of `docs/charts.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::{Line, Node, built};

use crate::application::{kubectl, try_kubectl, wait};
use crate::support::{ConnectedHost, succeed};

/// A manifest for the spec, and the values that it names.
const MANIFEST: &str = "  - name: greeting\n    chart: {from: greeting, values: [site.yaml]}\n";
const VALUES: &str = "greeting: hello from the spec\nreplicas: 2\n";
/// What the page says by these values, and by helm's.
pub(crate) const OF_SPEC: &str = "hello from the spec";
pub(crate) const OF_HELM: &str = "hello from helm";
/// A line of the cluster file by which the installer leaves the application to helm.
pub(crate) const SKIP: &str = "skipManifests: [greeting]\n";
const PODS: [&str; 6] =
    ["get", "pods", "-l", "app=greeting", "-o", "jsonpath={.items[*].metadata.uid}"];
/// What the page calls the chart and the bundle.
const NAMES: [(&str, &str); 2] = [("web", "greeting"), ("demo.tar", "lab.tar")];

/// The options of the page's command that helm needs only once.
const ONCE: &str = " --take-ownership --server-side=false";

/// A helm, which the connected host has, and the site.
pub(crate) struct Chart {
    helm: PathBuf,
}

impl Chart {
    /// None, with the word why, where the chart is not tried.
    pub(crate) fn find() -> Option<Self> {
        if Line::of_tests().unwrap() != Line::default() {
            println!("skipped: a chart is tried on the newest line");
            return None;
        }
        let Some((_, helm)) = built::programs("helm").pop() else {
            println!("skipped: no helm: `scripts/tools` builds it");
            return None;
        };
        Some(Self { helm })
    }

    /// The lab's bundle with the chart, and what an operator takes out of it.
    pub(crate) fn bundle(&self, host: &ConnectedHost) -> PathBuf {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/greeting");
        succeed(Command::new("cp").arg("-r").arg(own).arg(host.folder()));
        fs::write(host.folder().join("site.yaml"), VALUES).unwrap();
        let bundle = host.bundle_with_manifests(MANIFEST, &[self.helm.parent().unwrap()]);
        let made = host.folder().join("lab.yaml.rendered/greeting.yaml");
        let made = fs::read_to_string(made).unwrap();
        assert!(made.contains("# left out: Pod greeting-test (test)\n"), "{made}");
        let extract = command("bundler extract ");
        host.bundler(&extract.split(' ').skip(1).collect::<Vec<_>>());
        bundle
    }

    /// Lets helm take the application over, and change it.
    pub(crate) fn assert_helm_takes_over(&self, host: &ConnectedHost, master: &Node) {
        self.bring(host, master);
        let before = kubectl(master, &PODS);
        let take_over = command("helm upgrade ");
        helm(master, &take_over);
        assert_eq!(kubectl(master, &PODS), before, "the same pods go on");
        let later = take_over.strip_suffix(ONCE).unwrap();
        helm(master, &format!("{later} --set greeting='{OF_HELM}'"));
        assert_greets(master, OF_HELM);
    }

    /// Brings helm, the chart and its values to the master.
    fn bring(&self, host: &ConnectedHost, master: &Node) {
        master.run(["mkdir", "-p", "/root/charts"]).unwrap();
        for name in ["charts/greeting.tgz", "site.yaml"] {
            master.copy(&host.folder().join(name), &format!("/root/{name}")).unwrap();
        }
        master.copy(&self.helm, "/usr/local/bin/helm").unwrap();
    }
}

/// The chart's pods serve what the spec says.
pub(crate) fn assert_runs(master: &Node) {
    assert_greets(master, OF_SPEC);
    assert_eq!(kubectl(master, &PODS).split(' ').count(), 2, "as the spec says");
    let test = ["get", "pod", "greeting-test", "--ignore-not-found", "-o", "name"];
    assert_eq!(kubectl(master, &test), "");
}

/// Runs helm on a master, which must succeed.
fn helm(master: &Node, line: &str) {
    let said = master.run(["sh", "-c", &format!("cd /root && timeout 120 {line}")]).unwrap();
    println!("{said}");
    assert!(said.contains("STATUS: deployed"), "{said}");
}

/// The command of the page's that begins so, with the names of here.
fn command(begin: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/charts.md");
    let page = fs::read_to_string(page).unwrap();
    let line = page.lines().find(|line| line.starts_with(begin)).unwrap();
    NAMES.iter().fold(line.to_owned(), |line, (name, here)| line.replace(name, here))
}

/// The pods are Ready, and the Service has this page, by its name from another pod.
pub(crate) fn assert_greets(master: &Node, greeting: &str) {
    kubectl(master, &["rollout", "status", "--timeout", "120s", "deploy/greeting"]);
    let url = "http://greeting.default.svc.cluster.local/";
    let ask = ["exec", "deploy/web", "--", "busybox", "timeout", "10", "wget", "-qO-", url];
    wait(&format!("the Service to say `{greeting}`"), || {
        try_kubectl(master, &ask).is_some_and(|said| said == greeting)
    });
}
