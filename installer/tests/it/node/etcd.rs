//! etcd and the nodes of a cluster with several masters. `run/etcd` has a member a line:
//! ID, name, address, and what is special: `learner` or `silent`. `run/nodes` has the
//! nodes as the API server has them, a file each, `run/silent-kubelets` those whose kubelet
//! does not answer.

use std::fs;
use std::path::Path;

use installer::exec::Output;
use serde_json::json;

use super::commands::said;

/// The small node's own address.
const OWN: &str = "10.0.0.2";

/// What kubeadm writes of etcd.
pub(crate) const POD: &str = "spec: {containers: [{command: [etcd, \
    '--initial-advertise-peer-urls=https://10.0.0.2:2380', \
    '--initial-cluster=node-1=https://10.0.0.2:2380,node-2=https://10.0.0.3:2380']}]}\n";

struct Member<'a> {
    id: u64,
    name: &'a str,
    address: &'a str,
    special: &'a str,
}

impl Member<'_> {
    fn answers(&self) -> bool {
        self.special != "silent"
    }
}

fn members(text: &str) -> Vec<Member<'_>> {
    let member = |line| {
        let mut words = str::split_ascii_whitespace(line);
        Member {
            id: words.next().unwrap().parse().unwrap(),
            name: words.next().unwrap(),
            address: words.next().unwrap(),
            special: words.next().unwrap_or_default(),
        }
    };
    text.lines().map(member).collect()
}

/// Whether so many of the voters answer that they are a quorum.
fn has_quorum(members: &[Member<'_>]) -> bool {
    let voters: Vec<_> = members.iter().filter(|one| one.special != "learner").collect();
    voters.iter().filter(|one| one.answers()).count() > voters.len() / 2
}

/// What etcdctl is asked, in the container of the running etcd.
fn asked<'a>(words: &[&'a str]) -> Option<(&'a str, Vec<&'a str>)> {
    let ["ctr", "-n", "k8s.io", "tasks", "exec", "--exec-id", _, _, "etcdctl", rest @ ..] = words
    else {
        return None;
    };
    let ["--endpoints", endpoint, "--cacert", _, "--cert", _, "--key", _, rest @ ..] = rest else {
        return None;
    };
    Some((endpoint, rest.to_vec()))
}

