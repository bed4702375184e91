//! What README.md and docs/ say of the installer: its options, its steps, the
//! cluster's file.

use std::fs;
use std::path::Path;
use std::process::Command;

use bundle_format::cluster::{BackupSchedule, Cluster};
use installer::role::Role;
use installer::steps::order;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The part of a page below a heading.
fn part(page: &str, heading: &str) -> String {
    let text = text(page);
    let (_, part) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    part.split("\n## ").next().unwrap().to_owned()
}

/// The names in the first column of a table.
fn rows(part: &str) -> Vec<&str> {
    part.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn each_step_is_listed_in_its_order() {
    let part = part("docs/steps.md", "Steps");
    let listed = rows(&part);
    let mut all = Vec::new();
    for role in [Role::Master, Role::Worker] {
        let own: Vec<String> =
            order::steps(role).iter().map(|step| step.name().to_string()).collect();
        let here: Vec<&str> =
            listed.iter().copied().filter(|name| own.iter().any(|one| one == *name)).collect();
        assert_eq!(here, own, "{role}");
        all.extend(own);
    }
    assert!(listed.iter().all(|name| all.iter().any(|one| one == *name)), "{listed:?}");
}

#[test]
fn the_sample_of_the_cluster_file_has_the_defaults() {
    let part = part("docs/cluster-file.md", "cluster.yaml");
    let (_, sample) = part.split_once("```yaml\n").unwrap();
    let sample: Cluster = serde_saphyr::from_str(sample.split("```").next().unwrap()).unwrap();
    assert_eq!(sample.conflicts(), []);
    assert!(!sample.nodes.is_empty() && !sample.ntp_servers.is_empty());
    let bare = Cluster { nodes: Vec::new(), ntp_servers: Vec::new(), ..sample.clone() };
    assert_eq!(bare, Cluster::default());
    let whole = Cluster {
        endpoint: Some("k8s-master:6443".to_owned()),
        control_plane: Some(serde_saphyr::from_str("vip: 192.168.1.100").unwrap()),
        cni_interface: Some("eth1".to_owned().try_into().unwrap()),
        ingress_nodes: Some(Vec::new()),
        backup: Some(BackupSchedule::default()),
        ..sample
    };
    let keys = serde_json::to_value(whole).unwrap();
    let mut keys: Vec<&str> = keys.as_object().unwrap().keys().map(String::as_str).collect();
    let mut listed = rows(&part);
    keys.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, keys);
}

#[test]
fn subcommands_and_options_exist() {
    let mut count = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let pages = names.map(|name| format!("docs/{}", name.to_str().unwrap()));
    let pages = pages.filter(|page| page.ends_with(".md"));
    for document in pages.chain(["README.md".to_owned()]) {
        let text = text(&document);
        let lines = text.lines().map(|line| line.trim_start_matches("$ "));
        let lines = lines.filter_map(|line| line.strip_prefix("./installer "));
        let prose = text.split('`').filter_map(|code| code.strip_prefix("installer "));
        for command in lines.chain(prose) {
            let words = || command.split_whitespace();
            let subcommand = words().next().filter(|word| !word.starts_with('-'));
            let help = Command::new(env!("CARGO_BIN_EXE_installer"))
                .args(subcommand.into_iter().chain(["--help"]))
                .output()
                .unwrap();
            assert!(help.status.success(), "{document}: installer {command}");
            let help = String::from_utf8(help.stdout).unwrap();
            for option in words().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{document}: installer {command}");
            }
            count += 1;
        }
    }
    let part = part("docs/install.md", "Options");
    let help = Command::new(env!("CARGO_BIN_EXE_installer")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for option in rows(&part) {
        let option = option.split(' ').next().unwrap();
        assert!(help.split_whitespace().any(|word| word == option), "{option}");
    }
    assert!(count >= 6, "only {count} commands were found");
}
