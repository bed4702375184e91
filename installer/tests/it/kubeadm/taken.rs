//! The documents, taken by the kubeadm of each release: it finds nothing wrong with
//! them, changes nothing when it writes them itself, and does what they say.

use std::collections::BTreeSet;

use bundle_format::cluster::Cluster;
use bundle_format::kubeadm::{ConfigVersion, default_repository};
use serde_json::{Map, Value, json};

use super::documents_for;
use super::real::{Kubeadm, documents, lost};

/// Cluster files, each with the first minor release that it is for.
const CLUSTERS: [(&str, u32, &str); 9] = [
    ("the defaults", 0, "{}"),
    ("ipvs, and cgroupfs", 0, "{proxyMode: ipvs, cgroupDriver: cgroupfs}"),
    ("nftables", 31, "{proxyMode: nftables}"),
    (
        "labels and taints",
        0,
        "nodes:\n\
         - name: node-1\n  address: 10.0.0.2\n  labels: {disk: ssd, site.org/rack: '07', e: ''}\n  \
         taints: ['gpu=yes:NoExecute', 'x:NoSchedule']\n",
    ),
    ("a master for all pods", 0, "nodes: [{name: node-1, address: 10.0.0.2, taints: []}]"),
    (
        "arguments of the control plane",
        0,
        "kubeadm:\n  apiServer: {audit-log-maxage: 30, profiling: false, v: '2'}\n  \
         controllerManager: {node-cidr-mask-size: 25}\n  scheduler: {v: 4}\n",
    ),
    (
        "another endpoint, and other networks",
        0,
        "{endpoint: 'k8s.site.org:8443', podCidr: 172.20.0.0/15, serviceCidr: 172.30.0.0/16}",
    ),
    (
        "settings of kubelet",
        0,
        "kubelet:\n  maxPods: 200\n  evictionHard: {memory.available: 5%, nodefs.available: 10%}\n  \
         serializeImagePulls: false\n  shutdownGracePeriod: 1m30s\n  \
         featureGates: {NodeSwap: true}\n  memorySwap: {swapBehavior: LimitedSwap}\n",
    ),
    ("version 1 of control groups", 31, "kubelet: {failCgroupV1: false}"),
];

/// Folders of kubeadm's images: the default, and a site's.
const FOLDERS: [&str; 2] = ["registry.k8s.io", "r.site:5000/k8s"];

/// What kubeadm may say of a file that it takes: the site chose this mode.
const DEPRECATED: &str = "\"ipvs\" which has been deprecated since version v1.35";

fn parsed(text: &str) -> Cluster {
    serde_saphyr::from_str(text).unwrap()
}

/// Each kubeadm, with each cluster file for it, and the documents for a master and a
/// worker.
fn each(mut judge: impl FnMut(&Kubeadm, &str, &str)) {
    for kubeadm in Kubeadm::all() {
        let version = kubeadm.version.to_string();
        for (what, since, cluster) in CLUSTERS {
            if kubeadm.version.minor() < since {
                continue;
            }
            for folder in FOLDERS {
                for text in documents_for(&version, folder, &parsed(cluster)) {
                    judge(&kubeadm, &format!("kubeadm {version}, {what}, {folder}"), &text);
                }
            }
        }
    }
}

#[test]
fn kubeadm_finds_nothing_wrong() {
    each(|kubeadm, of, text| {
        let said = kubeadm.validate(text).unwrap_or_else(|why| panic!("{of}: {why}\n{text}"));
        let said: Vec<&str> = said.lines().filter(|line| !line.contains(DEPRECATED)).collect();
        assert_eq!(said, [""; 0], "{of}");
    });
}

#[test]
fn kubeadm_would_write_the_same() {
    each(|kubeadm, of, text| {
        let (ours, its) = (documents(text), kubeadm.migrated(text));
        let api = ConfigVersion::of(&kubeadm.version).to_string();
        for (kind, document) in &ours {
            // It writes those of kubelet and kube-proxy only into the cluster.
            if document["apiVersion"] == json!(api) {
                let mut lost = lost(document, its.get(kind), kind);
                // kubeadm 1.30 reads it, and loses it when it writes (measured).
                let is_its_fault = |one: &String| {
                    kubeadm.version.minor() == 30
                        && one.starts_with("JoinConfiguration.discovery.timeout")
                };
                lost.retain(|one| !is_its_fault(one));
                assert_eq!(lost, [""; 0], "{of}");
            }
        }
        let wanted: BTreeSet<&String> = ours
            .iter()
            .filter(|(_, one)| one["apiVersion"] == json!(api))
            .map(|one| one.0)
            .collect();
        assert_eq!(its.keys().collect::<BTreeSet<_>>(), wanted, "{of}");
    });
}

/// A cluster file that says much.
const MUCH: &str = "\
    endpoint: k8s.site.org:8443\n\
    nodes: [{name: node-1, address: 10.0.0.2, labels: {disk: ssd, a: ''}, taints: ['gpu=yes:NoExecute']}]\n\
    cgroupDriver: cgroupfs\n\
    kubelet: {maxPods: 200, evictionHard: {memory.available: 5%}}\n\
    kubeadm: {apiServer: {audit-log-maxage: 30}, scheduler: {v: 4}}\n";

