//! Every kind of mistake in a cluster file, with its place and what to write.

use super::*;

/// What is said of a cluster file with this text, where the bundle has these keys.
fn told_beside(bundle: &str, text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, text).unwrap();
    let bundle = OfBundle {
        given: serde_saphyr::from_str(bundle).unwrap(),
        kubernetes: "1.28.2".parse().ok(),
    };
    match ClusterFile::load(&path).and_then(|file| effective(&bundle, Some(&file))) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let error = error.to_string().replace(&format!("{}:", path.display()), "");
            error.lines().map(str::to_owned).collect()
        }
    }
}

fn told(text: &str) -> Vec<String> {
    told_beside("{}", text)
}

#[test]
fn what_is_right_is_read() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "\u{feff}ntpServers: [a]\n",
        "ntpServers: [a]\r\npodCidr: 10.9.0.0/16\r\n",
        "x: &n [a, b]\n".replace("x:", "ntpServers:").as_str(),
        "kubelet: {maxPods: 200, evictionHard: {memory.available: 5%}, featureGates: {A: true}}\n",
        "kubelet: {authentication: {webhook: {cacheTTL: 2m0s}}, logging: {format: json}}\n",
        "kubelet: {cgroupDriver: cgroupfs}\ncgroupDriver: cgroupfs\n",
        "kubeadm: {apiServer: {audit-log-maxage: 30, service-cluster-ip-range: 10.96.0.0/12}}\n",
        "nodes: [{name: a, address: 10.0.0.1, labels: {rack: 5}}]\ningressNodes: [a]\n",
        "endpoint: k8s.site:6443\n",
        "cniInterface:\n",
    ] {
        assert_eq!(told(text), [""; 0], "{text}");
    }
}

