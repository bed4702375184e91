//! What an upgrade asks and changes on a small node. `run/pods` has a pod a line, as
//! `NAMESPACE/NAME`, `run/nodes` the names of nodes, `run/api-version` the API server's
//! version, `run/api-servers` all of them, a node and a version a line, `run/metrics` its
//! metrics, `run/by-hand` what was changed by hand, `run/foreseen` what the new kubeadm would change,
//! unless there is `run/no-cpio` or `run/unsigned`; `run/cordoned` is there while the node is
//! cordoned. `run/endpoints` has an address and a version for each API server,
//! `run/etcd-others` the versions of other members of etcd, `run/etcd-pods` a node, the tag of
//! its etcd, and whether it is ready, `run/kubelets` nodes with their
//! kubelets' versions, `run/masters` the names of masters, `run/cordoned-masters` some of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use installer::exec::Output;
use serde_json::json;

use super::commands::said;

/// The pods of a control plane.
const PODS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

pub(super) fn answer(root: &Path, words: &[&str]) -> Option<Output> {
    listed(root, words).or_else(|| said_of(root, words))
}

/// Objects, as kubectl lists them.
fn listed(root: &Path, words: &[&str]) -> Option<Output> {
    Some(match words {
        ["kubectl", .., "get", "--ignore-not-found", "--output", "json", _, _, _, _, _, _] => {
            let own = read(root, "run/objects");
            let own = if own.is_empty() { "as kubeadm made it" } else { &own };
            let data = json!({"all": own, "ClusterConfiguration": own});
            let item = json!({"kind": "ConfigMap", "data": data, "metadata":
                {"name": "kubeadm-config", "namespace": "kube-system", "resourceVersion": "7"}});
            said(true, &json!({"items": [item]}).to_string())
        }
        [
            "kubectl",
            ..,
            "get",
            "pods",
            "--all-namespaces",
            "--field-selector",
            _,
            "--output",
            "json",
        ] => {
            let pods = read(root, "run/pods");
            let pod = |line: &str| {
                let (namespace, name) = line.split_once('/').unwrap();
                let owner = json!({"kind": "ReplicaSet", "uid": namespace,
                    "controller": !name.starts_with("bare")});
                json!({"metadata": {"namespace": namespace, "name": name, "ownerReferences": [owner]}})
            };
            let items: Vec<_> = pods.lines().map(pod).collect();
            said(true, &json!({ "items": items }).to_string())
        }
        ["kubectl", .., "get", "node", _, "--output", "jsonpath={.spec.unschedulable}"] => {
            said(true, if root.join("run/cordoned").exists() { "true" } else { "" })
        }
        ["kubectl", .., "get", "--raw", "/api/v1/nodes"] if root.join("run/nodes").is_file() => {
            let nodes = read(root, "run/nodes");
            let item = |name: &str| {
                json!({"metadata": {"name": name}, "status": {"nodeInfo": {"kubeletVersion": ""},
                    "conditions": [{"type": "Ready", "status": "True"}]}})
            };
            said(true, &json!({"items": nodes.lines().map(item).collect::<Vec<_>>()}).to_string())
        }
        ["kubectl", .., "get", "nodes", "--output", "name"] if root.join("run/silent").exists() => {
            said(false, "")
        }
        ["kubectl", .., "get", "nodes", "--output", "name"] => {
            let nodes = read(root, "run/nodes");
            said(true, &nodes.lines().map(|name| format!("node/{name}\n")).collect::<String>())
        }
        ["kubectl", .., "get", "nodes", "--output", "json"] => {
            let (away, own) = (read(root, "run/away"), read(root, "run/images"));
            let nodes = read(root, "run/nodes");
            let item = |name: &str| {
                let status = if away.contains(name) { "Unknown" } else { "True" };
                let more = read(root, "run/other-images").parse().unwrap_or(0);
                let more = (0..more).map(|nth| json!({"names": [format!("other:{nth}")]}));
                let own = json!({"names": own.lines().collect::<Vec<_>>()});
                let images: Vec<_> = more.chain([own]).collect();
                let versions = read(root, "run/kubelets");
                let of = |line: &str| Some(line.strip_prefix(name)?.trim().to_owned());
                let version = versions.lines().find_map(of);
                let is_master = read(root, "run/masters").lines().any(|one| one == name);
                let labels = match is_master {
                    true => json!({"node-role.kubernetes.io/control-plane": ""}),
                    false => json!({}),
                };
                let is_cordoned = read(root, "run/cordoned-masters").contains(name);
                json!({"metadata": {"name": name, "labels": labels},
                    "spec": {"unschedulable": is_cordoned}, "status": {"conditions":
                    [{"type": "Ready", "status": status, "message": "it says nothing"}],
                    "nodeInfo": {"kubeletVersion": version}, "images": images}})
            };
            said(true, &json!({"items": nodes.lines().map(item).collect::<Vec<_>>()}).to_string())
        }
        _ => return None,
    })
}