/// The answer to a question; none if it is none.
pub(super) fn answer(root: &Path, words: &[&str]) -> Option<Output> {
    if let ["kubectl", .., "get", "node", name]
    | ["kubectl", .., "get", "node", name, "--output=json"] = words
        && root.join("run/nodes").exists()
    {
        let stderr = "Error from server (NotFound): nodes not found\n".to_owned();
        return Some(match fs::read_to_string(root.join(format!("run/nodes/{name}"))) {
            Ok(text) => said(true, &text),
            Err(_) => Output { stderr, ..said(false, "") },
        });
    }
    if let ["kubectl", .., "get", "nodes", "--output=name"] = words {
        let names = fs::read_dir(root.join("run/nodes")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        return Some(said(true, &names.map(|name| format!("node/{name}\n")).collect::<String>()));
    }
    if let ["kubectl", .., "get", "--raw", path] = words
        && let Some(node) = path.strip_suffix("/proxy/healthz")
    {
        let silent = fs::read_to_string(root.join("run/silent-kubelets")).unwrap_or_default();
        let name = node.trim_start_matches("/api/v1/nodes/");
        return Some(said(!silent.lines().any(|one| one == name), "ok"));
    }
    let (endpoint, question) = asked(words)?;
    // A node of which nobody says so has no etcd.
    let text = fs::read_to_string(root.join("run/etcd")).unwrap_or_default();
    let members = members(&text);
    let at = endpoint.trim_start_matches("https://").trim_end_matches(":2379");
    let at = if at == "127.0.0.1" { OWN } else { at };
    let answering = members.iter().find(|one| one.address == at && one.answers());
    Some(match question[..] {
        ["--write-out", "json", "member", "list"] => {
            let all = members.iter().map(|one| {
                let peer = format!("https://{}:2380", one.address);
                json!({"ID": one.id, "name": one.name, "peerURLs": [peer],
                       "isLearner": one.special == "learner"})
            });
            let list = json!({"members": all.collect::<Vec<_>>()}).to_string();
            let votes = answering.is_some_and(|one| one.special != "learner");
            said(has_quorum(&members) && votes, &list)
        }
        ["--command-timeout", "5s", "endpoint", "health"] => said(answering.is_some(), ""),
        ["alarm", "list"] => {
            said(true, &fs::read_to_string(root.join("run/alarms")).unwrap_or_default())
        }
        ["--write-out", "json", "endpoint", "status"] if root.join("run/etcd-status").exists() => {
            said(true, &fs::read_to_string(root.join("run/etcd-status")).unwrap())
        }
        // The double of upgrades knows the rest.
        _ => return None,
    })
}

/// Does it; gives whether it could. None if it is something else.
pub(super) fn change(root: &Path, words: &[&str]) -> Option<bool> {
    if let Some((_, question)) = asked(words) {
        let ["member", "remove", id] = question[..] else { return None };
        let id = u64::from_str_radix(id, 16).unwrap();
        let text = fs::read_to_string(root.join("run/etcd")).unwrap();
        let mut members = members(&text);
        members.retain(|one| one.id != id);
        if !has_quorum(&members) || refuses_once(root) {
            return Some(false);
        }
        let line =
            |one: &Member<'_>| format!("{} {} {} {}\n", one.id, one.name, one.address, one.special);
        fs::write(root.join("run/etcd"), members.iter().map(line).collect::<String>()).unwrap();
        return Some(true);
    }
    match words {
        ["kubectl", .., "drain", name, "--ignore-daemonsets", "--delete-emptydir-data", _] => {
            fs::write(root.join("run/drained"), name).unwrap();
        }
        ["kubectl", .., "delete", "node", name] => {
            fs::remove_file(root.join(format!("run/nodes/{name}"))).unwrap();
        }
        ["kubeadm", "join", "--config", file] => return Some(join(root, file)),
        ["kubeadm", "reset", ..] if root.join("run/nodes").exists() => {
            for file in ["admin.conf", "kubelet.conf", "manifests/etcd.yaml"] {
                drop(fs::remove_file(root.join("etc/kubernetes").join(file)));
            }
            drop(fs::remove_dir_all(root.join("etc/kubernetes/manifests")));
            drop(fs::remove_dir_all(root.join("var/lib/etcd/member")));
            for state in ["nodes/node-1", "tasks", "etcd"] {
                drop(fs::remove_file(root.join("run").join(state)));
            }
        }
        _ => return None,
    }
    Some(true)
}

/// Whether etcd still refuses, as it does while a member has not been connected for five
/// seconds. `run/etcd-refuses` has a line for each time.
fn refuses_once(root: &Path) -> bool {
    let file = root.join("run/etcd-refuses");
    let text = fs::read_to_string(&file).unwrap_or_default();
    text.split_once('\n').is_some_and(|(_, rest)| fs::write(&file, rest).is_ok())
}

/// A further master, as kubeadm makes it.
fn join(root: &Path, file: &str) -> bool {
    let text = fs::read_to_string(root.join(file.trim_start_matches('/'))).unwrap();
    assert!(text.contains("certificateKey") && text.contains("token"), "{text}");
    // kubeadm's preflight refuses what an earlier run has left.
    if root.join("etc/kubernetes/kubelet.conf").exists() {
        return false;
    }
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for file in ["admin.conf", "kubelet.conf"] {
        write(&format!("etc/kubernetes/{file}"), "");
    }
    write("etc/kubernetes/manifests/etcd.yaml", POD);
    write("run/tasks", "id-1 etcd\n");
    write("run/etcd", &format!("1 node-1 {OWN}\n2 node-2 10.0.0.3\n3 node-3 10.0.0.4\n"));
    write("var/lib/etcd/member/snap/db", "");
    let labels = json!({"node-role.kubernetes.io/control-plane": ""});
    write("run/nodes/node-1", &json!({"metadata": {"labels": labels}}).to_string());
    true
}
