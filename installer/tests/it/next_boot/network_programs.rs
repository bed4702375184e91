//! systemd-networkd and NetworkManager leave forwarding and the pods' interfaces alone.

use std::fs;

use installer::receipt::StepName;
use installer::role::Role;

use super::{apply, finished, plan, write};
use crate::node::kinds;

/// systemd.network(5) and networkd.conf(5) since 256.
#[test]
fn networkd_switches_no_forwarding_off() {
    let runs = ("run/systemd/active/systemd-networkd", "");
    let (network, own) = ("etc/systemd/network/10-lan.network", "[Match]\nName=eth0\n[Network]\n");
    let off = format!("{own}DHCP=yes\nIPv4Forwarding=no\n");
    for (files, written) in [
        (vec![(network, off.as_str())], Some(network)),
        (
            vec![("etc/systemd/networkd.conf", "[Network]\nIPv4Forwarding = Off\n")],
            Some("etc/systemd/networkd.conf"),
        ),
        (
            vec![
                (network, own),
                ("run/systemd/network/10-lan.network.d/x.conf", "[Network]\nIPv4Forwarding=yes\n"),
            ],
            None,
        ),
        // A package's is hidden by one of its name.
        (
            vec![("usr/lib/systemd/network/80-x.network", off.as_str())],
            Some("etc/systemd/network/80-x.network"),
        ),
        (vec![("usr/lib/systemd/network/10-lan.network", off.as_str()), (network, own)], None),
        // The last word counts, and other interfaces are a site's.
        (vec![(network, &format!("{off}IPv4Forwarding=1\n"))], None),
        (
            vec![
                (network, off.as_str()),
                ("etc/systemd/network/10-lan.network.d/x.conf", "[Network]\nIPv4Forwarding=yes\n"),
            ],
            None,
        ),
        (vec![(network, &off.replace("eth0", "br-*"))], None),
        (vec![(network, &off.replace("Name=eth0", "Type=ether"))], Some(network)),
        (vec![(network, &off.replace("eth0", "en* eth*"))], Some(network)),
        (vec![(network, &off.replace("eth0", "cali*"))], Some(network)),
        // It never switched anything off (systemd.network(5) before 256), and does nothing since.
        (vec![(network, &off.replace("IPv4Forwarding", "IPForward"))], None),
    ] {
        let node = kinds::bare(Role::Worker);
        files.iter().chain([&runs]).for_each(|(path, text)| write(&node, path, text));
        write(&node, "etc/sysctl.d/1.conf", "");
        let before = node.tree();
        let plan = plan(&node, StepName::Sysctl);
        let writes: Vec<&String> = plan.iter().filter(|one| one.contains("/systemd/")).collect();
        let wanted: Vec<String> = written.iter().map(|path| format!("write /{path}")).collect();
        assert_eq!(writes, wanted.iter().collect::<Vec<_>>(), "{files:?}");
        assert_eq!(plan.contains(&"run networkctl reload".to_owned()), written.is_some());
        apply(&node, StepName::Sysctl);
        if let Some(path) = written {
            let text = fs::read_to_string(node.root().join(path)).unwrap();
            assert!(text.contains("# kubeferry: IPv4Forwarding"), "{text}");
        }
        node.assert_goes_back(&before, "networkd's");
        // Where networkd is off, nobody reads them.
        let node = kinds::bare(Role::Worker);
        files.iter().for_each(|(path, text)| write(&node, path, text));
        assert!(!self::plan(&node, StepName::Sysctl).iter().any(|one| one.contains("systemd")));
    }
    let member = finished(StepName::Sysctl);
    for (path, text) in [runs, ("etc/systemd/networkd.conf", "[Network]\nIPv4Forwarding=no\n")] {
        member.write(path, text);
    }
    let found = member.diagnose().findings;
    assert_eq!(
        found[0].cause,
        "/etc/systemd/networkd.conf has `IPv4Forwarding=no`, which overrides \
         /etc/sysctl.d/zz-kubeferry.conf at the next boot"
    );
}

/// It was killed between the file and the command that has networkd read it.
#[test]
fn networkd_reads_its_files_again_after_an_interruption() {
    let node = kinds::bare(Role::Worker);
    write(&node, "run/systemd/active/systemd-networkd", "");
    apply(&node, StepName::Sysctl);
    let receipt = node.root().join("var/lib/kubeferry/receipt.jsonl");
    let deed =
        "{\"line\":\"deed\",\"step\":\"sysctl\",\"deed\":{\"did\":\"made\",\"path\":\"/x\"}}\n";
    fs::write(&receipt, fs::read_to_string(&receipt).unwrap() + deed).unwrap();
    assert!(plan(&node, StepName::Sysctl).contains(&"run networkctl reload".to_owned()));
    apply(&node, StepName::Sysctl);
}

/// A later file's `=` replaces all that earlier files set (NetworkManager.conf(5)).
#[test]
fn a_later_file_of_network_managers_takes_no_interface_back() {
    let folder = "etc/NetworkManager/conf.d";
    let lan = "[keyfile]\nunmanaged-devices=interface-name:lan9\n";
    for (name, text, more) in [
        ("99-site.conf", lan, None),
        ("site.conf", lan, Some("site.kubeferry.conf")),
        (
            "zz-site.conf",
            "[keyfile]\nunmanaged-devices = mac:00:11:22:33:44:55\n",
            Some("zz-site.kubeferry.conf"),
        ),
        ("zz-site.conf", "[keyfile]\nunmanaged-devices+=interface-name:lan9\n", None),
        ("zz-site.conf", "[main]\nunmanaged-devices=interface-name:lan9\n", None),
        ("zz-site.conf", "[keyfile]\n#unmanaged-devices=interface-name:lan9\n", None),
        ("zz-site.txt", lan, None),
    ] {
        let node = kinds::bare(Role::Worker);
        write(&node, "etc/NetworkManager/NetworkManager.conf", "");
        write(&node, "run/systemd/active/NetworkManager", "");
        write(&node, &format!("{folder}/{name}"), text);
        let before = node.tree();
        apply(&node, StepName::NetworkManager);
        let names = fs::read_dir(node.root().join(folder)).unwrap();
        let mut names: Vec<String> =
            names.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|one| one != name && one != "kubeferry.conf");
        assert_eq!(names, more.iter().copied().collect::<Vec<_>>(), "{name} {text}");
        node.assert_goes_back(&before, "NetworkManager's");
    }
}
