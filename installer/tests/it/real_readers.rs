//! Files that steps edit, read by those whose they are: glibc's `/etc/hosts` and libselinux's
//! configuration, each in a mount namespace of its own, and NetworkManager's.

use std::fs;
use std::process::Command;

use installer::engine::run;
use installer::receipt::StepName;
use installer::role::Role;

use crate::node::text::write;
use crate::node::{Node, kinds};

fn apply(node: &Node, name: StepName) {
    let mut steps = node.steps();
    steps.retain(|step| step.name() == name);
    let mut host = node.look(None).0.open().unwrap();
    run::apply(&mut host, &node.intent(), &steps, &mut |_, _, _| ()).unwrap();
}

/// What a shell says in a mount namespace of its own; none where there is none.
fn apart(script: &str) -> Option<String> {
    let said = Command::new("unshare").args(["--mount", "sh", "-ec", script]).output().ok()?;
    if !said.status.success() {
        eprintln!("skipped: {}", String::from_utf8_lossy(&said.stderr));
        return None;
    }
    Some(String::from_utf8(said.stdout).unwrap())
}

/// The addresses that getaddrinfo(3) has for a name by the node's file.
fn addresses(node: &Node, name: &str) -> Option<Vec<String>> {
    let hosts = node.root().join("etc/hosts");
    let conf = node.root().join("nsswitch");
    fs::write(&conf, "hosts: files\n").unwrap();
    let said = apart(&format!(
        "mount --bind {} /etc/hosts; mount --bind {} /etc/nsswitch.conf; getent ahosts {name}",
        hosts.display(),
        conf.display()
    ));
    fs::remove_file(conf).unwrap();
    let mut found: Vec<String> =
        said?.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    found.dedup();
    Some(found)
}

#[test]
fn a_name_of_the_cluster_has_one_address() {
    for older in [
        "10.9.9.9 node-1\n",
        "127.0.1.1 node-1.site node-1\n",
        "127.0.0.1 localhost NODE-1 # by the installer\n",
        "10.9.9.9 nas\tnode-1\n::1 localhost node-1\n",
        "fd00::9 node-1\r\n10.9.9.9 Node-1\r\n",
    ] {
        let node = kinds::bare(Role::Worker);
        write(&node, "etc/hosts", &format!("127.0.0.1 localhost\n{older}10.8.8.8 nas6\n"));
        let before = node.tree();
        apply(&node, StepName::Hosts);
        let Some(found) = addresses(&node, "node-1") else { return };
        assert_eq!(found, ["10.0.0.2"], "{older}");
        assert_eq!(addresses(&node, "master").unwrap(), ["10.0.0.1"]);
        // What else these lines have stays.
        assert_eq!(addresses(&node, "nas6").unwrap(), ["10.8.8.8"]);
        if older.contains("nas\t") {
            assert_eq!(addresses(&node, "nas").unwrap(), ["10.9.9.9"]);
        }
        node.assert_goes_back(&before, older);
    }
}

/// What libselinux has as the mode of the next boot: 1, 0, -1, or none of them.
fn mode(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config"), text).unwrap();
    let script = "import ctypes\nlibrary = ctypes.CDLL('libselinux.so.1')\n\
                  mode = ctypes.c_int(9)\nlibrary.selinux_getenforcemode(ctypes.byref(mode))\n\
                  print(mode.value)";
    let said = apart(&format!(
        "mount -t tmpfs none /etc; mkdir /etc/selinux; cp {}/config /etc/selinux; \
         PATH=/usr/bin:$PATH python3 -c \"{script}\"",
        folder.path().display()
    ))?;
    Some(said.trim().to_owned())
}

#[test]
fn selinux_is_permissive_by_its_own_library() {
    for (text, before) in [
        ("SELINUX=enforcing\n", "1"),
        ("SELINUX=enforcing \nSELINUXTYPE=targeted\n", "1"),
        ("SELINUX=Enforcing\r\n", "1"),
        ("SELINUX= enforcing", "1"),
        ("# SELINUX=disabled\nSELINUX=ENFORCING # as told\n", "1"),
        ("SELINUX=\"enforcing\"\nSELINUX=enforcing\n", "1"),
        ("SELINUX=permissive\nSELINUX=enforcing\n", "0"),
        ("SELINUX=disabled\n", "-1"),
        ("SELINUX=\"enforcing\"\n", "9"),
        (" SELINUX=enforcing\n", "9"),
        ("SELINUX =enforcing\n", "9"),
    ] {
        let Some(mode_before) = mode(text) else { return };
        assert_eq!(mode_before, before, "{text:?}");
        let node = kinds::bare(Role::Worker);
        write(&node, "sys/fs/selinux/enforce", "1");
        write(&node, "etc/selinux/config", text);
        let tree = node.tree();
        apply(&node, StepName::Selinux);
        let after = fs::read_to_string(node.root().join("etc/selinux/config")).unwrap();
        assert_ne!(mode(&after).unwrap(), "1", "{text:?} became {after:?}");
        if before != "1" {
            assert_eq!(mode(&after).unwrap(), before);
        }
        node.assert_goes_back(&tree, text);
    }
    // What overrides the file is told.
    let node = kinds::bare(Role::Worker);
    write(&node, "sys/fs/selinux/enforce", "1");
    write(&node, "proc/cmdline", "ro enforcing=1 quiet\n");
    let mut steps = node.steps();
    steps.retain(|step| step.name() == StepName::Selinux);
    let error = run::plan(&node.look(None).0, &node.intent(), &steps).map(drop).unwrap_err();
    assert!(format!("{error:#}").contains("started with `enforcing=1`"), "{error:#}");
}

#[test]
fn network_manager_keeps_what_a_site_has_it_leave_alone() {
    let node = kinds::bare(Role::Worker);
    let folder = "etc/NetworkManager/conf.d";
    let site = "[keyfile]\nunmanaged-devices=interface-name:docker*\n";
    write(&node, &format!("{folder}/99-site.conf"), site);
    write(&node, "etc/NetworkManager/NetworkManager.conf", "[main]\n");
    apply(&node, StepName::NetworkManager);
    let said = Command::new("NetworkManager")
        .arg("--print-config")
        .arg(format!("--config={}/etc/NetworkManager/NetworkManager.conf", node.root().display()))
        .arg(format!("--config-dir={}/{folder}", node.root().display()))
        .output();
    let Ok(said) = said else {
        eprintln!("skipped: no NetworkManager is here");
        return;
    };
    let text = String::from_utf8(said.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("unmanaged-devices=")).unwrap_or(&text);
    for name in ["docker*", "cali*", "vxlan*"] {
        assert!(line.contains(&format!("interface-name:{name}")), "{line}");
    }
}
