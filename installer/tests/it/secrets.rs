//! What a join file has of secrets reaches a node in files for root alone, and in no
//! command's arguments.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use installer::engine::run;
use installer::install::Change;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::join::{TOKEN, for_master};
use crate::node::{Node, kinds};

/// A node that joins: a worker, or a further master with the certificate key.
fn joining(role: Role) -> Node {
    let mut node = kinds::bare(role);
    if role == Role::Master {
        node.change = |intent| intent.join = Some(for_master(intent.cluster.clone()));
    }
    node
}

#[test]
fn a_secret_is_in_files_for_root_alone_and_in_no_arguments() {
    let key = "ab".repeat(32);
    let is_secret = |text: &str| text.contains(TOKEN) || text.contains(&key);
    for (role, name) in [(Role::Worker, StepName::Join), (Role::Master, StepName::ControlPlane)] {
        let node = joining(role);
        let mut steps = order::steps(role);
        steps.retain(|step| step.name() == name);
        let plan = run::plan(&node.look(None).0, &node.intent(), &steps).unwrap();
        let mut written = 0;
        for change in &plan[0].changes {
            match change {
                Change::Write { path, text, mode, then, .. } => {
                    let holds = is_secret(&String::from_utf8_lossy(text));
                    written += usize::from(holds);
                    assert!(!holds || *mode == 0o600, "{role:?}: {} is {mode:o}", path.display());
                    assert!(!then.iter().any(|then| is_secret(&then.to_string())));
                }
                Change::Run { command, undo, .. } => {
                    assert!(!is_secret(&command.to_string()), "{role:?}: {command}");
                    assert!(!undo.iter().any(|undo| is_secret(&undo.to_string())));
                }
                Change::Await { command, .. } => assert!(!is_secret(&command.to_string())),
                _ => {}
            }
        }
        assert_eq!(written, 1, "{role:?}: only the file for kubeadm has them");
    }
}

#[test]
fn a_file_with_a_secret_is_roots_alone_though_another_was_there() {
    let node = joining(Role::Worker);
    let mut steps = order::steps(Role::Worker);
    steps.retain(|step| step.name() == StepName::Join);
    // Somebody else waits for the token, in a file that all may read.
    let real = node.root().join("opt/kubernetes/kubeadm-join.yaml");
    fs::create_dir_all(real.parent().unwrap()).unwrap();
    fs::write(&real, "theirs").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o666)).unwrap();
    let waiting = fs::File::open(&real).unwrap();
    let mut host = node.look(None).0.open().unwrap();
    let plan = run::plan(&host, &node.intent(), &steps).unwrap();
    for change in &plan[0].changes {
        if let Change::Write { path, text, mode, .. } = change {
            host.write(StepName::Join, path, text, *mode).unwrap();
        }
    }
    assert!(fs::read_to_string(&real).unwrap().contains(TOKEN));
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(std::io::read_to_string(waiting).unwrap(), "theirs");
    for own in ["var/log/kubeferry/install.log", "var/lib/kubeferry/receipt.jsonl"] {
        assert!(!fs::read_to_string(node.root().join(own)).unwrap().contains(TOKEN), "{own}");
    }
}

#[test]
fn a_password_in_an_address_is_not_repeated() {
    let address = "oci://alice:hunter2@registry.site/kubeferry/web:1";
    let output = Command::new(env!("CARGO_BIN_EXE_installer"))
        .args(["plan", "--role", "master", "--bundle", address])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("registry.site") && !text.contains("hunter2"), "{text}");
}
