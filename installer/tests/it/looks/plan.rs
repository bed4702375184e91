//! `installer plan` and `preflight`.

use std::fs;

use bundle_format::Digest;
use bundle_format::lock::{CheckName, DisabledCheck};
use bundle_format::text::is_hidden;
use serde_json::Value;

use super::{NODE, folder, folder_with, run};
use crate::node::intent::{target, unsigned, write_bundle_of};

#[test]
fn a_plan_is_a_dry_run() {
    let folder = folder();
    let plan = run(folder.path(), &format!("plan {NODE} --skip swap"));
    assert_eq!(plan.0, 0, "{}", plan.2);
    assert!(plan.1.contains("\nhosts\n  write /etc/hosts\n"), "{}", plan.1);
    assert_eq!(plan, run(folder.path(), &format!("{NODE} --skip swap --dry-run")));
    assert!(!folder.path().join("node/var/lib/kubeferry").exists());
}

#[test]
fn a_check_that_is_off_is_in_the_plan_with_its_reason() {
    let folder = folder();
    let architecture = std::env::consts::ARCH.parse().unwrap();
    let id = target(architecture).id;
    let write = |checks: &[CheckName]| {
        let repository = serde_json::json!({
            "id": "own", "baseUrl": "http://own/", "repomd": Digest::of(b""), "keys": []
        });
        write_bundle_of(&folder.path().join("small.tar"), &[], |lock| {
            lock.targets = vec![target(architecture)];
            lock.targets[0].repositories = vec![serde_json::from_value(repository).unwrap()];
            let off = |check: &CheckName| {
                let check = unsigned(*check);
                DisabledCheck { subject: format!("{id}/own"), ..check }
            };
            lock.disabled_checks = checks.iter().map(off).collect();
        });
    };
    write(&[CheckName::Gpgcheck, CheckName::RepoGpgcheck]);
    let (status, out, err) = run(folder.path(), &format!("plan {NODE} --only hosts"));
    assert_eq!(status, 0, "{err}");
    for words in [
        "\nchecks that the bundle's spec has switched off",
        &format!("\n  gpgcheck for {id}/own: its packages' signatures were not checked"),
        "installs all packages with gpgcheck=0: its maker signs nothing\n",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let (_, out, _) = run(folder.path(), &format!("plan {NODE} --only hosts --json"));
    let plan: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["disabledChecks"][0]["reason"], "its maker signs nothing");
    // Nobody's word is no word.
    for checks in [&[][..], &[CheckName::RepoGpgcheck], &[CheckName::ExpiredKeys]] {
        write(checks);
        let (status, out, err) = run(folder.path(), &format!("plan {NODE} --only hosts"));
        assert_eq!((status, out.as_str()), (1, ""), "{checks:?}");
        assert!(err.contains("its gpgcheck is not switched off"), "{checks:?}: {err}");
    }
}

#[test]
fn a_nodes_texts_move_no_cursor_and_forge_no_line() {
    let folder = folder();
    let hostile = "x\u{1b}[2J\r\u{7}\u{9b}\u{202e}\u{2028}y";
    let write = |path: &str, text: &str| {
        fs::write(folder.path().join("node").join(path), text).unwrap();
    };
    write(
        "etc/os-release",
        &format!("PRETTY_NAME=\"Rocky {hostile}\"\nPLATFORM_ID=\"platform:el9\"\nID={hostile}\n"),
    );
    write("proc/sys/kernel/hostname", &format!("node-1{hostile}\n"));
    write("etc/hosts", &format!("127.0.0.1 {hostile}\n"));
    fs::create_dir_all(folder.path().join("node/proc/sys/kernel")).unwrap();
    write("proc/sys/kernel/osrelease", &format!("5.14{hostile}\n"));
    fs::write(folder.path().join(format!("{hostile}\nhint: x.yaml")), "nodes: [\n").unwrap();
    let config = format!("--config {hostile}\nhint:");
    for line in [
        format!("plan {NODE}"),
        format!("plan {NODE} --json"),
        format!("preflight {NODE}"),
        format!("preflight {NODE} --json"),
        "inventory --root node".to_owned(),
        "inventory --root node --json".to_owned(),
        format!("config {NODE}"),
        format!("plan {NODE} {config}"),
        format!("plan {NODE} --only {hostile}"),
        format!("plan {NODE} --node-name {hostile}"),
        format!("verify {hostile}\nhint:"),
        hostile.to_owned(),
    ] {
        let (_, out, err) = run(folder.path(), &line);
        let text = out + &err;
        assert!(!text.is_empty(), "{line:?}");
        let hidden = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        assert!(!text.contains(hidden), "{line:?}: {text:?}");
        assert!(!text.contains("\nhint: x"), "{line:?}: {text:?}");
    }
}