/// All other answers.
fn said_of(root: &Path, words: &[&str]) -> Option<Output> {
    Some(match words {
        ["ctr", "-n", "k8s.io", "tasks", "exec", _, _, _, _, more @ ..] => etcd(root, more)?,
        ["rpm", "-U", "--test", "--oldpackage", "--replacepkgs", "--", files @ ..]
        | ["rpm", "-U", "--test", "--oldpackage", "--", files @ ..] => {
            assert!(files.iter().all(|file| below(root, file).exists()), "{files:?}");
            let stderr = read(root, "run/rpm-refuses");
            Output { stderr: stderr.clone(), ..said(stderr.is_empty(), "") }
        }
        ["ctr", "-n", "k8s.io", "containers", "list"]
        | ["ctr", "-n", "k8s.io", "containers", "list", "--quiet"] => said(true, ""),
        ["crictl", .., "images", "--output", "json"] => {
            said(true, &read(root, "run/crictl-images"))
        }
        ["kubectl", .., "get", "--raw", "/readyz"] if !root.join("run/tasks").exists() => {
            said(true, "ok")
        }
        ["kubectl", .., "wait", "--for=condition=Ready", _, _] => said(true, ""),
        ["kubectl", .., "get", "--raw", path] if path.ends_with("/endpoints/kubernetes") => {
            let endpoints = read(root, "run/endpoints");
            let item = |line: &str| json!({"ip": line.split_once(' ').unwrap().0});
            let items: Vec<_> = endpoints.lines().map(item).collect();
            let subset = json!({"addresses": items, "ports": [{"port": 6443}]});
            said(true, &json!({ "subsets": [subset] }).to_string())
        }
        ["kubectl", .., "--server", server, "--request-timeout", _, "get", "--raw", "/version"] => {
            let endpoints = read(root, "run/endpoints");
            let of = |line: &str| {
                let (ip, version) = line.split_once(' ').unwrap();
                server.contains(&format!("//{ip}:")).then(|| version.to_owned())
            };
            let version = endpoints.lines().find_map(of);
            said(version.is_some(), &json!({"gitVersion": version}).to_string())
        }
        ["kubectl", .., "get", "--raw", "/version"] => {
            said(true, &json!({"gitVersion": read(root, "run/api-version")}).to_string())
        }
        ["rpmkeys", "--checksig", "--verbose", _] => {
            let signature = "V4 RSA/SHA512 Signature, key ID 3e1ba8d5: OK\n";
            said(
                true,
                if root.join("run/unsigned").exists() { "MD5 digest: OK\n" } else { signature },
            )
        }
        ["sh", "-c", _, "sh", package, program] if program.ends_with("/kubeadm") => {
            let is_there = root.join(package.trim_start_matches('/')).exists();
            said(is_there && !root.join("run/no-cpio").exists(), "")
        }
        [program, "upgrade", "diff", _, "--kubeconfig", _] if program.ends_with("/kubeadm") => {
            let stdout = read(root, "run/foreseen");
            said(!stdout.contains("error"), &stdout)
        }
        ["kubeadm", "upgrade", "diff", _, "--kubeconfig", _] => {
            let stdout = read(root, "run/by-hand");
            said(!stdout.contains("error"), &stdout)
        }
        ["kubectl", .., "get", "--raw", path] if path.contains("component%3D") => {
            let (_, component) = path.split_once("%3D").unwrap();
            let item = |line: &str| {
                let (node, rest) = line.split_once(' ').unwrap();
                let (tag, status) = rest.split_once(' ').unwrap_or((rest, "True"));
                let image = format!("registry.k8s.io/{component}:{tag}");
                json!({"spec": {"nodeName": node, "containers": [{"image": image}]},
                       "status": {"conditions": [{"type": "Ready", "status": status}]}})
            };
            let file = if component == "etcd" { "run/etcd-pods" } else { "run/api-servers" };
            let all = read(root, file);
            let items: Vec<_> = all.lines().map(item).collect();
            said(true, &json!({ "items": items }).to_string())
        }
        ["kubectl", .., "get", "--raw", "/metrics"] => said(true, &read(root, "run/metrics")),
        ["kubectl", .., "wait", version, _, "--timeout=10s"]
            if version.starts_with("--for=jsonpath=") =>
        {
            let version = version.rsplit('=').next().unwrap();
            said(read(root, "run/api-node.json").contains(version), "")
        }
        _ => return None,
    })
}

