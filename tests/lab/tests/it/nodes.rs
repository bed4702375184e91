//! What a node is, and what it is kept from.

use lab::network::{DefaultRoute, LAN, NOBODY, OPERATOR};
use lab::{Lab, Node, Settings};

use crate::support::lab;

/// Makes a device, a setting and a control group. A reboot takes all three away.
const MEMORY: &str = "ip link add cni0 type bridge && sysctl -q net.ipv4.conf.all.log_martians=1 \
                      && mkdir /sys/fs/cgroup/memory/kubepods.slice";

/// `CAP_SYS_TIME` of capability.h.
const SYS_TIME: u64 = 1 << 25;

#[test]
fn a_node_has_no_power_over_the_clock() {
    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let node = &lab.nodes()[0];
    for process in ["1", "self"] {
        let status = node.run(["cat", &format!("/proc/{process}/status")]).unwrap();
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            let line = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
            let bits = u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap();
            assert_eq!(bits & SYS_TIME, 0, "{set} of process {process}: {bits:x}");
        }
    }
}

#[test]
fn nodes_reach_each_other_and_nothing_else() {
    for default_route in [DefaultRoute::None, DefaultRoute::Blackhole] {
        let settings = Settings { nodes: 2, default_route, ..Settings::default() };
        let Some(lab) = lab(&settings) else { return };
        for node in lab.nodes() {
            assert_air_gap(node, default_route);
        }
        assert_lan(&lab);
        let [first, second] = lab.nodes() else { panic!("two nodes") };
        assert!(answers(first, second));
        second.cut().unwrap();
        assert!(!answers(first, second));
        second.heal().unwrap();
        assert!(answers(first, second));
    }
}

/// Its routing tables lead to the nodes' network, or to nobody in it.
fn assert_air_gap(node: &Node, default_route: DefaultRoute) {
    let routes = node.run(["ip", "route", "show", "table", "all"]).unwrap();
    let mut routes: Vec<&str> = routes
        .lines()
        .map(str::trim)
        .filter(|route| !route.contains("table local"))
        .filter(|route| !route.starts_with("fe80::") && !route.contains("multicast"))
        .collect();
    let network = "192.168.77.0/24 dev eth0 proto kernel scope link src";
    let default = format!("default via {NOBODY} dev eth0");
    let expected = match default_route {
        DefaultRoute::None => vec![format!("{network} {}", node.address)],
        DefaultRoute::Blackhole => vec![format!("{network} {}", node.address), default],
    };
    routes.sort_unstable();
    assert_eq!(routes, expected, "{}", node.name);
    // An address of a documentation network (RFC 5737).
    let out = node.exec(["ip", "route", "get", "192.0.2.1"]).unwrap();
    let words = String::from_utf8_lossy(&out.stdout).into_owned();
    match default_route {
        DefaultRoute::None => assert!(!out.status.success(), "{words}"),
        DefaultRoute::Blackhole => assert!(words.contains(&format!("via {NOBODY}")), "{words}"),
    }
}

/// The other side of the nodes' links: a bridge that nothing else is part of,
/// without a route to anywhere.
fn assert_lan(lab: &Lab) {
    let within = |words: &[&str]| {
        let output = std::process::Command::new("ip").args(["-n", LAN]).args(words).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let links = within(&["-brief", "link"]);
    let mut names: Vec<&str> =
        links.lines().filter_map(|line| line.split([' ', '@']).next()).collect();
    names.sort_unstable();
    let mut expected = vec!["br0".to_owned(), "lo".to_owned()];
    expected.extend(lab.nodes().iter().map(|node| format!("to-{}", node.name)));
    assert_eq!(names, expected);
    let routes = within(&["route"]);
    let network = format!("192.168.77.0/24 dev br0 proto kernel scope link src {OPERATOR}");
    assert_eq!(routes.trim(), network);
}

fn answers(from: &Node, to: &Node) -> bool {
    let script = format!("timeout 2 bash -c ': </dev/tcp/{}/22'", to.address);
    from.exec(["sh", "-c", &script]).unwrap().status.success()
}

#[test]
fn a_disk_outlives_a_reboot_and_a_power_loss() {
    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let node = &lab.nodes()[0];
    let own = "cat /etc/machine-id; ip -o link show eth0 | grep -o 'link/ether [^ ]*'";
    let own = ["sh", "-c", own];
    let id = node.run(own).unwrap();
    let mut boots = vec![node.init().unwrap()];
    // Its memory does not: each boot is without these, so the second time works too.
    node.run(["sh", "-c", MEMORY]).unwrap();
    node.run(["sh", "-c", "echo kept >/var/lib/kubelet/note; echo kept >/root/note"]).unwrap();
    node.reboot().unwrap();
    boots.push(node.init().unwrap());
    node.run(["sh", "-c", MEMORY]).unwrap();
    node.kill().unwrap();
    assert!(!node.is_on());
    assert!(node.exec(["true"]).is_err());
    node.start().unwrap();
    boots.push(node.init().unwrap());
    assert_eq!(node.run(["cat", "/var/lib/kubelet/note", "/root/note"]).unwrap(), "kept\nkept\n");
    assert_eq!(node.run(own).unwrap(), id);
    assert!(!node.exec(["ip", "link", "show", "cni0"]).unwrap().status.success());
    assert_eq!(node.run(["sysctl", "-n", "net.ipv4.conf.all.log_martians"]).unwrap(), "0\n");
    boots.dedup();
    assert_eq!(boots.len(), 3, "each boot has a process 1 of its own: {boots:?}");
}

#[test]
fn a_node_is_like_a_minimal_el_system() {
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let [node, other] = lab.nodes() else { panic!("two nodes") };
    let shell = |script: &str| node.run(["sh", "-c", script]).unwrap().trim().to_owned();
    assert_eq!(shell(". /etc/os-release; echo $PLATFORM_ID"), "platform:el9");
    assert_eq!(shell("rpm -qa --qf '%{name}\\n'"), "base-os");
    assert_eq!(shell("systemctl is-active firewalld sshd"), "active\nactive");
    assert_eq!(shell("uname -n"), node.name);
    let id = ["cat", "/etc/machine-id"];
    assert_ne!(node.run(id).unwrap(), other.run(id).unwrap());
    // Swap that the node sees, and that is not this machine's.
    assert!(shell("cat /proc/swaps").contains("/swapfile"));
    assert!(!std::fs::read_to_string("/proc/swaps").unwrap().contains("/swapfile"));
    shell("swapoff -a");
    assert_eq!(shell("sed 1d /proc/swaps"), "");
    // Modules: those that this kernel has, and no others.
    assert!(node.exec(["modprobe", "no_such_module"]).unwrap().status.code() == Some(1));
}
