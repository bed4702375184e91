//! The control plane of a small node: kubelet's containers of its pods, and kubeadm.
//! `run/tasks` has a container and its name a line, `run/container-images` one with its image, `run/renewed` what kubeadm
//! writes when it renews, a folder for each time, `run/kubeadm` its help, and `run/person` the kubeconfig
//! that it makes.

use std::fs;
use std::path::Path;

use installer::exec::Output;

use super::commands::said;

/// kubelet starts each pod that has a file and no container.
pub(super) fn start(root: &Path) {
    let mut names: Vec<String> = fs::read_dir(root.join("etc/kubernetes/manifests"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".yaml", ""))
        .collect();
    names.sort();
    let before = read(root, "run/tasks");
    let started = read(root, "run/started");
    let number = started.lines().count();
    let new: Vec<String> = names
        .iter()
        .filter(|name| !before.lines().any(|line| line.ends_with(&format!(" {name}"))))
        .enumerate()
        .map(|(nth, name)| format!("id-{} {name}\n", number + nth))
        .collect();
    fs::write(root.join("run/tasks"), before + &new.concat()).unwrap();
    fs::write(root.join("run/started"), started + &new.concat()).unwrap();
}

/// A container ends; gives whether it was there.
pub(super) fn end(root: &Path, id: &str, starts_again: bool) -> bool {
    let before = read(root, "run/tasks");
    let mut left: Vec<&str> = before.lines().collect();
    left.retain(|line| line.split_once(' ').unwrap().0 != id);
    if left.len() == before.lines().count() {
        return false;
    }
    let left: String = left.iter().map(|line| format!("{line}\n")).collect();
    fs::write(root.join("run/tasks"), left).unwrap();
    if starts_again {
        start(root);
    }
    true
}

/// `ctr tasks list`, with a container that has ended.
pub(super) fn tasks(root: &Path) -> Output {
    let own = read(root, "run/tasks");
    let lines =
        own.lines().map(|line| format!("{}    7    RUNNING\n", line.split_once(' ').unwrap().0));
    let head = "TASK    PID    STATUS    \nid-ended    0    STOPPED\n".to_owned();
    said(true, &(head + &lines.collect::<String>()))
}

/// `ctr containers list --quiet`: those by a pod's name, also when they have ended.
pub(super) fn containers(root: &Path, filter: &str) -> Output {
    let name = filter.strip_prefix(
        "labels.\"io.kubernetes.pod.namespace\"==kube-system,\
         labels.\"io.kubernetes.container.name\"==",
    );
    let own = read(root, "run/tasks");
    let of_name = own.lines().filter_map(|line| line.split_once(' '));
    let of_name = of_name.filter(|(_, of)| Some(*of) == name).map(|(id, _)| format!("{id}\n"));
    said(true, &("id-ended\n".to_owned() + &of_name.collect::<String>()))
}

/// `ctr containers list` of a namespace: `run/container-images` has an ID and its image a line.
pub(super) fn with_images(root: &Path) -> Output {
    let own = read(root, "run/container-images");
    let lines = own.lines().map(|line| line.replace(' ', "    ") + "    io.containerd.runc.v2\n");
    let head = "CONTAINER    IMAGE    RUNTIME\nid-ended    old:1    io.containerd.runc.v2\n";
    said(true, &(head.to_owned() + &lines.collect::<String>()))
}

/// `kubeadm certs renew all` writes over what is there, and reads it first.
pub(super) fn renew(root: &Path) {
    let before = read(root, "run/renewals");
    fs::write(root.join("run/renewals"), format!("{before}once more\n")).unwrap();
    let new = root.join(format!("run/renewed/{}", before.lines().count()));
    for line in read(root, "run/renewed/list").lines() {
        let path = root.join(line);
        // What is new is made like what is old.
        let old = fs::read_to_string(&path).unwrap();
        let has_one = ["END CERTIFICATE", "client-certificate-data"];
        assert!(has_one.iter().any(|word| old.contains(word)), "kubeadm cannot read {line}");
        fs::copy(new.join(line), path).unwrap();
    }
}

pub(super) fn help(root: &Path, words: &[&str]) -> Output {
    let known = read(root, "run/kubeadm");
    let (form, help) = known.split_once('\n').unwrap_or_default();
    said(form == words.join(" "), help)
}

/// `kubeadm kubeconfig user`, which leaves what it was asked for.
pub(super) fn person(root: &Path, options: &[&str]) -> Output {
    fs::write(root.join("run/person-asked"), options.join(" ")).unwrap();
    let text = read(root, "run/person");
    said(!text.is_empty(), &text)
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}
