//! Networks: what plugins accept, DNS, routes, ports.

use std::fs;

use installer::role::Role;

use super::Told::{Nothing, Problem, Warning};
use super::{as_it_is, check, told};
use crate::node::intent::{bundle_changed, image, locked};
use crate::node::kinds;

#[test]
fn network_plugins_bear_rp_filter_or_not() {
    for (name, value, wanted) in [
        ("docker.io/calico/node:v3.11.2", "2", Problem("Calico before 3.12 does not start")),
        ("registry.site/x/calico/node:v3.26.4", "2", Nothing),
        ("docker.io/calico/node:v3.11.2", "0", Nothing),
        // It sets 0 itself.
        ("quay.io/cilium/cilium:v1.15.0", "1", Warning("net.ipv4.conf.all.rp_filter=0")),
        ("quay.io/cilium/cilium:v1.15.0", "2", Nothing),
    ] {
        let node = kinds::bare(Role::Worker);
        let path = node.root().join("proc/sys/net/ipv4/conf/all/rp_filter");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value).unwrap();
        let image = image(name);
        let mut manifest = locked(&("network", "{}"));
        manifest.images = vec![image.name.clone()];
        let mut intent = node.intent();
        intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
            lock.images = vec![image];
            lock.manifests = vec![manifest];
        });
        let [problems, warnings] = told(&node, &intent);
        let (all, none) = match wanted {
            Warning(_) => (warnings, problems),
            _ => (problems, warnings),
        };
        assert_eq!(none, [""; 0], "{name} {value}");
        match wanted {
            Problem(words) | Warning(words) => assert!(all[0].contains(words), "{all:?}"),
            Nothing => assert_eq!(all, [""; 0], "{name} {value}"),
        }
    }
}

#[test]
fn dns_that_knows_every_name() {
    let resolver = |text: &str| text.to_owned();
    for (text, known, wanted) in [
        ("search site\nnameserver 10.0.0.9\n", "", Nothing),
        (
            "search site other\nnameserver 10.0.0.9\n",
            "other\n",
            Warning("answers for every name below other"),
        ),
        // The last of these lines counts.
        ("search site\ndomain own\nnameserver 10.0.0.9\n", "site\n", Nothing),
        ("nameserver 10.0.0.9\n", "site\n", Nothing),
        ("search site\n", "site\n", Nothing),
    ] {
        let files = [("etc/resolv.conf", resolver(text)), ("run/dns", known.to_owned())];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        check(Role::Worker, &files, as_it_is, &wanted);
    }
}

#[test]
fn routes_into_the_clusters_networks() {
    let table = |destination: &str, gateway: &str, mask: &str, interface: &str| {
        format!(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                 eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                 {interface}\t{destination}\t{gateway}\t0003\t0\t0\t0\t{mask}\n"
        )
    };
    const ROUTES: &str = "proc/net/route";
    const HERE: &str = "00000000";
    const ROUTER: &str = "0100000A";
    let pods =
        "podCidr 10.244.0.0/16 overlaps with 10.244.5.0/24, to which this node has a route by eth1";
    let services = "serviceCidr 10.96.0.0/12 overlaps with 10.96.0.0/16";
    // 10.244.5.0/24, 10.96.0.0/16, 10.192.0.0/10, 172.16.0.0/16, and the default route.
    for (destination, gateway, mask, interface, wanted) in [
        ("0005F40A", HERE, "00FFFFFF", "eth1", Problem(pods)),
        ("0000600A", HERE, "0000FFFF", "eth1", Problem(services)),
        // As kube-router, flannel and Calico leave them; a site may have such as well.
        ("0005F40A", ROUTER, "00FFFFFF", "eth1", Warning(pods)),
        ("0000C00A", ROUTER, "0000C0FF", "eth1", Warning("overlaps with 10.192.0.0/10")),
        ("0005F40A", HERE, "00FFFFFF", "docker0", Nothing),
        ("000010AC", HERE, "0000FFFF", "eth1", Nothing),
        ("00000000", ROUTER, "00000000", "eth1", Nothing),
    ] {
        let table = table(destination, gateway, mask, interface);
        check(Role::Worker, &[(ROUTES, &table)], as_it_is, &wanted);
    }
    let own = table("0000600A", HERE, "0000F0FF", "eth1");
    let unit = "etc/systemd/system/kubeferry-service-route.service";
    check(Role::Worker, &[(ROUTES, &own), (unit, "")], as_it_is, &Nothing);
}

#[test]
fn ports_say_who_has_them() {
    let line = "LISTEN 0 511 *:10250 *:* users:((\"agent\",pid=77,fd=6))\n";
    let told = Problem("port 10250 is taken by agent\n");
    check(Role::Worker, &[("run/listening", line)], as_it_is, &told);
    let healthz = "LISTEN 0 511 127.0.0.1:10248 *:*\n";
    let told = Problem("port 10248 is taken by another program");
    check(Role::Worker, &[("run/listening", healthz)], as_it_is, &told);
}
