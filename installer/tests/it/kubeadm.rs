//! What kubeadm is told, by release.

mod real;
mod taken;

use bundle_format::Digest;
use bundle_format::cluster::{Cluster, NodeName, ProxyMode};
use insta::assert_snapshot;
use installer::node::join::JoinFile;
use installer::node::kubeadm::{Settings, init_configuration, join_configuration};

use crate::node::join::{TOKEN, for_master, join_file};
use crate::pages::settings;

fn name(text: &str) -> NodeName {
    NodeName::try_from(text.to_owned()).unwrap()
}

/// The documents for init and for join, where the sandbox image is in `folder`.
fn documents(kubernetes: &str, folder: &str, proxy_mode: ProxyMode) -> [String; 2] {
    let cluster = Cluster { proxy_mode, ..Cluster::default() };
    let [init, join, _] = documents_for(kubernetes, folder, &cluster);
    [init, join]
}

/// The documents for init, and for join as a worker and as a master.
fn documents_for(kubernetes: &str, folder: &str, cluster: &Cluster) -> [String; 3] {
    let settings = Settings {
        kubernetes: &kubernetes.parse().unwrap(),
        sandbox: Some(&format!("{folder}/pause:3.9").parse().unwrap()),
        cluster,
        endpoint: cluster.endpoint.clone().unwrap_or_else(|| "10.0.0.1:6443".to_owned()),
        name: &name("node-1"),
        address: [10, 0, 0, 2].into(),
        cgroup_v1: true,
    };
    let of = |join: &JoinFile| join_configuration(&settings, join).unwrap();
    let [worker, master] = [join_file(cluster.clone()), for_master(cluster.clone())];
    [init_configuration(&settings).unwrap(), of(&worker), of(&master)]
}

const PATH: &str = "  criSocket: /run/containerd/containerd.sock\n";
const URL: &str = "  criSocket: unix:///run/containerd/containerd.sock\n";
const MAP: &str = "  kubeletExtraArgs:\n    node-ip: \"10.0.0.2\"\n";
const LIST: &str = "  kubeletExtraArgs:\n  - name: node-ip\n    value: \"10.0.0.2\"\n";
const OLD: &str = "k8s.gcr.io";
const NEW: &str = "registry.k8s.io";

/// Release, its API, its way to write the socket and kubelet's arguments, and
/// kubeadm's default repository.
const RELEASES: [(&str, &str, &str, &str, &str); 8] = [
    ("1.20.15", "v1beta2", PATH, MAP, OLD),
    ("1.21.14", "v1beta2", PATH, MAP, OLD),
    ("1.22.0", "v1beta3", PATH, MAP, OLD),
    ("1.24.0", "v1beta3", URL, MAP, OLD),
    ("1.28.2", "v1beta3", URL, MAP, NEW),
    ("1.30.14", "v1beta3", URL, MAP, NEW),
    ("1.31.0", "v1beta4", URL, LIST, NEW),
    ("1.37.2", "v1beta4", URL, LIST, NEW),
];

#[test]
fn the_documents_are_those_of_the_release() {
    for (kubernetes, api, socket, arguments, repository) in RELEASES {
        let registration = format!("nodeRegistration:\n  name: node-1\n{socket}{arguments}");
        let [init, join] = documents(kubernetes, repository, ProxyMode::Iptables);
        assert_eq!(
            init,
            format!(
                "# Written by kubeferry.\n\
                 apiVersion: kubeadm.k8s.io/{api}\nkind: ClusterConfiguration\n\
                 kubernetesVersion: v{kubernetes}\ncontrolPlaneEndpoint: 10.0.0.1:6443\n\
                 networking:\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/12\n\
                 ---\n\
                 apiVersion: kubeadm.k8s.io/{api}\nkind: InitConfiguration\n\
                 localAPIEndpoint:\n  advertiseAddress: \"10.0.0.2\"\n  bindPort: 6443\n\
                 {registration}\
                 ---\n\
                 apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
                 cgroupDriver: systemd\nclusterDNS:\n- \"10.96.0.10\"\n\
                 imageGCHighThresholdPercent: 100\n\
                 ---\n\
                 apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n\
                 mode: iptables\n"
            )
        );
        assert_eq!(
            join,
            format!(
                "# Written by kubeferry.\n\
                 apiVersion: kubeadm.k8s.io/{api}\nkind: JoinConfiguration\n\
                 discovery:\n  bootstrapToken:\n    apiServerEndpoint: 10.0.0.1:6443\n    \
                 token: {TOKEN}\n    caCertHashes:\n    - {}\n{}{registration}{}",
                Digest::of(b""),
                if api == "v1beta4" { "" } else { "  timeout: 1m0s\n" },
                if api == "v1beta4" { "timeouts:\n  discovery: 1m0s\n" } else { "" },
            )
        );
    }
}

