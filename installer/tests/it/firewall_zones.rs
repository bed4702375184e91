//! firewalld's ports: in the zones where packets arrive, and for those who need them.

use std::fs;

use bundle_format::cluster::Cluster;
use installer::failure::describe;
use installer::intent::Intent;
use installer::preflight;
use installer::role::Role;

use crate::node::member::Member;
use crate::node::text::{read, write};
use crate::node::{Fault, Node, Tree, kinds};

/// Both places of a zone.
fn paths(zone: &str) -> [String; 2] {
    ["etc", "run"].map(|place| format!("{place}/firewalld/zones/{zone}.xml"))
}

/// A zone's lines, which are the same at both places.
fn zone(node: &Node, zone: &str) -> String {
    let [files, work] = paths(zone).map(|path| read(node, &path));
    assert_eq!(files, work, "{zone}");
    files
}

fn put(node: &Node, zone: &str, text: &str) {
    for path in paths(zone) {
        write(node, &path, text);
    }
}

/// The rule that lets one sender in.
fn rich(from: &str, port: &str) -> String {
    format!(
        "rich-rule rule family=\"ipv4\" source address=\"{from}\" port port=\"{port}\" protocol="
    )
}

fn machines(intent: &mut Intent, list: &str) {
    let cluster: Cluster = serde_saphyr::from_str(&format!("nodes: [{list}]")).unwrap();
    intent.cluster.nodes = cluster.nodes.clone();
    if let Some(join) = &mut intent.join {
        join.cluster.nodes = cluster.nodes;
    }
}

const ALL: &str = "{name: master, address: 10.0.0.1}, {name: node-1, address: 10.0.0.2}, \
                   {name: node-3, address: 10.0.0.3}";

const OF_MASTER: &str = "{name: node-1, address: 10.0.0.2}, {name: node-3, address: 10.0.0.3}";

