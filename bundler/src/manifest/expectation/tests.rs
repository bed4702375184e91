use std::path::Path;

use super::*;
use crate::libyaml::document::read;

/// Aspect, value and place of each.
fn told(text: &str) -> Vec<(Aspect, String, String)> {
    let found = expectations(&read("m", text).unwrap());
    found.into_iter().map(|one| (one.of, one.value, one.path)).collect()
}

/// The values of one aspect.
fn of(aspect: Aspect, text: &str) -> Vec<String> {
    let found = told(text).into_iter().filter(|(of, ..)| *of == aspect);
    found.map(|(_, value, _)| value).collect()
}

const CALICO: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
      - name: calico-node
        image: c
        env:
        - {name: CALICO_IPV4POOL_CIDR, value: \"192.168.0.0/16\"}
        - {name: KUBERNETES_SERVICE_HOST, value: 10.0.0.9}
        - {name: IP_AUTODETECTION_METHOD, value: interface=eth1}
        - {name: IP6, value: none}
        ports:
        - {containerPort: 9091}
";

#[test]
fn each_network_plugin_says_its_pool_elsewhere() {
    for (what, text) in [
        ("Calico", CALICO),
        (
            "a pool",
            "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: a}\nspec: {cidr: 192.168.0.0/16}\n",
        ),
        (
            "the operator",
            "apiVersion: operator.tigera.io/v1\nkind: Installation\nmetadata: {name: default}\nspec: {calicoNetwork: {ipPools: [{cidr: 192.168.0.0/16}]}}\n",
        ),
        (
            "Cilium",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config}\ndata: {cluster-pool-ipv4-cidr: 192.168.0.0/16}\n",
        ),
        (
            "Weave",
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: weave-net}\nspec: {template: {spec: {containers: [{name: weave, image: w, env: [{name: IPALLOC_RANGE, value: 192.168.0.0/16}]}]}}}\n",
        ),
        (
            "in two words",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, args: [--cluster-cidr, 192.168.0.0/16]}]}\n",
        ),
        (
            "with both families",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, command: [x, '--cluster-cidr=192.168.0.0/16,fd00::/48']}]}\n",
        ),
        (
            "in a list",
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: a}, spec: {cidr: 192.168.0.0/16}}\n",
        ),
    ] {
        assert_eq!(of(Aspect::PodAddresses, text), ["192.168.0.0/16"], "{what}");
    }
    let flannel = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-flannel-cfg}\ndata:\n  net-conf.json: |\n    {\n      \"Network\": \"10.244.0.0/16\",\n      \"EnableIPv6\": true\n    }\n";
    assert_eq!(of(Aspect::PodNetwork, flannel), ["10.244.0.0/16"]);
    assert_eq!(of(Aspect::Family, flannel), ["IPv6"]);
    let place = told(CALICO).remove(0).2;
    assert_eq!(place, "spec.template.spec.containers[calico-node].env[CALICO_IPV4POOL_CIDR]");
}

#[test]
fn the_rest_that_a_site_decides_is_found() {
    assert_eq!(of(Aspect::ApiServer, CALICO), ["10.0.0.9"]);
    assert_eq!(of(Aspect::Interface, CALICO), ["eth1"]);
    assert_eq!(of(Aspect::HostPort, CALICO), ["9091/TCP"]);
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\nspec:\n  clusterIP: 10.100.0.10\n  ipFamilyPolicy: RequireDualStack\n  ports:\n  - {port: 80, nodePort: 80}\n";
    assert_eq!(of(Aspect::ServiceAddress, service), ["10.100.0.10"]);
    assert_eq!(of(Aspect::Dns, service), ["10.100.0.10"]);
    assert_eq!(of(Aspect::NodePort, service), ["80"]);
    assert_eq!(of(Aspect::Family, service), ["RequireDualStack"]);
    let dns = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: node-local-dns, namespace: kube-system}\nspec: {template: {spec: {containers: [{name: d, image: i, args: ['-localip', '169.254.20.10,10.96.0.10']}]}}}\n";
    assert_eq!(of(Aspect::Dns, dns), ["10.96.0.10"]);
    let volume = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec:\n  nodeAffinity:\n    required:\n      nodeSelectorTerms:\n      - matchExpressions:\n        - {key: kubernetes.io/hostname, operator: In, values: [node-a, node-b]}\n";
    assert_eq!(of(Aspect::Machine, volume), ["node-a", "node-b"]);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  nodeSelector: {kubernetes.io/hostname: node-c}\n  containers:\n  - {name: c, image: i, args: ['--iface=eth9'], ports: [{containerPort: 80, hostPort: 443, protocol: UDP}, {containerPort: 81}]}\n";
    assert_eq!(of(Aspect::Machine, pod), ["node-c"]);
    assert_eq!(of(Aspect::Interface, pod), ["eth9"]);
    assert_eq!(of(Aspect::HostPort, pod), ["443/UDP"]);
}

