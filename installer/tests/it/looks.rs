//! Commands that only look, run as a person runs them, over a folder that has a
//! node's files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bundle_format::Digest;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::lock::DisabledCheck;
use bundle_format::text::is_hidden;
use installer::inventory::Inventory;
use installer::join::Expiry;
use installer::join::JoinFile;
use installer::role::Role;
use serde_json::Value;

use crate::node::Node;
use crate::node::intent::{target, unsigned, write_bundle_of};
use crate::node::member::{Authority, config_of};

const TOKEN: &str = "abcdef.0123456789abcdef";

/// A folder with a bundle and a bare node.
fn folder() -> tempfile::TempDir {
    folder_with("{}")
}

/// The same, where the bundle has keys of the cluster file.
fn folder_with(cluster: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let architecture = std::env::consts::ARCH.parse().unwrap();
    write_bundle_of(&folder.path().join("small.tar"), &[], |lock| {
        lock.targets = vec![target(architecture)];
        lock.cluster = serde_saphyr::from_str(cluster).unwrap();
    });
    let files = [
        ("etc/os-release", "PRETTY_NAME=\"Rocky Linux 9.3\"\nPLATFORM_ID=\"platform:el9\"\n"),
        ("etc/hosts", "127.0.0.1 localhost\n"),
        ("proc/sys/kernel/hostname", "node-1\n"),
        ("proc/meminfo", "MemTotal: 3995432 kB\n"),
        ("proc/cpuinfo", "processor\t: 0\nprocessor\t: 1\n"),
        ("var/lib/none", ""),
    ];
    for (path, text) in files {
        let path = folder.path().join("node").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Exit status, standard output, standard error.
fn run(folder: &Path, line: &str) -> (i32, String, String) {
    run_with(folder, line, &[])
}

/// With these variables.
fn run_with(folder: &Path, line: &str, variables: &[(&str, &str)]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_installer"))
        .args(line.split(' '))
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const NODE: &str = "--role master --bundle small.tar --address 10.0.0.2 --root node";

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
    let write = |checks: &[&str]| {
        let repository = serde_json::json!({
            "id": "own", "baseUrl": "http://own/", "repomd": Digest::of(b""), "keys": []
        });
        write_bundle_of(&folder.path().join("small.tar"), &[], |lock| {
            lock.targets = vec![target(architecture)];
            lock.targets[0].repositories = vec![serde_json::from_value(repository).unwrap()];
            let off = |check: &&str| {
                let check = unsigned(check);
                DisabledCheck { subject: format!("{id}/own"), ..check }
            };
            lock.disabled_checks = checks.iter().map(off).collect();
        });
    };
    write(&["gpgcheck", "repoGpgcheck"]);
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
    for checks in [&[][..], &["repoGpgcheck"], &["expiredKeys"]] {
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
    let done = "these steps are done; nothing is to be done\n".to_owned();
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
fn the_cluster_file_is_shown_with_origins_and_without_the_token() {
    let folder = folder_with("{podCidr: 10.8.0.0/16, ntpServers: [time.site]}");
    let name = |text: &str| NodeName::try_from(text.to_owned()).unwrap();
    let join = JoinFile {
        endpoint: "10.0.0.1:6443".to_owned(),
        token: TOKEN.to_owned(),
        expires: Expiry::after(Duration::from_secs(3600)).unwrap(),
        ca_cert_hash: Digest::of(b""),
        master: name("master"),
        master_address: [10, 0, 0, 1].into(),
        cluster: Cluster::default(),
        machines: Vec::new(),
    };
    fs::write(folder.path().join("join.yaml"), join.text().unwrap()).unwrap();
    fs::write(folder.path().join("cluster.yaml"), "podCidr: 10.9.0.0/16\n").unwrap();
    let config = |line: &str| {
        let line = format!("config --address 10.0.0.2 --root node {line}");
        let (status, out, err) = run(folder.path(), &line);
        assert_eq!((status, err.as_str()), (0, ""));
        serde_saphyr::from_str::<Cluster>(&out).unwrap();
        assert!(!out.contains(TOKEN));
        out
    };
    let master = config("--role master --config cluster.yaml --bundle small.tar");
    for line in [
        "# a master: node-1 # guessed from the node\n",
        "# at 10.0.0.2 # --address\n",
        "podCidr: 10.9.0.0/16 # cluster.yaml\n",
        "ntpServers: # the bundle\n- time.site\n",
        "serviceCidr: 10.96.0.0/12 # default\n",
        "endpoint: 10.0.0.2:6443 # guessed from the node\n",
    ] {
        assert!(master.contains(line), "{line}{master}");
    }
    let worker = config("--role worker --join join.yaml --node-name w");
    for line in [
        "# a worker: w # --node-name\n",
        "podCidr: 10.244.0.0/16 # join file\n",
        "endpoint: 10.0.0.1:6443 # join file\n",
    ] {
        assert!(worker.contains(line), "{line}{worker}");
    }
}

#[test]
fn an_inventory_lists_packages_in_columns_below_the_facts() {
    let packages = "dbus 1 1.12-8.el9 x86_64\nbash - 5.1-6.el9 x86_64\n";
    let hostname = ("proc/sys/kernel/hostname", 0o644, "node-1\n");
    let node = Node::new(Role::Worker, &[("run/packages", 0o644, packages), hostname]);
    let inventory = Inventory::take(&node.look(None).0).unwrap();
    let list = inventory.list();
    assert!(list.contains("# host name: node-1\n"), "{list}");
    assert!(list.ends_with("bash\t5.1-6.el9\tx86_64\ndbus\t1:1.12-8.el9\tx86_64\n"), "{list}");
    let json = serde_json::to_value(&inventory).unwrap();
    assert_eq!(json["packages"][1]["evr"], "1:1.12-8.el9");
    assert_eq!(json["facts"]["hostName"], "node-1");
}

#[test]
fn where_rpm_does_not_answer_there_is_no_inventory() {
    let folder = folder();
    let (status, out, err) = run(folder.path(), "inventory --root node");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("error: rpm does not list this node's packages: "), "{err}");
    assert!(err.contains("\nhint: "), "{err}");
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
    let problem = "problem: podCidr is 10.244.0.0/16 on this node, and 10.9.0.0/16 is asked for\n";
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
fn a_kubeconfig_is_for_workers_and_is_no_secret_told() {
    let folder = folder();
    fs::write(folder.path().join("jane.conf"), format!("{TOKEN}: [")).unwrap();
    let line = format!("plan {NODE} --with-kubeconfig jane.conf");
    let (status, _, err) = run(folder.path(), &line);
    assert_eq!(status, 1);
    assert!(err.starts_with("error: --with-kubeconfig is for workers; a master has"), "{err}");
    let join = JoinFile {
        endpoint: "127.0.0.1:9".to_owned(),
        token: TOKEN.to_owned(),
        expires: Expiry::after(Duration::from_secs(3600)).unwrap(),
        ca_cert_hash: Digest::of(b""),
        master: NodeName::try_from("m".to_owned()).unwrap(),
        master_address: [10, 0, 0, 1].into(),
        cluster: Cluster::default(),
        machines: Vec::new(),
    };
    fs::write(folder.path().join("join.yaml"), join.text().unwrap()).unwrap();
    let line = line.replace("--role master", "--role worker --join join.yaml");
    let (status, _, err) = run(folder.path(), &line);
    let broken = "error: jane.conf is not a kubeconfig for this\n  caused by: it is not as a \
                  kubeconfig should be\nhint: make one on the master with `installer kubeconfig`, \
                  and copy it here\n";
    assert_eq!((status, err.as_str()), (1, broken));
    let authority = Authority::new();
    let text = config_of(&authority.pem, "10.0.0.1:6443", Some(&authority.issue("j", 2020, 2090)));
    fs::write(folder.path().join("jane.conf"), &text).unwrap();
    let (status, out, err) = run(folder.path(), &line);
    assert_eq!(status, 1);
    assert!(out.contains("kubeconfig\n  write /root/.kube/config\n"), "{out}");
    assert!(err.contains("problem: jane.conf is of another cluster"), "{err}");
    assert!(!out.contains("client-key-data"), "{out}");
}

#[test]
fn what_was_typed_amiss_has_its_cure() {
    let folder = folder();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (line, what, cure) in [
        (NODE.replace("node", "none"), "none is no folder\n", "--root takes a folder"),
        (NODE.replace("--address 10.0.0.2 ", ""), "the folder node does not say", "--address"),
        (NODE.replace("small.tar", "empty"), "no bundle lies in empty\n", "--bundle FILE"),
        (format!("{NODE} --join join.yaml"), "--join is for workers;", "leave it out"),
    ] {
        let (status, out, err) = run(folder.path(), &format!("plan {line}"));
        assert_eq!((status, out.as_str()), (1, ""), "{line}");
        let (told, hint) = err.split_once("hint: ").unwrap();
        assert!(told.starts_with(&format!("error: {what}")) && hint.contains(cure), "{err}");
    }
}

#[test]
fn a_mistake_in_the_cluster_file_is_a_line() {
    let folder = folder();
    fs::write(folder.path().join("cluster.yaml"), "ingress: true\npodCIDR: 10.1.0.0/16\n").unwrap();
    let (status, _, err) = run(folder.path(), &format!("plan {NODE} --config cluster.yaml"));
    assert_eq!((status, err.lines().count()), (1, 2), "{err}");
    let begin = "error: cluster.yaml:2:1: unknown field `podCIDR`: write `podCidr` instead\nhint: ";
    assert!(err.starts_with(begin), "{err}");
}

#[test]
fn a_log_is_named_only_where_one_was_written() {
    let folder = folder();
    fs::write(folder.path().join("node/proc/cpuinfo"), "processor\t: 0\n").unwrap();
    let (status, _, err) = run(folder.path(), &format!("{NODE} --dry-run"));
    assert_eq!(status, 1);
    assert!(err.ends_with("error: a problem is in the way; nothing was changed\n"), "{err}");
    let (status, _, err) = run(folder.path(), "--role master --bundle none.tar");
    assert_eq!(status, 1);
    assert!(err.starts_with("error: opening none.tar\n") && !err.contains("log:"), "{err}");
}

#[test]
fn what_a_step_cannot_plan_with_is_told_beside_what_else_is_in_the_way() {
    let folder = folder();
    let node = folder.path().join("node");
    fs::write(node.join("proc/cpuinfo"), "processor\t: 0\n").unwrap();
    fs::create_dir_all(node.join("etc/containerd")).unwrap();
    fs::write(node.join("etc/containerd/config.toml"), "version = 2\n[plugins\n").unwrap();
    for command in ["plan", "preflight"] {
        let (status, _, err) = run(folder.path(), &format!("{command} {NODE}"));
        assert_eq!(status, 1);
        for words in ["this node has 1", "is not TOML: line 2", "writes a new one"] {
            assert!(err.contains(words), "{command}: {err}");
        }
    }
}

#[test]
fn nothing_is_put_into_a_folder_for_temporary_files() {
    let folder = folder();
    let line = format!("plan {NODE}");
    let (status, _, err) = run_with(folder.path(), &line, &[("TMPDIR", "/no/such/folder")]);
    assert_eq!(status, 0, "{err}");
}

#[test]
fn commands_get_no_proxy_and_are_found_without_a_path() {
    let folder = folder();
    let rpm = folder.path().join("rpm");
    let text = "#!/bin/sh\nchroot / printf '%s\\t1\\tnoarch\\n' \
                \"p${https_proxy}${HTTPS_PROXY}${http_proxy}${NO_PROXY}\"\n";
    fs::write(&rpm, text).unwrap();
    fs::set_permissions(&rpm, fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().to_str().unwrap();
    let proxy = "http://proxy.site:3128";
    let variables = [
        ("PATH", path),
        ("https_proxy", proxy),
        ("HTTPS_PROXY", proxy),
        ("http_proxy", proxy),
        ("NO_PROXY", proxy),
    ];
    let (status, out, err) = run_with(folder.path(), "inventory", &variables);
    assert_eq!(status, 0, "{err}");
    assert!(out.ends_with("\np\t1\tnoarch\n"), "{out}");
}

#[test]
fn the_manual_is_in_the_program() {
    let folder = tempfile::tempdir().unwrap();
    for (page, file) in [("", "install.md"), ("doctor", "doctor.md")] {
        let (status, out, _) = run(folder.path(), format!("manual {page}").trim());
        let text = fs::read_to_string(Path::new("../docs").join(file)).unwrap();
        assert_eq!((status, out), (0, text));
    }
}

#[test]
fn a_worker_is_rehearsed_by_a_sample_of_a_join_file() {
    let folder = folder();
    let cluster = "nodes: [{name: m, address: 10.0.0.1}, {name: w, address: 10.0.0.20}]\n";
    fs::write(folder.path().join("cluster.yaml"), cluster).unwrap();
    let (status, _, err) =
        run(folder.path(), "token --sample --config cluster.yaml --output join.yaml");
    assert_eq!((status, err.as_str()), (0, ""));
    let worker = "--role worker --join join.yaml --bundle small.tar --address 10.0.0.2 --root node";
    let (status, out, err) = run(folder.path(), &format!("plan {worker}"));
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("becomes a worker of Kubernetes"), "{out}");
    let note = "note: 10.0.0.2 is none of `nodes` of the cluster file, which has m at 10.0.0.1, w at \
                10.0.0.20; did you mean 10.0.0.1?\n";
    assert_eq!(err.matches(note).count(), 1, "{err}");
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

#[test]
fn a_token_is_in_no_file_that_is_shown() {
    let folder = folder();
    let sample = JoinFile::sample(Cluster::default()).unwrap();
    let text = sample.text().unwrap().replace("sample.0000000000000000", TOKEN);
    fs::write(folder.path().join("join.yaml"), text).unwrap();
    let worker =
        "plan --role worker --join join.yaml --bundle small.tar --address 10.0.0.2 --root node";
    let (_, plan, _) = run(folder.path(), worker);
    let written = plan.lines().filter_map(|line| line.trim().strip_prefix("write "));
    let mut count = 0;
    for path in written.map(|line| line.split(',').next().unwrap()) {
        let (status, out, err) = run(folder.path(), &format!("{worker} --show {path}"));
        assert_eq!(status, 0, "{path}: {err}");
        assert!(!out.contains(TOKEN), "{path}: {out}");
        count += usize::from(out.contains("(secret, not shown)"));
    }
    assert!(count >= 1, "{plan}");
}

#[test]
fn a_password_in_an_endpoint_is_refused_and_not_printed() {
    let folder = folder();
    fs::write(folder.path().join("cluster.yaml"), "endpoint: u:word@m:6443\n").unwrap();
    let joins = JoinFile::sample(Cluster::default()).unwrap().text().unwrap();
    let joins = joins.replace("endpoint: 192.0.2.1:6443", "endpoint: u:word@m:6443");
    fs::write(folder.path().join("join.yaml"), joins).unwrap();
    let joined = "--role worker --join join.yaml --bundle small.tar --address 10.0.0.2 --root node";
    for line in [format!("config {NODE} --config cluster.yaml"), format!("config {joined}")] {
        let (status, out, err) = run(folder.path(), &line);
        assert_eq!((status, out.as_str()), (1, ""), "{line}");
        assert!(err.contains("no user and no password") && !err.contains("word@"), "{err}");
    }
}

#[test]
fn what_was_given_in_anothers_place_is_named() {
    let folder = folder();
    for (name, text) in [
        ("key.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        ("spec.yaml", "name: a\nkubernetes: {version: 1.28.2}\ntargets: []\n"),
        ("person.conf", "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\n"),
        ("cluster.yaml", "podCidr: 10.9.0.0/16\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let joined = "plan --role worker --bundle small.tar --address 10.0.0.2 --root node";
    for (line, words) in [
        (
            format!("plan {NODE} --config key.asc"),
            "key.asc is an OpenPGP public key, and no cluster file",
        ),
        (
            format!("plan {NODE} --config spec.yaml"),
            "spec.yaml is a bundle's spec, and no cluster file",
        ),
        (
            format!("plan {NODE} --config person.conf"),
            "person.conf is a kubeconfig, and no cluster file",
        ),
        (
            format!("{joined} --join cluster.yaml"),
            "cluster.yaml is a cluster file, and not a join file",
        ),
        (format!("{joined} --join small.tar"), "small.tar"),
        ("verify cluster.yaml".to_owned(), "it is a cluster file"),
        ("verify key.asc".to_owned(), "it is an OpenPGP public key"),
    ] {
        let (status, _, err) = run(folder.path(), &line);
        assert!(status == 1 && err.contains(words), "{line}: {err}");
    }
}

#[test]
fn the_schema_of_the_cluster_file_is_printed() {
    let (status, out, _) = run(Path::new("."), "schema");
    let schema: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (status, &schema["$schema"]),
        (0, &"http://json-schema.org/draft-07/schema#".into())
    );
    assert!(schema["properties"]["podCidr"]["pattern"].is_string(), "{out}");
}