#[test]
fn kubeadm_does_what_they_say() {
    for kubeadm in Kubeadm::all() {
        let version = &kubeadm.version;
        let mut cluster = parsed(MUCH);
        if version.minor() >= 31 {
            cluster.kubelet.insert("failCgroupV1".to_owned(), false.into());
        }
        let [init, ..] = documents_for(&version.to_string(), "r.site:5000/k8s", &cluster);
        let made = kubeadm.made(&init);
        let settings: Value = serde_saphyr::from_str(&made["config.yaml"]).unwrap();
        let of_kubelet = &documents(&init)["KubeletConfiguration"];
        assert_eq!(lost(of_kubelet, Some(&settings), "kubelet"), [""; 0], "kubeadm {version}");
        let flags = &made["kubeadm-flags.env"];
        for flag in ["--node-ip=10.0.0.2", "--node-labels=a=,disk=ssd"] {
            assert!(flags.contains(flag), "kubeadm {version}: {flag}: {flags}");
        }
        for (file, argument) in [
            ("init", "by adding the taints [gpu=yes:NoExecute]"),
            ("kube-apiserver.yaml", "--audit-log-maxage=30"),
            ("kube-apiserver.yaml", "--advertise-address=10.0.0.2"),
            ("kube-apiserver.yaml", &format!("image: r.site:5000/k8s/kube-apiserver:v{version}")),
            ("kube-controller-manager.yaml", "--cluster-cidr=10.244.0.0/16"),
            ("kube-scheduler.yaml", "--v=4"),
            ("admin.conf", "server: https://k8s.site.org:8443"),
        ] {
            assert!(made[file].contains(argument), "kubeadm {version}: {argument}: {}", made[file]);
        }
    }
}

#[test]
fn kube_proxy_gets_the_mode_from_kubeadm() {
    for kubeadm in Kubeadm::all() {
        let version = kubeadm.version.to_string();
        for mode in ["iptables", "ipvs", "nftables"] {
            let cluster = parsed(&format!("proxyMode: {mode}"));
            let [init, ..] =
                documents_for(&version, default_repository(&kubeadm.version), &cluster);
            let made = &kubeadm.made(&init)["init"];
            let (_, told) = made.split_once("kind: KubeProxyConfiguration").unwrap();
            let told = told.lines().find_map(|line| line.trim().strip_prefix("mode: "));
            assert_eq!(told, Some(mode), "kubeadm {version}");
        }
    }
}

/// A document of kubelet with every field of our table.
fn all_fields() -> Map<String, Value> {
    let table = include_str!("../../../../bundle-format/src/cluster/kubelet.txt");
    let mut all = json!({});
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (path, kind) = (words.next().unwrap(), words.next().unwrap());
        let value = match kind {
            "switch" => json!(true),
            "number" => json!(1),
            "fraction" => json!(0.5),
            "text" => json!("x"),
            "duration" => json!("1m0s"),
            "list" => json!(["x"]),
            "texts" => json!({"x": "y"}),
            "switches" | "keys" => json!({}),
            _ => Value::Null,
        };
        let mut place = &mut all;
        for name in path.split('.') {
            let (name, is_list) =
                name.strip_suffix("[]").map_or((name, false), |name| (name, true));
            place = &mut place[name];
            if is_list {
                if place.is_null() {
                    *place = json!([{}]);
                }
                place = &mut place[0];
            }
        }
        if place.is_null() {
            *place = value;
        }
    }
    all.as_object().unwrap().clone()
}

#[test]
fn kubelet_has_the_fields_that_the_table_says() {
    for kubeadm in Kubeadm::all() {
        let version = &kubeadm.version;
        let mut cluster = Cluster { kubelet: all_fields(), ..Cluster::default() };
        let unknown: BTreeSet<String> = cluster
            .settings_not_of(version.minor())
            .iter()
            .map(|one| one.to_string().split(": ").next().unwrap().replacen("kubelet.", "", 1))
            .collect();
        let init = |cluster: &Cluster| {
            let [init, ..] = documents_for(&version.to_string(), FOLDERS[0], cluster);
            init
        };
        let refused = kubeadm.validate(&init(&cluster)).err().unwrap_or_default();
        let named = refused.split("unknown field \"").skip(1);
        let named = named.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
        assert_eq!(named.collect::<BTreeSet<_>>(), unknown, "kubeadm {version}: {refused}");
        // Without them it takes all others.
        for path in &unknown {
            let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
            let mut place = &mut cluster.kubelet;
            for name in parent.split('.').filter(|name| !name.is_empty()) {
                place = place[name].as_object_mut().unwrap();
            }
            place.remove(name);
        }
        kubeadm.validate(&init(&cluster)).unwrap_or_else(|why| panic!("kubeadm {version}: {why}"));
    }
}
