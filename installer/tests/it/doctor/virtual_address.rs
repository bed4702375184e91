//! The masters' one address.

use installer::doctor::Diagnosis;
use installer::role::Role;

use super::assert_first;
use crate::node::member::Member;
use crate::virtual_address::{intent, told};

const FLAGS: &str = "var/lib/kubelet/kubeadm-flags.env";

/// A master of two that works, and holds the address.
fn master() -> Member {
    let member = Member::new(Role::Master);
    let cluster = "nodes:\n- {name: node-1, address: 10.0.0.2, role: master}\n\
                   - {name: node-2, address: 10.0.0.3, role: master}\n\
                   controlPlane: {vip: 10.0.0.100}\n";
    let text = told(&intent(&member.node, cluster));
    member.write("etc/keepalived/keepalived.conf", &text);
    member.write("run/systemd/active/keepalived", &text);
    member.write("run/systemd/enabled/keepalived", "");
    member.write(FLAGS, "KUBELET_KUBEADM_ARGS=\"--node-ip=10.0.0.2\"\n");
    member.write("run/api-nodes.json", &nodes(&["10.0.0.2", "10.0.0.3"]));
    member
}

fn nodes(masters: &[&str]) -> String {
    let node = |address: &&str| {
        serde_json::json!({
            "metadata": {"name": format!("m-{address}"), "labels": {"node-role.kubernetes.io/control-plane": ""}},
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}],
                "nodeInfo": {"kubeletVersion": "v1.28.2"},
            },
        })
    };
    serde_json::json!({"items": masters.iter().map(node).collect::<Vec<_>>()}).to_string()
}

#[test]
fn nothing_is_wrong_whoever_holds_it() {
    let member = master();
    assert_eq!(member.diagnose(), Diagnosis::default());
    member.write("run/held-elsewhere", "");
    member.write("run/neighbour", "10.0.0.100 dev eth0 lladdr 52:54:00:00:00:03 REACHABLE\n");
    assert_eq!(member.diagnose(), Diagnosis::default());
}

#[test]
fn keepalived_that_is_off() {
    let member = master();
    member.remove("run/systemd/active/keepalived");
    let found = member.diagnose();
    assert_first(&found, "keepalived does not run", "systemctl enable --now keepalived");
    let next = "nobody holds 10.0.0.100, at which the nodes look for the API server";
    assert_eq!(found.findings[1].cause, next);
}

#[test]
fn an_address_that_two_have() {
    let member = master();
    member.write("run/arping", "1");
    let found = member.diagnose();
    let cause = "this node holds 10.0.0.100, and another machine answers for it, too";
    assert_eq!(found.findings[0].cause, cause);
    // Who cannot look does not say that all is well.
    member.write("run/arping", "127");
    let found = member.diagnose();
    assert_eq!(found.findings, []);
    assert!(found.unknown[0].contains("`arping` of iputils is not here"), "{found:?}");
}

#[test]
fn masters_that_do_not_know_each_other() {
    let member = master();
    // As Kubernetes has it since 1.32.
    member.write("run/own-node-only", "");
    member.write("run/api-nodes.json", &nodes(&["10.0.0.2", "10.0.0.3", "10.0.0.4"]));
    let found = member.diagnose();
    assert_first(
        &found,
        "keepalived here does not know the masters at 10.0.0.4",
        "./installer --role master --only firewall --only virtual-address --config cluster.yaml, \
         with all masters as `role: master` under `nodes`",
    );
}

#[test]
fn an_api_server_that_others_hide() {
    let member = master();
    member.write("run/not-ready", "");
    let cure = "tail -n 5 /var/log/pods/kube-system_kube-apiserver-*/*/*.log, which says why";
    assert_first(&member.diagnose(), "the API server of this master is not ready", cure);
}