#[test]
fn a_further_master_is_told_where_it_listens_and_how_to_read_the_keys() {
    for (kubernetes, api, socket, arguments, repository) in RELEASES {
        let [.., join] = documents_for(kubernetes, repository, &Cluster::default());
        let (head, rest) = join.split_once("nodeRegistration:\n").unwrap();
        assert!(head.contains("    apiServerEndpoint: api.site:6443\n"), "{head}");
        let timeouts = if api == "v1beta4" {
            "timeouts:\n  discovery: 1m0s\n  etcdAPICall: 10m0s\n"
        } else {
            ""
        };
        assert_eq!(
            rest,
            format!(
                "  name: node-1\n{socket}{arguments}controlPlane:\n  localAPIEndpoint:\n    \
                 advertiseAddress: \"10.0.0.2\"\n    bindPort: 6443\n  certificateKey: {}\n{timeouts}",
                "ab".repeat(32)
            )
        );
    }
}

#[test]
fn another_repository_than_the_default_is_named() {
    let cases = [
        ("1.24.0", OLD, None),
        ("1.24.0", NEW, Some(NEW)),
        ("1.24.9", NEW, None),
        ("1.24.9", OLD, Some(OLD)),
        ("1.22.17", NEW, None),
        ("1.25.0", OLD, Some(OLD)),
        ("1.25.0", NEW, None),
        (
            "1.20.2",
            "registry.aliyuncs.com/google_containers",
            Some("registry.aliyuncs.com/google_containers"),
        ),
        ("1.35.0", "r.site:5000/k8s", Some("r.site:5000/k8s")),
    ];
    for (kubernetes, folder, named) in cases {
        let [init, join] = documents(kubernetes, folder, ProxyMode::Iptables);
        let line = |text: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix("imageRepository: "));
            value.map(str::to_owned)
        };
        assert_eq!(line(&init).as_deref(), named, "{kubernetes} {folder}");
        assert_eq!(line(&join), None);
    }
}

#[test]
fn kube_proxy_is_told_of_each_mode() {
    let kind = "kind: KubeProxyConfiguration\n";
    for (mode, line) in [
        (ProxyMode::Iptables, "mode: iptables\n"),
        (ProxyMode::Ipvs, "mode: ipvs\n"),
        (ProxyMode::Nftables, "mode: nftables\n"),
    ] {
        for (kubernetes, .., repository) in RELEASES {
            let [init, join] = documents(kubernetes, repository, mode);
            let last = init.rsplit("---\n").next().unwrap();
            let expected = format!("apiVersion: kubeproxy.config.k8s.io/v1alpha1\n{kind}{line}");
            assert_eq!(last, expected);
            assert!(!join.contains(kind) && !init.contains(TOKEN));
        }
    }
}

#[test]
fn control_groups_of_version_1_are_borne_where_the_cluster_says_so() {
    let told = |kubernetes, accepts: &str| {
        let cluster: Cluster = serde_saphyr::from_str(accepts).unwrap();
        documents_for(kubernetes, NEW, &cluster).map(|text| text.contains(SKIPPED))
    };
    const SKIPPED: &str = "  ignorePreflightErrors:\n  - SystemVerification\n";
    let accepts = "kubelet: {failCgroupV1: false}";
    assert_eq!(told("1.35.0", accepts), [true; 3]);
    assert_eq!(told("1.37.2", accepts), [true; 3]);
    for (kubernetes, accepts) in
        [("1.34.9", accepts), ("1.37.2", "{}"), ("1.37.2", "kubelet: {failCgroupV1: true}")]
    {
        assert_eq!(told(kubernetes, accepts), [false; 3], "{kubernetes} {accepts}");
    }
}