#[test]
fn of_some_steps_a_node_becomes_nothing_yet() {
    let folder = folder();
    let plan = |more: &str| run(folder.path(), &format!("plan {NODE} {more}"));
    let done = "these steps are done; there is nothing to do\n".to_owned();
    assert_eq!(plan("--only selinux"), (0, done, String::new()));
    let (status, out, err) = plan("--only hosts --skip hosts");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("error: --only and --skip leave no step\nhint: "), "{err}");
    let (status, _, err) = plan("--only hosts");
    assert_eq!((status, err.as_str()), (0, "nothing was changed\n"));
}

#[test]
fn a_program_can_read_plan_and_problems() {
    let folder = folder();
    let (status, out, err) = run(folder.path(), &format!("plan {NODE} --only hosts --json"));
    assert_eq!(status, 0, "{err}");
    let plan: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["steps"][0]["step"], "hosts");
    assert_eq!(plan["steps"][0]["changes"][0], "write /etc/hosts");
    assert_eq!((&plan["role"], &plan["name"]), (&"master".into(), &"node-1".into()));
    assert_eq!(plan["problems"], serde_json::json!([]));
    let (same, ..) = run(folder.path(), &format!("{NODE} --only hosts --json"));
    assert_eq!(same, 2, "a run that may change something prints no JSON");

    fs::write(folder.path().join("node/proc/cpuinfo"), "processor\t: 0\n").unwrap();
    for command in ["plan", "preflight"] {
        let (status, out, err) = run(folder.path(), &format!("{command} {NODE} --json"));
        assert_eq!(status, 1);
        assert_eq!(err, "error: a problem is in the way; nothing was changed\n");
        let told: Value = serde_json::from_str(&out).unwrap();
        let problem = "a master needs 2 processors, and this node has 1";
        assert_eq!(told["problems"][0]["problem"], problem);
        assert_eq!(told["problems"][0]["cure"], "give it more");
    }
}

#[test]
fn preflight_says_what_the_node_is_and_no_plan() {
    let folder = folder();
    let (status, out, err) = run(folder.path(), &format!("preflight {NODE}"));
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("system         Rocky Linux 9.3\n"), "{out}");
    assert!(out.ends_with("\nnothing is in the way of a master\n"), "{out}");
    assert!(!out.contains("/etc/hosts"), "{out}");
}

#[test]
fn a_warning_is_told_with_its_hint_and_refuses_nothing() {
    let folder = folder();
    fs::write(folder.path().join("node/etc/machine-id"), "").unwrap();
    for command in ["preflight", "plan"] {
        let (status, out, err) = run(folder.path(), &format!("{command} {NODE}"));
        assert_eq!(status, 0, "{err}");
        assert!(err.starts_with("warning: this node has no machine ID"), "{err}");
        assert!(err.contains("\n  hint: `systemd-machine-id-setup`"), "{err}");
        assert!(!out.contains("warning"), "{out}");
        let (status, out, _) = run(folder.path(), &format!("{command} {NODE} --json"));
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, told["problems"].as_array().unwrap().len()), (0, 0));
        let warning = &told["warnings"][0];
        assert!(warning["warning"].as_str().unwrap().starts_with("this node has no machine ID"));
        assert!(warning["cure"].as_str().unwrap().contains("restart the node"));
    }
}

