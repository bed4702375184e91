//! Commands that only look, run as a person runs them, over a folder that has a
//! node's files.

mod ansible;
mod given;
mod hostile;
mod outputs;
mod plan;
mod repaired;
mod signed;
mod sweep;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use installer::node::inventory::Inventory;
use installer::role::Role;
use serde_json::Value;

use crate::node::Node;
use crate::node::intent::{target, write_bundle_of};

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
fn a_log_is_named_only_where_one_was_written() {
    let folder = folder();
    fs::write(folder.path().join("node/proc/cpuinfo"), "processor\t: 0\n").unwrap();
    let (status, _, err) = run(folder.path(), &format!("{NODE} --dry-run"));
    assert_eq!(status, 1);
    assert!(err.ends_with("error: a problem is in the way; nothing was changed\n"), "{err}");
    let (status, _, err) = run(folder.path(), "--role master --bundle none.tar");
    assert_eq!(status, 1);
    assert!(
        err.starts_with("error: there is no bundle none.tar: name its file, or any of its parts\n")
            && !err.contains("log:"),
        "{err}"
    );
    assert_eq!(err.matches("none.tar").count(), 1, "{err}");
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
    let page = |name: &str| fs::read_to_string(format!("../docs/{name}.md")).unwrap();
    let install = page("install");
    let (_, index) = install.split_once("| `PAGE` |").unwrap();
    let (index, _) = index.split_once("\n## ").unwrap();
    let mut listed = vec!["install"];
    listed.extend(index.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()));
    for name in &listed {
        let (status, out, _) = run(folder.path(), &format!("manual {name}"));
        assert!(status == 0 && out == page(name), "{name}: {status}");
    }
    let (status, out, _) = run(folder.path(), "manual");
    assert!(status == 0 && out == page("install"), "{status}");
    let (status, _, err) = run(folder.path(), "manual no-such-page");
    assert_eq!(status, 2);
    let values = err.split_once("possible values: ").unwrap().1.split(']').next().unwrap();
    assert_eq!(values.split(", ").collect::<Vec<_>>(), listed);
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