#[test]
fn what_a_node_and_the_control_plane_are_given_is_written_as_the_release_takes_it() {
    let cluster: Cluster = serde_saphyr::from_str(
        "nodes:\n\
         - {name: node-1, address: 10.0.0.2, labels: {disk: ssd, a.b/c: ''}, taints: ['gpu=yes:NoExecute', 'x:NoSchedule']}\n\
         - {name: open, address: 10.0.0.3, taints: [], labels: {zone: 1, spot: true}}\n\
         kubeadm: {apiServer: {audit-log-maxage: 30, profiling: false}, scheduler: {v: '4'}}\n",
    )
    .unwrap();
    let texts = |kubernetes: &str, name: &str, last| {
        let settings = Settings {
            kubernetes: &kubernetes.parse().unwrap(),
            sandbox: None,
            cluster: &cluster,
            endpoint: "10.0.0.1:6443".to_owned(),
            name: &self::name(name),
            address: [10, 0, 0, last].into(),
            cgroup_v1: false,
        };
        init_configuration(&settings).unwrap()
    };
    let taints = "  taints:\n  - key: gpu\n    value: \"yes\"\n    effect: NoExecute\n  - key: x\n    effect: NoSchedule\n";
    let map = texts("1.28.2", "node-1", 2);
    let list = texts("1.31.0", "node-1", 2);
    for (text, parts) in [
        (
            &map,
            [
                "\napiServer:\n  extraArgs:\n    audit-log-maxage: \"30\"\n    profiling: \"false\"\n",
                "\nscheduler:\n  extraArgs:\n    v: \"4\"\n",
                "    node-labels: a.b/c=,disk=ssd\n",
            ],
        ),
        (
            &list,
            [
                "\napiServer:\n  extraArgs:\n  - name: audit-log-maxage\n    value: \"30\"\n  - name: profiling\n    value: \"false\"\n",
                "\nscheduler:\n  extraArgs:\n  - name: v\n    value: \"4\"\n",
                "  - name: node-labels\n    value: a.b/c=,disk=ssd\n",
            ],
        ),
    ] {
        assert!(text.contains(taints), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("controllerManager"));
    }
    assert!(
        texts("1.28.2", "open", 3).contains("  taints: []\n"),
        "{}",
        texts("1.28.2", "open", 3)
    );
    assert!(texts("1.28.2", "open", 3).contains("node-labels: spot=true,zone=1\n"));
    assert!(!texts("1.28.2", "other", 4).contains("taints"));
}

#[test]
fn a_faulty_cluster_file_says_what_to_write() {
    let bad = [
        ("nodes: [{name: n, address: 10.0.0.2, taints: ['gpu']}]", "write key=value:EFFECT"),
        (
            "nodes: [{name: n, address: 10.0.0.2, labels: {node-role.kubernetes.io/worker: ''}}]",
            "kubectl label node",
        ),
        ("kubeadm: {etcd: {}}", "etcd"),
        ("kubeadm: {apiServer: {--v: '4'}}", "without dashes"),
        ("kubeadm: {apiServer: {v: [4]}}", "lists with commas"),
        ("cniInterface: 'eth0;x'", "no interface"),
        ("registryMirrors: {docker.io: ['https://u:p@m']}", "no password"),
        ("registryMirrors: {'../x': []}", "no registry"),
    ];
    for (text, words) in bad {
        let error = serde_saphyr::from_str::<Cluster>(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

/// The documents of a release, for a cluster and a node of which much is said.
fn documents_of_much(kubernetes: &str) -> String {
    let cluster: Cluster = serde_saphyr::from_str(
        "nodes: [{name: node-1, address: 10.0.0.2, labels: {disk: ssd}, taints: ['gpu=yes:NoExecute']}]\n\
         proxyMode: ipvs\n\
         kubelet: {maxPods: 50}\n\
         kubeadm: {apiServer: {audit-log-maxage: 30}, scheduler: {v: '4'}}\n",
    )
    .unwrap();
    let [init, join, _] = documents_for(kubernetes, "r.site:5000/k8s", &cluster);
    format!("# init\n{init}\n# join\n{join}")
}

#[test]
fn each_api_of_kubeadm_has_documents_that_were_read() {
    for (kubernetes, api) in [("1.20.15", "v1beta2"), ("1.28.2", "v1beta3"), ("1.31.0", "v1beta4")]
    {
        let documents = documents_of_much(kubernetes);
        settings().bind(|| assert_snapshot!(format!("kubeadm-{api}"), documents));
    }
}
