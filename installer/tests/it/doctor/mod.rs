//! Each known cause on a node that was well before: it is the first that is
//! found, with its cure.

mod containerd;
mod credentials;
mod etcd;
mod images;
mod machine;
mod pages;
mod versions;
mod virtual_address;

use installer::doctor::{Diagnosis, Finding, diagnose_past_receipt};
use installer::receipt::Receipt;
use installer::role::Role;

use crate::node::Node;
use crate::node::kinds::BARE;
use crate::node::member::{Member, READY};

const CONTAINERD: &str = "etc/containerd/config.toml";

const KUBELET: &str = "var/lib/kubelet/config.yaml";

/// Breaks a node; what is found first must have these words, and this cure.
fn assert_found(role: Role, spoil: impl Fn(&Member), cause: &str, cure: &str) {
    let member = Member::new(role);
    spoil(&member);
    let found = member.diagnose();
    assert_first(&found, cause, cure);
}

fn assert_first(found: &Diagnosis, cause: &str, cure: &str) {
    assert_eq!(found.unknown, Vec::<String>::new());
    let first = found.findings.first().unwrap();
    assert!(first.cause.contains(cause), "{cause}: {found:#?}");
    assert_eq!(first.cure, cure, "{first:#?}");
}

fn edit(member: &Member, path: &str, from: &str, to: &str) {
    let text = member.read(path);
    assert!(text.contains(from), "{text}");
    member.write(path, &text.replace(from, to));
}

#[test]
fn nothing_is_wrong_with_a_node_that_works() {
    for role in [Role::Master, Role::Worker] {
        assert_eq!(Member::new(role).diagnose(), Diagnosis::default(), "{role}");
    }
}

#[test]
fn a_bare_node_is_in_no_cluster_and_nothing_else() {
    let (host, commands) = Node::new(Role::Worker, &BARE).look(None);
    let found = installer::doctor::diagnose(&host).findings;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].cause, "this node is in no cluster");
    assert!(commands.made().is_empty());
}

#[test]
fn a_set_up_that_did_not_end_is_run_again() {
    let spoil = |member: &Member| member.remove("etc/kubernetes/kubelet.conf");
    let line = "./installer --role worker --join join.yaml";
    assert_found(Role::Worker, spoil, "this node is not yet a worker", line);
    let deed =
        "{\"line\":\"deed\",\"step\":\"join\",\"deed\":{\"did\":\"made\",\"path\":\"/x\"}}\n";
    let cut = |member: &Member| {
        let path = "var/lib/kubeferry/receipt.jsonl";
        member.write(path, &format!("{}{deed}", member.read(path)));
    };
    let both = |member: &Member| (cut(member), spoil(member)).0;
    assert_found(Role::Worker, both, "not yet a worker: its step `join` was interrupted", line);
    let not_ready = |member: &Member| {
        cut(member);
        edit(member, "run/api-node.json", "\"True\"", "\"False\"");
    };
    assert_found(Role::Worker, not_ready, "was interrupted in its step `join`", line);
    let works = Member::new(Role::Worker);
    cut(&works);
    assert_eq!(works.diagnose(), Diagnosis::default());
}

#[test]
fn a_receipt_that_cannot_be_read_hides_no_other_cause() {
    let member = Member::new(Role::Worker);
    let receipt = "var/lib/kubeferry/receipt.jsonl";
    let text = member.read(receipt);
    let damaged = text.replacen("\"line\":\"begun\"", "\"line\":\"b\0gun\"", 1);
    assert_ne!(text, damaged);
    member.write(receipt, &damaged);
    member.write("proc/sys/net/ipv4/ip_forward", "0\n");
    let root = member.node.root();
    let error = Receipt::read(&root.join("var/lib/kubeferry")).unwrap_err();
    let found = diagnose_past_receipt(&member.node.look_past_receipt(), &error);
    assert_first(&found, "net.ipv4.ip_forward is 0", "sysctl -w net.ipv4.ip_forward=1");
    let last = found.findings.last().unwrap();
    assert!(last.cause.contains("receipt.jsonl: line 2 is damaged"), "{last:#?}");
    assert!(last.cure.contains("copy it to another place first"), "{last:#?}");
}