fn assert_done(node: &Node) {
    let plan = node.plan();
    let left: Vec<_> = plan.iter().filter(|(_, changes)| !changes.is_empty()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A node of which `prepare` says how its firewalld is set up.
fn applied(role: Role, prepare: impl Fn(&Node)) -> (Node, Tree) {
    let node = kinds::firewalled(role);
    prepare(&node);
    let before = node.tree();
    node.apply(None).end.unwrap();
    assert_done(&node);
    (node, before)
}

#[test]
fn ports_are_opened_in_the_zone_of_the_nodes_interface() {
    for role in [Role::Master, Role::Worker] {
        let (node, before) = applied(role, |node| put(node, "internal", "interface eth0\n"));
        let internal = zone(&node, "internal");
        assert!(internal.contains("port 10256/tcp\n"), "{internal}");
        assert!(internal.contains(&rich("10.0.0.0/24", "10250")), "{internal}");
        assert_eq!(internal.contains("port 6443/tcp\n"), role == Role::Master);
        assert_eq!(zone(&node, "public"), "service ssh\nport 22/tcp\n");
        node.assert_goes_back(&before, "a zone of the interface's");
    }
}

#[test]
fn a_zone_that_lets_all_in_gets_no_rule() {
    for text in ["interface eth0\n", "interface eth+\n"] {
        let (node, before) = applied(Role::Master, |node| put(node, "trusted", text));
        assert_eq!(zone(&node, "trusted"), format!("{text}source 10.244.0.0/16\n"));
        assert_eq!(zone(&node, "public"), "service ssh\nport 22/tcp\n");
        node.assert_goes_back(&before, "the zone trusted");
    }
}

#[test]
fn sources_come_before_interfaces() {
    // All nodes by their source; the site lets in some, and others not at all.
    let (node, before) = applied(Role::Worker, |node| {
        put(node, "cluster", "source 10.0.0.0/16\n");
        put(node, "office", "source 192.168.9.0/24\n");
        put(node, "shut", "target DROP\nsource 192.168.8.0/24\n");
    });
    let (cluster, public) = (zone(&node, "cluster"), zone(&node, "public"));
    assert!(cluster.contains(&rich("10.0.0.0/24", "10250")) && cluster.contains("port 10256/tcp"));
    assert!(public.contains("port 10256/tcp") && !public.contains("rich-rule"), "{public}");
    let office = zone(&node, "office");
    assert!(office.contains("port 30000-32767/tcp") && !office.contains("rich-rule"), "{office}");
    assert_eq!(zone(&node, "shut"), "target DROP\nsource 192.168.8.0/24\n");
    node.assert_goes_back(&before, "zones of sources");
    // Some of them, by a set of addresses.
    let (node, _) = applied(Role::Worker, |node| put(node, "few", "source ipset:machines\n"));
    for name in ["few", "public"] {
        assert!(zone(&node, name).contains(&rich("10.0.0.0/24", "10250")), "{name}");
    }
    // Nodes arrive in one that lets in nobody else.
    let drop = "target DROP\nsource 10.0.0.0/24\n";
    let (node, _) = applied(Role::Worker, |node| put(node, "shut", drop));
    let shut = zone(&node, "shut");
    assert!(shut.contains(&rich("10.0.0.0/24", "10250")) && !shut.contains("10256/tcp"), "{shut}");
}

#[test]
fn machines_may_arrive_where_cards_or_unknown_sets_are_sources() {
    for source in ["00:11:22:AA:bb:cc", "ipset:cards", "ipset:timed", "ipset:strange", "ipset:gone"]
    {
        let text = format!("source {source}\n");
        let (node, before) = applied(Role::Worker, |node| put(node, "cards", &text));
        // Nobody knows who has that card: nodes' packets may come there, or by the interface.
        for name in ["cards", "public"] {
            let zone = zone(&node, name);
            assert!(zone.contains(&rich("10.0.0.0/24", "10250")), "{source} {name}: {zone}");
            assert!(zone.contains("port 10256/tcp"), "{source} {name}: {zone}");
        }
        node.assert_goes_back(&before, source);
    }
    // What a site drops stays so.
    let (node, _) =
        applied(Role::Worker, |node| put(node, "shut", "target DROP\nsource ipset:cards\n"));
    assert_eq!(zone(&node, "shut"), "target DROP\nsource ipset:cards\n");
    assert!(zone(&node, "public").contains(&rich("10.0.0.0/24", "10250")));
    // Of pairs the network counts.
    let (node, _) = applied(Role::Worker, |node| put(node, "pairs", "source ipset:pairs\n"));
    assert!(zone(&node, "pairs").contains(&rich("10.0.0.0/24", "10250")));
    assert!(!zone(&node, "public").contains("rich-rule"));
}

#[test]
fn a_source_that_has_the_pods_too_lets_them_in() {
    let pods = "rich-rule rule family=\"ipv4\" source address=\"10.244.0.0/16\" accept\n";
    let (node, _) = applied(Role::Worker, |node| put(node, "wide", "source 10.0.0.0/8\n"));
    assert!(zone(&node, "wide").contains(pods));
    assert_eq!(zone(&node, "trusted"), "source 10.244.0.0/16\n");
    // A network can be of one zone only, and the policy is for that one then.
    let (node, before) = applied(Role::Worker, |node| put(node, "pods", "source 10.244.0.0/16\n"));
    assert!(zone(&node, "pods").contains(pods));
    assert_eq!(zone(&node, "trusted"), "");
    assert!(
        read(&node, "etc/firewalld/policies/kubeferry-pods.xml").contains("egress-zones: pods")
    );
    node.assert_goes_back(&before, "a zone of the site's for pods");
}

#[test]
fn machines_in_other_networks_arrive_by_other_interfaces() {
    let mut node = kinds::firewalled(Role::Master);
    write(
        &node,
        "run/addresses",
        "2: eth0 inet 10.0.0.2/24 scope global eth0\n3: eth1 inet 10.9.0.2/24 scope global eth1\n",
    );
    write(&node, "run/routes", "10.7.0.7 eth1\n");
    put(&node, "internal", "interface eth1\n");
    node.change = |intent| {
        let far = "{name: a, address: 10.9.0.3}, {name: b, address: 10.7.0.7}";
        machines(intent, far);
    };
    node.apply(None).end.unwrap();
    let (public, internal) = (zone(&node, "public"), zone(&node, "internal"));
    assert!(public.contains(&rich("10.0.0.0/24", "10250")) && public.contains("port 6443/tcp"));
    for far in ["10.9.0.3", "10.7.0.7"] {
        assert!(internal.contains(&rich(far, "10250")), "{internal}");
    }
    assert!(!internal.contains("port 6443/tcp") && !public.contains("10.7.0.7"), "{internal}");
    // The interface by which the pods' network goes.
    node.change =
        |intent| intent.cluster.cni_interface = Some("eth1".to_owned().try_into().unwrap());
    node.apply(None).end.unwrap();
    assert!(zone(&node, "internal").contains(&rich("10.9.0.0/24", "4789")));
    // By the node's own, other machines there stay out where all of the cluster are named.
    let mut node = kinds::firewalled(Role::Worker);
    node.change = |intent| {
        machines(intent, ALL);
        intent.cluster.cni_interface = Some("eth0".to_owned().try_into().unwrap());
    };
    node.apply(None).end.unwrap();
    let public = zone(&node, "public");
    assert!(public.contains(&rich("10.0.0.3", "4789")), "{public}");
    assert!(!public.contains(&rich("10.0.0.0/24", "4789")), "{public}");
}

#[test]
fn a_zone_that_comes_with_the_next_boot_is_opened_in_files() {
    let later = "internal";
    for (path, text) in [
        ("etc/sysconfig/network-scripts/ifcfg-eth0", "DEVICE=eth0\nZONE=\"internal\"\n"),
        ("run/nmcli/of-eth0", "internal\n"),
    ] {
        let mut node = kinds::firewalled(Role::Worker);
        put(&node, later, "service ssh\n");
        write(&node, path, text);
        if path.contains("nmcli") {
            write(&node, "run/systemd/active/NetworkManager", "");
        }
        node.apply(None).end.unwrap();
        assert_done(&node);
        let files = read(&node, &paths(later)[0]);
        assert!(files.contains("port 10256/tcp"), "{files}");
        assert!(zone(&node, "public").contains("port 10256/tcp"), "it is in that one now");
        // firewalld does not run: the zone that it will be in alone.
        node = kinds::firewalled(Role::Worker);
        write(&node, path, text);
        if path.contains("nmcli") {
            write(&node, "run/systemd/active/NetworkManager", "");
        }
        fs::remove_file(node.root().join("run/systemd/active/firewalld")).unwrap();
        write(&node, &paths(later)[0], "service ssh\n");
        node.apply(None).end.unwrap();
        assert!(read(&node, &paths(later)[0]).contains("port 10256/tcp"));
        assert!(!read(&node, &paths("public")[0]).contains("port 10256/tcp"));
    }
}

#[test]
fn what_moves_to_another_zone_is_followed_and_taken_back_from_both() {
    let node = kinds::firewalled(Role::Master);
    put(&node, "internal", "service ssh\n");
    node.apply(None).end.unwrap();
    for path in paths("internal") {
        write(&node, &path, "service ssh\ninterface eth0\n");
    }
    node.apply(None).end.unwrap();
    assert_done(&node);
    assert!(zone(&node, "internal").contains("port 6443/tcp\n"));
    assert_eq!(zone(&node, "public"), "service ssh\nport 22/tcp\n");
    let mut host = node.look(None).0.open().unwrap();
    assert_eq!(installer::engine::reset::reset(&mut host, &mut |_| ()), [""; 0]);
    drop(host);
    assert_eq!(zone(&node, "public"), "service ssh\nport 22/tcp\n");
    assert_eq!(zone(&node, "internal"), "service ssh\ninterface eth0\n", "the move is the site's");
}

#[test]
fn a_zone_that_is_gone_at_a_reset_has_nothing_to_take_back() {
    let (node, _) = applied(Role::Worker, |node| put(node, "internal", "interface eth0\n"));
    for path in paths("internal") {
        fs::remove_file(node.root().join(path)).unwrap();
    }
    // In files it comes back as it was.
    let mut host = node.look(None).0.open().unwrap();
    assert_eq!(installer::engine::reset::reset(&mut host, &mut |_| ()), [""; 0]);
}

#[test]
fn what_listens_on_the_loopback_is_opened_to_nobody() {
    let inner = ["2379", "2380", "10257", "10259"];
    let (mut node, _) = applied(Role::Master, |_| ());
    let public = zone(&node, "public");
    assert!(inner.iter().all(|port| !public.contains(port)), "{public}");
    node.change = |intent| {
        let text = "kubeadm: {controllerManager: {bind-address: 0.0.0.0}, \
                    scheduler: {bind-address: 127.0.0.1}}";
        let cluster: Cluster = serde_saphyr::from_str(text).unwrap();
        intent.cluster.kubeadm = cluster.kubeadm;
    };
    node.apply(None).end.unwrap();
    let public = zone(&node, "public");
    let open = inner.map(|port| public.contains(&rich("10.0.0.0/24", port)));
    assert_eq!(open, [false, false, true, false], "{public}");
}

#[test]
fn nodes_alone_are_let_in_where_the_cluster_file_names_them() {
    for role in [Role::Master, Role::Worker] {
        let mut node = kinds::firewalled(role);
        node.change = |intent| machines(intent, ALL);
        if role == Role::Master {
            node.change = |intent| machines(intent, OF_MASTER);
        }
        node.apply(None).end.unwrap();
        assert_done(&node);
        let public = zone(&node, "public");
        assert!(public.contains(&rich("10.0.0.3", "10250")), "{public}");
        assert_eq!(public.contains(&rich("10.0.0.1", "10250")), role == Role::Worker);
        assert!(!public.contains("10.0.0.0/24") && !public.contains(&rich("10.0.0.2", "10250")));
        let plain = public.lines().filter(|line| line.starts_with("port "));
        for port in plain {
            let is_for_all = ["22/", "80/", "443/", "6443/", "10256/", "30000-32767/"];
            assert!(is_for_all.iter().any(|one| port[5..].starts_with(one)), "{port}");
        }
    }
}

#[test]
fn a_node_that_is_in_the_cluster_is_let_in_whatever_the_file_says() {
    let mut node = kinds::firewalled(Role::Worker);
    node.change = |intent| machines(intent, ALL);
    node.apply(None).end.unwrap();
    write(&node, "etc/kubernetes/kubelet.conf", "");
    let list = "{\"items\": [{\"metadata\": {}, \"status\": {\"addresses\": \
                [{\"type\": \"InternalIP\", \"address\": \"10.3.0.9\"}, \
                {\"type\": \"Hostname\", \"address\": \"x\"}], \"nodeInfo\": {\"kubeletVersion\": \"v1\"}}}]}";
    write(&node, "run/api-nodes.json", list);
    write(&node, "run/routes", "10.3.0.9 eth0\n");
    node.apply(None).end.unwrap();
    assert!(zone(&node, "public").contains(&rich("10.3.0.9", "4789")));
    // Who cannot be asked keeps what he has.
    write(&node, "run/api-says", "connection refused\n");
    assert_done(&node);
    fs::remove_file(node.root().join("run/api-says")).unwrap();
    fs::remove_file(node.root().join("run/api-nodes.json")).unwrap();
    node.apply(None).end.unwrap();
    assert!(!zone(&node, "public").contains("10.3.0.9"));
}

#[test]
fn where_nothing_tells_the_machines_from_others_all_are_let_in() {
    let (node, _) = applied(Role::Worker, |node| {
        write(node, "run/addresses", "2: eth0 inet 10.0.0.2/32 scope global eth0\n");
    });
    let public = zone(&node, "public");
    assert!(public.contains("port 10250/tcp\n") && !public.contains("rich-rule"), "{public}");
}

#[test]
fn what_an_older_version_opened_to_everybody_is_closed_to_others() {
    let node = kinds::firewalled(Role::Master);
    let opened = ["10250/tcp", "2379-2380/tcp", "10257/tcp"];
    let ports: String = opened.iter().map(|port| format!("port {port}\n")).collect();
    put(
        &node,
        "public",
        &format!("service ssh\nport 22/tcp\nport 179/tcp\n{ports}protocol ipip\n"),
    );
    let deed = |command: &str, undo: &str| {
        format!(
            "{{\"line\":\"deed\",\"step\":\"firewall\",\"deed\":{{\"did\":\"ran\",\"command\":\
             [{command}],\"undo\":[{undo}]}}}}\n"
        )
    };
    let options: Vec<String> = opened.iter().map(|port| format!("\"--add-port={port}\"")).collect();
    let options = options.join(",");
    let mut receipt = "{\"line\":\"receipt\",\"version\":1}\n".to_owned();
    for program in ["\"firewall-cmd\",\"--permanent\",", "\"firewall-cmd\","] {
        receipt += &deed(&format!("{program}\"--zone=public\",{options}"), "");
        receipt += &deed(&format!("{program}\"--zone=public\",\"--add-protocol=ipip\""), "");
    }
    write(&node, "var/lib/kubeferry/receipt.jsonl", &receipt);
    node.apply(None).end.unwrap();
    let public = zone(&node, "public");
    for port in opened {
        assert!(!public.contains(&format!("port {port}\n")), "{public}");
    }
    assert!(!public.contains("ipip") && public.contains(&rich("10.0.0.0/24", "10250")));
    assert!(public.contains("port 179/tcp\n"), "that is the site's");
}

#[test]
fn a_wider_range_of_the_sites_is_enough() {
    let (node, before) = applied(Role::Worker, |node| put(node, "public", "port 1-65535/tcp\n"));
    let public = zone(&node, "public");
    assert!(!public.contains("10256/tcp") && public.contains("port 30000-32767/udp\n"), "{public}");
    node.assert_goes_back(&before, "a range of the site's");
}

#[test]
fn a_configuration_that_cannot_be_read_names_no_zone() {
    let node = kinds::firewalled(Role::Worker);
    fs::create_dir_all(node.root().join("etc/firewalld/firewalld.conf")).unwrap();
    let told = describe(&node.apply(None).end.unwrap_err(), None);
    assert!(told.contains("firewalld.conf"), "{told}");
    let (node, _) = applied(Role::Worker, |node| {
        write(node, "etc/firewalld/firewalld.conf", "# x\nDefaultZone = work\n");
        put(node, "work", "service ssh\n");
    });
    assert!(zone(&node, "work").contains("port 10256/tcp"));
}

#[test]
fn a_worker_that_the_others_would_not_let_in_is_told() {
    let told = |change: fn(&mut Intent), prepare: &dyn Fn(&Node)| {
        let mut node = kinds::firewalled(Role::Worker);
        node.change = change;
        prepare(&node);
        let problems = preflight::problems(&node.look(None).0, &node.intent());
        let words = problems.iter().map(ToString::to_string);
        words.filter(|words| words.contains("firewalls would block")).collect::<Vec<_>>().join("\n")
    };
    let without = |intent: &mut Intent| {
        machines(intent, "{name: master, address: 10.0.0.1}, {name: node-3, address: 10.0.0.3}");
    };
    assert!(told(without, &|_| ()).starts_with("the cluster file names the cluster's machines"));
    assert_eq!(told(|intent| machines(intent, ALL), &|_| ()), "");
    assert_eq!(told(|intent| machines(intent, "{name: master, address: 10.0.0.1}"), &|_| ()), "");
    assert_eq!(told(|_| (), &|_| ()), "");
    let far = |intent: &mut Intent| {
        intent.join.as_mut().unwrap().master_address = "10.5.0.1".parse().unwrap();
    };
    assert!(told(far, &|_| ()).starts_with("this node is in another network than the master"));
    let off = |node: &Node| {
        for state in ["active", "enabled"] {
            fs::remove_file(node.root().join(format!("run/systemd/{state}/firewalld"))).unwrap();
        }
    };
    assert_eq!(told(without, &off), "");
}

/// A member of a cluster whose firewalld the installer has set up.
fn member() -> Member {
    let member = Member::new(Role::Master);
    for path in ["run/systemd/active/firewalld", "run/systemd/enabled/firewalld"] {
        member.write(path, "");
    }
    for path in paths("public") {
        member.write(&path, "service ssh\n");
    }
    member.write("var/lib/kubelet/kubeadm-flags.env", "X=\"--a=b --node-ip=10.0.0.2\"\n");
    for place in ["etc", "run"] {
        let policy = "target: ACCEPT\ningress-zones: ANY\negress-zones: trusted\n";
        member.write(&format!("{place}/firewalld/policies/kubeferry-pods.xml"), policy);
    }
    member.node.apply(None).end.unwrap();
    member
}

#[test]
fn doctor_says_when_packets_arrive_where_nothing_is_open() {
    let member = member();
    assert_eq!(member.diagnose().findings, []);
    let (host, _) = member.node.look(Some(Fault::Mute("firewall-cmd --state")));
    let unknown = installer::doctor::diagnose(&host).unknown;
    assert_eq!(unknown, ["`firewall-cmd --state` was ended by a signal"]);
    // A rule for nodes is lost.
    let rule = format!("{}\"tcp\" accept\n", rich("10.0.0.0/24", "10250"));
    for path in paths("public") {
        let text = member.read(&path);
        assert!(text.contains(&rule), "{text}");
        member.write(&path, &text.replace(&rule, ""));
    }
    let found = member.diagnose().findings;
    assert_eq!(found[0].cause, "firewalld lets nothing through at 10250/tcp from 10.0.0.0/24");
    member.type_in(&found[0].cure);
    assert_eq!(member.diagnose().findings, []);
    // A node of another network has come.
    let list = "{\"items\": [{\"status\": {\"addresses\": [{\"type\": \"InternalIP\", \
                \"address\": \"10.3.0.9\"}], \"nodeInfo\": {\"kubeletVersion\": \"v1\"}}}]}";
    member.write("run/api-nodes.json", list);
    let cause = "10.3.0.9 is a node of this cluster, and firewalld's zone public lets nothing of it \
                 through";
    let found = member.diagnose().findings;
    assert_eq!(found[0].cause, cause);
    assert_eq!(found[0].cure, "./installer --role master --only firewall");
    member.node.apply(None).end.unwrap();
    assert_eq!(member.diagnose().findings, []);
    // The interface moves.
    for path in paths("internal") {
        member.write(&path, "interface eth0\n");
    }
    let found = member.diagnose().findings;
    let cause = "eth0 is in firewalld's zone internal, in which the installer opened nothing";
    assert_eq!(found[0].cause, cause);
    assert_eq!(found[0].cure, "./installer --role master --only firewall");
    member.node.apply(None).end.unwrap();
    assert_eq!(member.diagnose().findings, []);
}