/// etcd's own programs.
fn etcd(root: &Path, words: &[&str]) -> Option<Output> {
    Some(match words {
        [.., "snapshot", "save", path] => {
            fs::write(below(root, path), "a snapshot").unwrap();
            said(true, "")
        }
        [.., "snapshot", "status", path] => said(below(root, path).exists(), "{\"revision\": 7}"),
        [.., "endpoint", "status"] | [.., "endpoint", "status", "--cluster"] => {
            let tasks = read(root, "run/tasks");
            let storage = read(root, "run/etcd-storage");
            let pod = fs::read_to_string(manifest(root, "etcd")).unwrap_or_default();
            let version = if pod.contains("3.6.1") { "3.6.1" } else { "3.5.9" };
            let mut status = json!({"version": version, "storageVersion": storage});
            if root.join("run/etcd-downgrade").exists() {
                status["downgradeInfo"] = json!({"enabled": true, "targetVersion": "3.5.0"});
            }
            let mut status = vec![json!({ "Status": status })];
            if words.last() == Some(&"--cluster") {
                let others = read(root, "run/etcd-others");
                let other = |version: &str| {
                    let storage = if version < "3.6" { version } else { &storage };
                    json!({"Status": {"version": version, "storageVersion": storage}})
                };
                status.extend(others.lines().map(other));
            }
            let status = json!(status);
            said(tasks.contains("etcd") && !root.join("run/etcd-ill").exists(), &status.to_string())
        }
        [.., "endpoint", "health"] => said(!root.join("run/etcd-ill").exists(), "is healthy"),
        _ => return None,
    })
}

/// Does it; gives whether it was one of these.
pub(super) fn change(root: &Path, words: &[&str]) -> Option<bool> {
    of_kubelet(root, words);
    on_disk(root, words).or_else(|| of_cluster(root, words))
}

/// Files and folders.
fn on_disk(root: &Path, words: &[&str]) -> Option<bool> {
    match words {
        ["sh", "-c", script, "sh", from @ .., to] if script.contains("cp --archive --parents") => {
            for path in from {
                copy(&below(root, path), &below(root, &format!("{to}{path}")));
            }
        }
        ["rm", "-rf", paths @ ..] => {
            for path in paths.iter().map(|path| below(root, path)) {
                drop(fs::remove_dir_all(&path));
                drop(fs::remove_file(&path));
            }
        }
        ["rmdir", path] => fs::remove_dir(below(root, path)).unwrap(),
        ["ctr", .., "snapshot", "restore", file, "--data-dir", new, _, _, _, _, _, _, _, _] => {
            assert_eq!(fs::read_to_string(below(root, file)).unwrap(), "a snapshot");
            fs::create_dir_all(below(root, new).join("member")).unwrap();
            fs::write(below(root, new).join("member/db"), "of the snapshot").unwrap();
        }
        ["mkdir", path] => fs::create_dir(below(root, path)).unwrap(),
        ["sync"] | ["crictl", .., "rmi", _] => {}
        ["mv", "--no-target-directory", from, to] | ["mv", from, to] => {
            fs::rename(below(root, from), below(root, to)).unwrap();
            // The newer etcd's data are gone.
            if *to == "/var/lib/etcd/member" {
                fs::write(root.join("run/etcd-storage"), "3.5.0").unwrap();
                drop(fs::remove_file(root.join("run/etcd-ill")));
            }
        }
        _ => return None,
    }
    Some(true)
}