#[test]
fn addresses_of_ipv6_are_found() {
    let service = |addresses: &str| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{{addresses}}}\n")
    };
    for text in [
        service("clusterIP: 'fd00::10'"),
        service("clusterIPs: [10.96.0.77, 'fd00::10']"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, \
         env: [{name: KUBERNETES_SERVICE_HOST, value: 'fd00::1'}]}]}\n"
            .to_owned(),
    ] {
        assert_eq!(of(Aspect::Family, &text), ["IPv6"], "{text}");
    }
    assert_eq!(of(Aspect::Family, &service("clusterIPs: [None], clusterIP: None")), [""; 0]);
}

#[test]
fn flannel_without_an_interface_wants_a_default_route() {
    let pod = |container: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\n\
             spec: {{containers: [{{name: f, image: i, {container}}}]}}\n"
        )
    };
    let canal = "command: [/opt/bin/flanneld], \
                 env: [{name: FLANNELD_IFACE, valueFrom: {configMapKeyRef: {name: c, key: canal_iface}}}]";
    let settings = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{canal_iface: '{name}'}}\n"
        )
    };
    for (text, wants) in [
        (pod("command: [/opt/bin/flanneld], args: [--ip-masq]"), true),
        (pod("command: [/opt/bin/flanneld], args: [--iface=eth1]"), false),
        (pod("command: [/opt/bin/flanneld, --iface-regex, eth]"), false),
        (pod("command: [/opt/bin/flanneld, --iface-can-reach=10.0.0.1]"), false),
        (pod("args: [/opt/bin/flanneld], env: [{name: FLANNELD_IFACE, value: eth1}]"), false),
        (pod("command: [cp, /flannel]"), false),
        (pod(canal) + &settings(""), true),
        (pod(canal) + &settings("eth1"), false),
    ] {
        assert_eq!(of(Aspect::DefaultRoute, &text).len(), usize::from(wants), "{text}");
    }
}

#[test]
fn what_is_left_open_is_expected_of_nobody() {
    for value in ["$(POD_CIDR)", "__CIDR__", "autodetect", "fd00::/48", "a\nb", ""] {
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "c", "image": "i", "env": [
                {"name": "CALICO_IPV4POOL_CIDR", "value": value},
            ], "args": [format!("--cluster-cidr={value}"), "-localip", value]}]}
        });
        assert_eq!(told(&text.to_string()), [], "{value:?}");
    }
    for spec in ["disabled: true", "allowedUses: [LoadBalancer]", "allowedUses: [Tunnel]"] {
        let pool = format!(
            "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {{name: a}}\nspec: {{cidr: 192.168.0.0/16, {spec}}}\n"
        );
        assert_eq!(told(&pool), [], "{spec}");
        let used = pool.replace("[LoadBalancer]", "[LoadBalancer, Workload]");
        assert_eq!(told(&used).len(), usize::from(used != pool));
    }
}

#[test]
fn published_manifests_say_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/manifests");
    if !folder.exists() {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    }
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(of(Aspect::PodNetwork, &read("kube-flannel-v0.25.7.yml")), ["10.244.0.0/16"]);
    assert_eq!(of(Aspect::DefaultRoute, &read("kube-flannel-v0.25.7.yml")), ["kube-flannel"]);
    let calico = read("calico-v3.26.4.yaml");
    assert_eq!(of(Aspect::PodAddresses, &calico), [""; 0], "its variable is commented out");
    let patched = calico
        .replace("# - name: CALICO_IPV4POOL_CIDR", "- name: CALICO_IPV4POOL_CIDR")
        .replace("#   value: \"192.168.0.0/16\"", "  value: \"192.168.0.0/16\"");
    assert_eq!(of(Aspect::PodAddresses, &patched), ["192.168.0.0/16"]);
}