#[test]
fn kubelet() {
    let enable = "systemctl enable --now kubelet";
    let active = "run/systemd/active/kubelet";
    let stop = |member: &Member| member.remove(active);
    assert_found(Role::Worker, stop, "kubelet does not run", enable);
    let disable = |member: &Member| member.remove("run/systemd/enabled/kubelet");
    assert_found(Role::Master, disable, "kubelet does not start at boot", enable);
    let mask = |member: &Member| member.write("run/systemd/masked/kubelet", "");
    let cure = format!("systemctl unmask kubelet && {enable}");
    assert_found(Role::Worker, mask, "kubelet is masked", &cure);
    let fails = |member: &Member| {
        member.remove(active);
        member.write("run/systemd/failed/kubelet", "");
        member.write("run/journal", "I0101 begun\nE0101 \"command failed\"\nStopped kubelet.\n");
    };
    let cure = "systemctl restart kubelet, once what it says is mended";
    assert_found(Role::Worker, fails, "kubelet fails: E0101 \"command failed\"", cure);
}

#[test]
fn the_network_of_pods() {
    let cure = "on the master: kubectl --kubeconfig /etc/kubernetes/admin.conf delete pods -A \
                --field-selector spec.hostNetwork=true,spec.nodeName=node-1";
    let spoil = |member: &Member| member.remove("etc/cni/net.d");
    assert_found(Role::Worker, spoil, "no network for pods is configured", cure);
    let cure = cure.trim_start_matches("on the master: ");
    assert_found(Role::Master, spoil, "no network for pods is configured", cure);
}

#[test]
fn the_control_plane() {
    let left = |member: &Member| member.write("var/lib/etcd/member/snap/db", "");
    let cure = "mv /var/lib/etcd/member /var/lib/etcd-member.old";
    assert_found(Role::Worker, left, "has the data of a control plane that is not here", cure);
    let lost = |member: &Member| member.remove("etc/kubernetes/manifests/etcd.yaml");
    let cure = "kubeadm init phase etcd local --config /opt/kubernetes/kubeadm.yaml";
    assert_found(Role::Master, lost, "the control plane lacks etcd.yaml", cure);
}

#[test]
fn the_api_server_comes_last() {
    let mut member = Member::new(Role::Worker);
    member.end_api();
    let cure = "on the master: ./installer doctor; if it finds nothing, check the cable";
    assert_first(&member.diagnose(), "does not answer", cure);
    // What it may come of is told before.
    member.remove("run/systemd/active/kubelet");
    let causes: Vec<String> =
        member.diagnose().findings.into_iter().map(|Finding { cause, .. }| cause).collect();
    assert_eq!(causes[0], "kubelet does not run");
    assert!(causes[1].starts_with("the API server at 127.0.0.1:"), "{causes:?}");
    let spoil = |member: &Member| {
        let text = READY.replace("\"True\"", "\"False\"").replace("posting ready", "in bad");
        member.write("run/api-node.json", &text);
    };
    let cure = "systemctl restart kubelet; `journalctl --unit kubelet` says more";
    assert_found(Role::Worker, spoil, "the node is not Ready: kubelet is in bad status", cure);
}

#[test]
fn a_node_that_was_deleted_from_its_cluster() {
    let spoil = |member: &Member| {
        member.write("run/api-node.json", "");
        let says = "Error from server (NotFound): nodes \"node-1\" not found\n";
        member.write("run/api-says", says);
    };
    let cause = "the cluster does not know node-1 any more: it was deleted there";
    assert_found(Role::Worker, spoil, cause, "systemctl restart kubelet");
    let cure = "systemctl restart kubelet && kubeadm init phase mark-control-plane --config \
                /opt/kubernetes/kubeadm.yaml";
    assert_found(Role::Master, spoil, cause, cure);
}

#[test]
fn what_cannot_be_looked_at_is_told_and_hides_nothing() {
    let member = Member::new(Role::Worker);
    member.write(KUBELET, "a: [");
    member.remove("run/systemd/active/kubelet");
    let found = member.diagnose();
    assert_eq!(found.findings[0].cause, "kubelet does not run");
    assert_eq!(found.unknown, ["reading /var/lib/kubelet/config.yaml: it is not YAML"]);
    let member = Member::new(Role::Master);
    member.write("etc/kubernetes/pki/apiserver.crt", "");
    let found = member.diagnose();
    assert_eq!(found.unknown, ["/etc/kubernetes/pki/apiserver.crt has no certificate in it"]);
}