/// What kubectl, kubeadm and etcdctl change.
fn of_cluster(root: &Path, words: &[&str]) -> Option<bool> {
    match words {
        ["kubectl", .., "cordon", _] => fs::write(root.join("run/cordoned"), "").unwrap(),
        ["kubectl", .., "uncordon", _] => drop(fs::remove_file(root.join("run/cordoned"))),
        ["kubectl", .., "create", "--raw", path, "--filename", "-"] => {
            let name = path.trim_start_matches("/api/v1/namespaces/").replace("/pods/", "/");
            let name = name.trim_end_matches("/eviction");
            let pods = read(root, "run/pods");
            let left = pods.lines().filter(|line| *line != name);
            fs::write(
                root.join("run/pods"),
                left.map(|one| format!("{one}\n")).collect::<String>(),
            )
            .unwrap();
        }
        ["kubeadm", "upgrade", "apply", version, ..] => {
            // It finds all pods, or refuses.
            if PODS.iter().any(|pod| !manifest(root, pod).exists()) {
                return Some(false);
            }
            PODS.iter().for_each(|pod| write_manifest(root, pod, version));
            fs::write(root.join("run/api-version"), version).unwrap();
            fs::write(root.join("run/etcd-storage"), "3.6.0").unwrap();
            fs::write(root.join("run/objects"), format!("as kubeadm {version} made it")).unwrap();
            settings(root, version);
        }
        ["kubeadm", "upgrade", "node", ..] if manifest(root, "etcd").exists() => {
            let objects = read(root, "run/objects");
            let version = objects.strip_prefix("kubernetesVersion: ").unwrap().trim();
            if PODS.iter().any(|pod| !manifest(root, pod).exists()) {
                return Some(false);
            }
            PODS.iter().for_each(|pod| write_manifest(root, pod, version));
            settings(root, version);
        }
        ["kubeadm", "upgrade", "node", ..] => settings(root, &read(root, "run/api-version")),
        ["ctr", "-n", "k8s.io", "tasks", "exec", .., "downgrade", "cancel"] => {
            fs::remove_file(root.join("run/etcd-downgrade")).unwrap();
        }
        ["ctr", "-n", "k8s.io", "tasks", "exec", .., "downgrade", "enable", "3.5"] => {
            if root.join("run/etcd-downgrade").exists() {
                return Some(false);
            }
            fs::write(root.join("run/etcd-downgrade"), "").unwrap();
            fs::write(root.join("run/etcd-storage"), "3.5.0").unwrap();
        }
        ["kubectl", .., "replace", "--filename", path] => {
            let text = fs::read_to_string(below(root, path)).unwrap();
            let list: serde_json::Value = serde_json::from_str(&text).unwrap();
            let own = list["items"][0]["data"]["all"].as_str().unwrap();
            fs::write(root.join("run/objects"), own).unwrap();
        }
        _ => return None,
    }
    Some(true)
}

/// kubelet starts and stops, beside what systemd notes.
fn of_kubelet(root: &Path, words: &[&str]) {
    match words {
        ["systemctl", "stop", "kubelet"] => {
            drop(fs::remove_file(root.join("run/systemd/failed/kubelet")));
        }
        ["systemctl", "restart" | "start", "kubelet"] if root.join("run/nodes").exists() => {
            let pods = root.join("etc/kubernetes/manifests");
            if let Ok(text) = fs::read_to_string(pods.join("kube-apiserver.yaml")) {
                let (_, tag) = text.trim_end().trim_end_matches("}]}").rsplit_once(':').unwrap();
                fs::write(root.join("run/api-version"), tag).unwrap();
            }
            // An older etcd has gone where it was told.
            if fs::read_to_string(pods.join("etcd.yaml")).is_ok_and(|pod| pod.contains("3.5.9")) {
                drop(fs::remove_file(root.join("run/etcd-downgrade")));
            }
            if words[1] == "start" && pods.exists() {
                super::control_plane::start(root);
            }
            let packages = read(root, "run/packages");
            let own = packages.lines().find_map(|line| line.strip_prefix("kubelet - "));
            let version = own.and_then(|rest| rest.split('-').next()).unwrap();
            let node = super::member::READY.replace("v1.28.2", &format!("v{version}"));
            fs::write(root.join("run/api-node.json"), node).unwrap();
        }
        _ => {}
    }
}

/// kubeadm was killed when it had moved a file away.
pub(super) fn cut_short(root: &Path) {
    drop(fs::remove_file(manifest(root, "etcd")));
}

/// kubeadm writes kubelet's settings, without those of the cluster file.
fn settings(root: &Path, version: &str) {
    let text = format!("# by kubeadm {version}\nmaxPods: 110\n");
    fs::write(root.join("var/lib/kubelet/config.yaml"), text).unwrap();
}

/// What kubelet starts a pod of this version from.
pub(crate) fn write_manifest(root: &Path, pod: &str, version: &str) {
    let tag = match pod {
        "etcd" if version == "v1.28.2" => "3.5.9-0",
        "etcd" => "3.6.1-0",
        _ => version,
    };
    let text = format!("spec: {{containers: [{{image: registry.k8s.io/{pod}:{tag}}}]}}\n");
    let path = manifest(root, pod);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn manifest(root: &Path, pod: &str) -> PathBuf {
    root.join("etc/kubernetes/manifests").join(format!("{pod}.yaml"))
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
        return;
    }
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}