#[test]
fn a_plan_for_a_node_in_its_cluster_says_what_is_settled() {
    let folder = folder_with("podCidr: 10.8.0.0/16");
    let node = folder.path().join("node");
    let told = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n\
                kubernetesVersion: v1.28.2\ncontrolPlaneEndpoint: 10.0.0.2:6443\n\
                networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12}\n";
    for (path, text) in [("etc/kubernetes/admin.conf", ""), ("opt/kubernetes/kubeadm.yaml", told)] {
        fs::create_dir_all(node.join(path).parent().unwrap()).unwrap();
        fs::write(node.join(path), text).unwrap();
    }
    fs::write(folder.path().join("cluster.yaml"), "podCidr: 10.9.0.0/16\n").unwrap();
    let (status, _, err) = run(folder.path(), &format!("plan {NODE} --config cluster.yaml"));
    assert_eq!(status, 1);
    let problem = "problem: podCidr is 10.244.0.0/16 on this node, and cannot become 10.9.0.0/16\n";
    assert!(err.contains(problem), "{err}");

    // What the bundle says where the file does not is asked for as well.
    let (status, _, err) = run(folder.path(), &format!("plan {NODE}"));
    assert_eq!(status, 1);
    assert!(err.contains(&problem.replace("10.9.", "10.8.")), "{err}");
    fs::write(folder.path().join("cluster.yaml"), "podCidr: 10.244.0.0/16\n").unwrap();
    let (_, _, err) = run(folder.path(), &format!("plan {NODE} --config cluster.yaml"));
    assert!(!err.contains("podCidr is"), "{err}");
}

#[test]
fn what_a_step_cannot_plan_with_is_told_beside_what_else_is_in_the_way() {
    let folder = folder();
    let node = folder.path().join("node");
    fs::write(node.join("proc/cpuinfo"), "processor\t: 0\n").unwrap();
    fs::create_dir_all(node.join("etc/containerd")).unwrap();
    fs::write(node.join("etc/containerd/config.toml"), "version = 2\n[plugins\n").unwrap();
    // Each of them, and not the first alone.
    fs::create_dir_all(node.join("run/sysctl.d")).unwrap();
    fs::write(node.join("run/sysctl.d/zzz.conf"), "net.ipv4.ip_forward=0\n").unwrap();
    let second = "/run/sysctl.d/zzz.conf has `net.ipv4.ip_forward=0`, and is written again";
    for command in ["plan", "preflight"] {
        let (status, _, err) = run(folder.path(), &format!("{command} {NODE}"));
        assert_eq!(status, 1);
        for words in ["this node has 1", "is not TOML: line 2", "writes a new one", second] {
            assert_eq!(err.matches(words).count(), 1, "{command}: {err}");
        }
    }
}

#[test]
fn the_plan_shows_what_a_file_becomes_without_secrets() {
    let folder = folder();
    let show = |file: &str| run(folder.path(), &format!("plan {NODE} --node-name m --show {file}"));
    let (status, out, err) = show("/etc/hosts");
    assert_eq!(status, 0, "{err}");
    let begin = "--- /etc/hosts (as it is)\n+++ /etc/hosts (as planned)\n@@ ";
    assert!(out.starts_with(begin), "{out}");
    assert!(out.contains("\n 127.0.0.1 localhost\n") && out.contains("\n+10.0.0.2 m"), "{out}");
    // What a command reads.
    let (_, plan, _) = run(folder.path(), &format!("plan {NODE} --node-name m"));
    let kubeadm = plan.lines().find_map(|line| {
        line.trim().strip_prefix("write /").filter(|path| path.contains("kubeadm"))
    });
    let kubeadm = kubeadm.unwrap().split(',').next().unwrap();
    let (status, out, _) = show(&format!("/{kubeadm}"));
    assert!(status == 0 && out.contains("+kind: ClusterConfiguration"), "{out}");
    let (status, _, err) = show("/etc/host");
    assert_eq!(status, 1);
    let told = "error: the plan does not write /etc/host\nhint: did you mean /etc/hosts?\n";
    assert_eq!(err, told);
    let (status, out, _) = show("/opt/kubernetes/join.yaml");
    assert!(status == 0 && out.contains("its text is known only then"), "{out}");
}
