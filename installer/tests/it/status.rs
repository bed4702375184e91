//! A node at a glance.

use installer::receipt::StepName;
use installer::role::Role;
use installer::status::{Progress, Registration, Status};

use crate::node::Node;
use crate::node::kinds::BARE;
use crate::node::member::Member;

fn look(node: &Node) -> Status {
    let (host, commands) = node.look(None);
    let status = Status::gather(&host);
    assert!(commands.made().is_empty(), "a status only looks");
    status
}

#[test]
fn a_node_that_works() {
    let member = Member::new(Role::Worker);
    let receipt = "var/lib/kubeferry/receipt.jsonl";
    let deed =
        "{\"line\":\"deed\",\"step\":\"time\",\"deed\":{\"did\":\"made\",\"path\":\"/x\"}}\n";
    member.write(receipt, &format!("{}{deed}", member.read(receipt)));
    let status = look(&member.node);
    assert_eq!((status.name.as_str(), status.role.as_deref()), ("node-1", Some("worker")));
    let of = |name: StepName| status.steps.iter().find(|step| step.name == name).unwrap().progress;
    assert_eq!(of(StepName::Containerd), Progress::Finished);
    assert_eq!(of(StepName::Time), Progress::Interrupted);
    assert_eq!(of(StepName::Ready), Progress::Untouched);
    assert!(status.services.iter().all(|service| service.state == "active"));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["kubelet"], "v1.28.2");
    assert_eq!(json["node"]["ready"], "True");
    assert_eq!(json["node"]["kubelet"], "v1.28.2");
    assert_eq!(json["steps"][0]["progress"], "finished");
    assert_eq!((&json["inCluster"], json.get("joinFile")), (&false.into(), None));
}

#[test]
fn only_a_further_master_keeps_the_join_file_that_it_is_given_again() {
    let member = Member::new(Role::Master);
    let has_joined = |member: &Member| {
        let status = look(&member.node);
        (status.in_cluster, status.join_file.map(|path| path.display().to_string()))
    };
    assert_eq!(has_joined(&member), (false, None), "its receipt does not say so");
    let receipt = "var/lib/kubeferry/receipt.jsonl";
    let finished = "{\"line\":\"finished\",\"step\":\"control-plane\"}\n";
    member.write(receipt, &format!("{}{finished}", member.read(receipt)));
    assert_eq!(has_joined(&member), (true, None));
    member.write("opt/kubernetes/kubeadm-joined.yaml", "");
    let kept = "/opt/kubernetes/join.yaml".to_owned();
    assert_eq!(has_joined(&member), (true, Some(kept)));
}

#[test]
fn a_bare_node() {
    let status = look(&Node::new(Role::Worker, &BARE));
    assert_eq!((status.role, status.in_cluster, status.steps.len()), (None, false, 0));
    assert!(status.services.iter().all(|service| service.state == "inactive"));
    let error = "this node is in no cluster: it has no /etc/kubernetes/kubelet.conf".to_owned();
    assert_eq!(status.node, Registration::Unknown { error });
}

#[test]
fn a_service_that_is_not_there() {
    let node = Node::new(Role::Worker, &BARE);
    for unit in ["containerd", "kubelet"] {
        let folder = node.root().join("run/systemd/absent");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(unit), "").unwrap();
    }
    let states: Vec<String> = look(&node).services.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["not installed", "not installed", "inactive"]);
}