#[test]
fn each_mistake_has_its_place_and_what_to_write() {
    let mut wrong = Vec::new();
    for (text, words) in [
        (
            "controlPlane: {vip: 10.0.0.9, routerId: 300}",
            "1:41: `routerId` cannot be `300`: write a whole number from 1 to 255 instead",
        ),
        (
            "backup: {keep: 0}",
            "1:16: `keep` cannot be `0`: write a whole number from 1 to 65535 instead",
        ),
        (
            "backup: {keep: 70000}",
            "1:16: `keep` cannot be `70000`: write a whole number from 1 to 65535 instead",
        ),
        (
            "podCidr: 10.60.0.0/33",
            "1:10: podCidr: `10.60.0.0/33` is no network: the number after `/` is 32 at most, as in 10.60.0.0/16",
        ),
        (
            "podCidr: 10.60.0.0",
            "1:10: podCidr: `10.60.0.0` is no network: write its size after it, as in 10.60.0.0/16",
        ),
        (
            "podCidr: 10.60.0.0/255.255.0.0",
            "1:10: podCidr: `10.60.0.0/255.255.0.0` has a mask: write the number of its bits, as in 10.60.0.0/16",
        ),
        (
            "podCidr: 10.300.0.0/16",
            "1:10: podCidr: `10.300.0.0/16` is no network: write four numbers up to 255 before `/`, as in 172.30.0.0/16",
        ),
        (
            "podCidr: 10.60.1.0/16",
            "1:10: podCidr: `10.60.1.0/16` is an address in a network: write 10.60.0.0/16",
        ),
        (
            "podCidr: '10.60.0.0/16 '",
            "1:10: podCidr: `10.60.0.0/16 ` has a blank too many: write 10.60.0.0/16",
        ),
        (
            "podCidr: fd00::/64",
            "1:10: podCidr: `fd00::/64` is an IPv6 network, and clusters here use IPv4 only: write one such as 172.30.0.0/16",
        ),
        ("podCidr: 10", "1:10: podCidr: `10` is no network: write one such as 172.30.0.0/16"),
        (
            "podCidr: [10.0.0.0/8]",
            "1:10: `podCidr` cannot be a list: write `172.30.0.0/16` instead",
        ),
        ("podCIDR: 10.1.0.0/16", "1:1: unknown field `podCIDR`: write `podCidr` instead"),
        ("podSubnet: 10.1.0.0/16", "1:1: unknown field `podSubnet`: write `podCidr` instead"),
        (
            "controlPlaneEndpoint: a:1",
            "1:1: unknown field `controlPlaneEndpoint`: write `endpoint` instead",
        ),
        (
            "apiVersion: v1\nkind: ClusterConfiguration",
            "c.yaml is an object of Kubernetes, not a cluster file",
        ),
        ("proxyMode: ipsv", "1:12: `proxyMode` cannot be `ipsv`: did you mean `ipvs`?"),
        ("ingress: yes", "1:10: `ingress` cannot be `yes`: write `true` or `false` instead"),
        (
            "ingress: 'true'",
            "1:10: `ingress` cannot be the text \"true\": write `true` or `false` instead",
        ),
        (
            "ingress: true\ningress: false",
            "2:1: duplicate key `ingress`: line 1 has it already; keep one of them",
        ),
        ("ntpServers: a", "1:13: `ntpServers` cannot be `a`: write a list such as `[a]` instead"),
        (
            "ntpServers: ['a iburst']",
            "1:14: ntpServers: `a iburst` is no host: write a name or an address alone, such as 192.168.1.254",
        ),
        (
            "ntpServers: [10.244.0.9]",
            "1:14: ntpServers 10.244.0.9 is within podCidr 10.244.0.0/16: write another, or choose another podCidr",
        ),
        (
            "endpoint: u:pw@m:6443",
            "1:11: endpoint: an endpoint has no user and no password before `@`: write it like k8s-master:6443",
        ),
        ("endpoint: https://m:6443/", "1:11: endpoint: `https://m:6443/` is a URL: write `m:6443`"),
        ("endpoint: m", "1:11: endpoint: `m` has no port: write `m:6443`"),
        ("endpoint: m:0", "1:11: endpoint: `m:0` is no HOST:PORT: write it like k8s-master:6443"),
        (
            "serviceCidr: 10.96.0.0/16,fd00:96::/112",
            "1:14: serviceCidr: `10.96.0.0/16,fd00:96::/112` is a list, and clusters here use IPv4 only: write one network, as in 10.96.0.0/16",
        ),
        (
            "nodes:\n- {name: a, address: fd00::2}",
            "2:22: address: `fd00::2` is an IPv6 address, and clusters here use IPv4 only: write the machine's IPv4 address",
        ),
        (
            "registryMirrors: {docker.io: ['https://[fd00::9]:5000']}",
            "1:31: docker.io: `https://[fd00::9]:5000` has an IPv6 address, and clusters here use IPv4 only: write the mirror's name",
        ),
        (
            "registryMirrors: {'[fd00::9]:5000': []}",
            "1:19: `[fd00::9]:5000` is an IPv6 address, and clusters here use IPv4 only: write a name",
        ),
        (
            "kubeadm: {controllerManager: {cluster-cidr: '10.244.0.0/16,fd00::/48'}}",
            "1:45: kubeadm.controllerManager.cluster-cidr is 10.244.0.0/16,fd00::/48, and podCidr is 10.244.0.0/16: leave it out, because clusters here use IPv4 only",
        ),
        (
            "ntpServers: ['192.168.1.1:123']",
            "1:14: ntpServers: `192.168.1.1:123` is no host: write a name or an address alone, such as 192.168.1.254",
        ),
        (
            "endpoint: '[fd00::1]:6443'",
            "1:11: endpoint: `[fd00::1]:6443` is an IPv6 address, and clusters here use IPv4 only: write it like k8s-master:6443",
        ),
        (
            "endpoint: 10.96.0.1:6443",
            "1:11: endpoint 10.96.0.1 is within serviceCidr 10.96.0.0/12: write another, or choose another serviceCidr",
        ),
        (
            "nodes: {}",
            "1:8: `nodes` cannot be keys with values: write a list such as `[{name: k8s-node1, address: 192.168.1.1}]` instead",
        ),
        (
            "nodes:\n- {name: A, address: 10.0.0.1}",
            "2:10: name: `A` is no node name; write lower-case letters, digits, `-` and `.`",
        ),
        (
            "nodes:\n- {name: a, address: 10.0.0.1/24}",
            "2:22: address: `10.0.0.1/24` is no address: leave out what begins at `/`",
        ),
        (
            "nodes:\n- {name: a, address: 127.0.0.1}",
            "2:22: address: `127.0.0.1` is a loopback address, which every machine has: write the one at which other machines reach this machine",
        ),
        ("nodes:\n- {name: a}", "2:3: `address` is missing: write `address: 192.168.1.1` here"),
        (
            "nodes:\n- {name: a, adress: 10.0.0.1}",
            "2:13: unknown field `adress`: did you mean `address`?",
        ),
        (
            "nodes:\n- {name: a, address: 10.0.0.1}\n- {name: a, address: 10.0.0.2}",
            "3:10: a second machine has the name a: give each its own name",
        ),
        (
            "nodes:\n- {name: a, address: 10.0.0.1}\n- {name: b, address: 10.0.0.1}",
            "3:22: b has the same address as a, 10.0.0.1: give each its own address",
        ),
        (
            "nodes: [{name: node1, address: 10.0.0.1}]\ningressNodes: [nod1]",
            "2:16: ingressNodes names nod1, and nodes has no such machine: did you mean node1?",
        ),
        (
            "ingressNodes: [a]",
            "1:16: ingressNodes names a, and nodes has no such machine: write `{name: a, address: …}` under nodes, or another name here",
        ),
        (
            "nodes: [{name: a, address: 10.244.0.1}]",
            "podCidr 10.244.0.0/16 has the address of a, 10.244.0.1: choose another podCidr",
        ),
        (
            "podCidr: 10.96.0.0/16",
            "1:10: podCidr 10.96.0.0/16 and serviceCidr 10.96.0.0/12 overlap: choose two networks that do not",
        ),
        (
            "serviceCidr: 16.0.0.0/11",
            "1:14: serviceCidr 16.0.0.0/11 has a size that kubeadm refuses: choose one from /12 to /28",
        ),
        ("kubelet: {maxPodz: 1}", "1:11: unknown field `maxPodz`: did you mean `maxPods`?"),
        (
            "kubelet: {maxPods: many}",
            "1:20: `maxPods` cannot be `many`: write a whole number instead",
        ),
        (
            "kubelet: {kubeReserved: {cpu: 1}}",
            "1:31: `cpu` cannot be `1`: write a text or, in quotes, `\"1\"` instead",
        ),
        (
            "kubelet: {syncFrequency: 60}",
            "1:26: syncFrequency: `60` is no time: write it like 5m0s",
        ),
        (
            "kubelet: {authentication: {webhok: {}}}",
            "1:28: unknown field `webhok`: did you mean `webhook`?",
        ),
        (
            "kubelet: {cgroupDriver: cgroupfs}",
            "1:25: kubelet.cgroupDriver is cgroupfs, and cgroupDriver is systemd: leave it out here, and write `cgroupDriver: cgroupfs` if that is meant",
        ),
        (
            "kubelet: {imagePullCredentialsVerificationPolicy: x}",
            "1:51: kubelet.imagePullCredentialsVerificationPolicy: kubelet has it from 1.33 on, and the bundle has Kubernetes 1.28: leave it out",
        ),
        (
            "kubelet: {apiVersion: a}",
            "1:11: unknown field `apiVersion`: leave it out: the installer writes it",
        ),
        (
            "kubeadm: {networking: {}}",
            "1:11: unknown field `networking`: write `podCidr` and `serviceCidr` of the cluster file instead",
        ),
        (
            "kubeadm: {etcd: {}}",
            "1:11: unknown field `etcd`: only arguments of apiServer, controllerManager and scheduler can be given: leave it out",
        ),
        ("kubeadm: {apiserver: {}}", "1:11: unknown field `apiserver`: write `apiServer` instead"),
        (
            "kubeadm: {apiServer: {extraArgs: {v: 4}}}",
            "1:23: `extraArgs` is kubeadm's own key: write the arguments that are below it here, without it",
        ),
        ("kubeadm: {apiServer: {--v: 4}}", "1:23: `--v` is no argument: write `v`"),
        (
            "kubeadm: {apiServer: {auditLogMaxage: 4}}",
            "1:23: `auditLogMaxage` is no argument: write `audit-log-maxage`",
        ),
        (
            "kubeadm: {apiServer: {v: [4]}}",
            "1:26: `v` cannot be a list: write a text, a number, `true` or `false` instead",
        ),
        (
            "kubeadm: {controllerManager: {cluster-cidr: 10.9.0.0/16}}",
            "1:45: kubeadm.controllerManager.cluster-cidr is 10.9.0.0/16, and podCidr is 10.244.0.0/16: leave it out here, and write `podCidr: 10.9.0.0/16` if that is meant",
        ),
        (
            "registryMirrors: {'../x': []}",
            "1:19: `../x` is no registry; write HOST or HOST:PORT as in an image's name",
        ),
        ("- a", "1:1: `cluster file` cannot be a list: write `{…}` instead"),
        ("a", "1:1: `cluster file` cannot be `a`: write `{…}` instead"),
        (
            "a: b\n---\nc: d",
            "2:1: a second document begins here: a cluster file is one, so remove the `---`",
        ),
        ("ingress: true\n\tselinux: leave", "this is not YAML"),
        ("ingress: !x true", "1:10: a cluster file needs no tags: remove `!x`"),
        ("nodes: !x\n- name: a", "1:8: a cluster file needs no tags: remove `!x`"),
        ("kubelet: !x {maxPods: 5}", "1:10: a cluster file needs no tags: remove `!x`"),
        ("name: a\nkubernetes: {}\ntargets: []", "c.yaml is a bundle's spec, not a cluster file"),
        ("token: a.b\ncaCertHash: c", "c.yaml is a join file, not a cluster file"),
    ] {
        let told = told(text);
        if told.len() != 1 || !told[0].contains(words) {
            wrong.push(format!("{text}\n{told:#?}\n{words}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Both a cluster of IPv6 and one of both families.
#[test]
fn all_that_is_of_ipv6_is_refused_at_once() {
    let text = "podCidr: fd00:10::/56\nserviceCidr: 10.96.0.0/16,fd00:96::/112\n\
                endpoint: fd00::1\nnodes:\n- {name: a, address: fd00::2}\n\
                registryMirrors: {quay.io: ['https://[fd00::9]']}\nntpServers: [fd00::3]\n";
    let told = told(text);
    let places: Vec<String> =
        told.iter().map(|one| one.split(':').take(2).collect::<Vec<_>>().join(":")).collect();
    assert_eq!(places, ["1:10", "2:14", "3:11", "5:22", "6:29"], "{told:#?}");
    assert!(told.iter().all(|one| one.contains(", and clusters here use IPv4 only: write ")));
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_text() {
    let text = "\
nodes:
- {name: a, address: 10.0.0.1}
- {name: a, address: 10.0.0.2}
podCidr: 10.60.0.0/33
proxyMode: x
kubelet:
  maxPodz: 1
  cgroupDriver: cgroupfs
colour: red
";
    let told = told(text);
    let places: Vec<&str> = told.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["3:10", "4:10", "5:12", "7:3", "8:17", "9:1"], "{told:#?}");
}

#[test]
fn the_bundles_own_keys_are_told_as_such() {
    assert_eq!(
        told_beside("{podCidr: 10.96.0.0/16}", "ingress: true"),
        ["the bundle's own `podCidr`: podCidr 10.96.0.0/16 and serviceCidr 10.96.0.0/12 overlap: \
          choose two networks that do not"]
    );
    // What the bundle has makes this one right.
    assert_eq!(told_beside("{serviceCidr: 10.9.0.0/16}", "podCidr: 10.96.0.0/16"), [""; 0]);
}

#[test]
fn a_folder_and_letters_of_windows_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let words = |path: &Path| format!("{:#}", ClusterFile::load(path).unwrap_err());
    assert!(words(folder.path()).contains("it is a folder; name a file"));
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, b"\xff\xfei\0").unwrap();
    assert!(words(&path).contains("save it as UTF-8"), "{}", words(&path));
}
