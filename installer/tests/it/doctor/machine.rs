//! The machine: disks, swap, the kernel, the firewall, units, the clock.

use installer::doctor::Diagnosis;
use installer::role::Role;

use super::{KUBELET, assert_first, assert_found, edit};
use crate::node::member::Member;

#[test]
fn the_machine_itself() {
    let df = |member: &Member| edit(member, "run/df", "600", "99");
    let cure = "make room: `du -xh -d 4 / | sort -h | tail` shows what uses it";
    assert_found(Role::Worker, df, "the disk at / has only 9 % free", cure);
    // 99 KiB are free, of which kubelet's own threshold may make enough.
    for (threshold, is_enough) in [
        ("5%", true),
        ("9.5%", true),
        ("10%", false),
        ("90Ki", true),
        ("101376", true),
        ("98.5Ki", true),
        ("99.5Ki", false),
        ("1Mi", false),
    ] {
        let set = Member::new(Role::Worker);
        df(&set);
        let eviction =
            format!("failSwapOn: true\nevictionHard: {{nodefs.available: '{threshold}'}}");
        edit(&set, KUBELET, "failSwapOn: true", &eviction);
        assert_eq!(set.diagnose() == Diagnosis::default(), is_enough, "{threshold}");
    }
    let swap = |member: &Member| {
        member.remove("proc/swaps");
        member.write("proc/swaps", "Filename Type\n/dev/sda2 partition 1 0 -2\n");
    };
    let cure = "./installer --role worker --join join.yaml --only swap";
    assert_found(Role::Worker, swap, "swap is on, and kubelet does not start with it: /dev", cure);
    let wanted = Member::new(Role::Worker);
    swap(&wanted);
    edit(&wanted, KUBELET, "failSwapOn: true", "failSwapOn: false");
    assert_eq!(wanted.diagnose(), Diagnosis::default());
    let path = "proc/sys/net/ipv4/ip_forward";
    let cure = "sysctl -w net.ipv4.ip_forward=1";
    let cause = "net.ipv4.ip_forward is 0, and must be 1";
    assert_found(Role::Master, |member| member.write(path, "0\n"), cause, cure);
    let unloaded = |member: &Member| member.remove("proc/sys/net/bridge");
    let cure = "modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-ip6tables=1";
    assert_found(Role::Worker, unloaded, "br_netfilter is not loaded", cure);
}

#[test]
fn the_firewall_where_the_installer_set_it_up() {
    let member = Member::new(Role::Master);
    for path in ["run/systemd/active/firewalld", "run/iptables"] {
        member.write(path, "KUBE-SERVICES\n");
    }
    let (work, files) = ("run/firewalld/zones/public.xml", "etc/firewalld/zones/public.xml");
    for path in [work, files] {
        member.write(path, "port 22/tcp\nport 10250/tcp\n");
    }
    assert_eq!(member.diagnose(), Diagnosis::default(), "who has set it up himself knows better");
    let path = "var/lib/kubeferry/receipt.jsonl";
    let finished = "{\"line\":\"finished\",\"step\":\"firewall\"}\n";
    member.write(path, &format!("{}{finished}", member.read(path)));
    let options = "--zone=public --add-port=10256/tcp --add-port=30000-32767/tcp \
                   --add-port=30000-32767/udp --add-port=6443/tcp";
    let cure = format!("firewall-cmd {options} && firewall-cmd --permanent {options}");
    assert_first(&member.diagnose(), "firewalld lets nothing through at 10256/tcp, ", &cure);
    member.type_in(&cure);
    assert_eq!(member.diagnose(), Diagnosis::default());
    // Each of both by itself.
    edit(&member, files, "port 6443/tcp\n", "");
    let cure = "firewall-cmd --permanent --zone=public --add-port=6443/tcp";
    let cause = "firewalld will, after its next start, let nothing through at 6443/tcp";
    assert_first(&member.diagnose(), cause, cure);
    member.type_in(cure);
    edit(&member, work, "port 6443/tcp\n", "");
    let cure = "firewall-cmd --zone=public --add-port=6443/tcp";
    assert_first(&member.diagnose(), "firewalld lets nothing through at 6443/tcp", cure);
    member.type_in(cure);
    assert_eq!(member.diagnose(), Diagnosis::default());
    assert_eq!(member.read("run/iptables"), "KUBE-SERVICES\n");
}

#[test]
fn what_the_installer_has_left_for_the_next_boot() {
    let line = "./installer --role worker --join join.yaml";
    for (path, step) in [
        ("etc/modules-load.d/kubeferry.conf", "modules"),
        ("etc/sysctl.d/zz-kubeferry.conf", "sysctl"),
        ("etc/crictl.yaml", "crictl"),
        ("opt/kubernetes/resolv.conf", "kubelet"),
    ] {
        let cause = format!("files that the installer wrote are missing or empty: /{path}");
        let cure = format!("{line} --only {step}");
        assert_found(Role::Worker, |member| member.remove(path), &cause, &cure);
        for empty in ["", "\n", "\0\0\0"] {
            assert_found(Role::Worker, |member| member.write(path, empty), &cause, &cure);
        }
    }
    let fstab = |member: &Member| member.write("etc/fstab", "/dev/sda2 none swap sw 0 0\n");
    let cause = "swap is off, but comes back at the next boot; to prevent that: `write /etc/fstab`";
    let member = Member::new(Role::Worker);
    fstab(&member);
    assert_eq!(member.diagnose(), Diagnosis::default(), "who never had it switched off");
    let path = "var/lib/kubeferry/receipt.jsonl";
    let finished = "{\"line\":\"finished\",\"step\":\"swap\"}\n";
    member.write(path, &format!("{}{finished}", member.read(path)));
    assert_first(&member.diagnose(), cause, &format!("{line} --only swap"));
}

#[test]
fn units_of_the_installer() {
    const UNIT: &str = "kubeferry-service-route.service";
    let (active, enabled) =
        (format!("run/systemd/active/{UNIT}"), format!("run/systemd/enabled/{UNIT}"));
    let enable = format!("systemctl enable --now {UNIT}");
    let stop = |member: &Member| member.remove(&active);
    assert_found(Role::Worker, stop, &format!("{UNIT} does not run"), &enable);
    let disable = |member: &Member| member.remove(&enabled);
    assert_found(Role::Master, disable, &format!("{UNIT} does not start at boot"), &enable);
    // Where a route goes to everywhere nothing is lost.
    let head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n";
    let member = Member::new(Role::Worker);
    stop(&member);
    let route =
        |to: &str, mask: &str| format!("{head}eth0\t{to}\t00000000\t0001\t0\t0\t0\t{mask}\n");
    member.write("proc/net/route", &route("00000000", "00000000"));
    assert_eq!(member.diagnose(), Diagnosis::default());
    let lost = |member: &Member| member.write("proc/net/route", &route("0000A8C0", "0000FFFF"));
    let restart = format!("systemctl restart {UNIT}");
    assert_found(Role::Worker, lost, "the kernel has lost the route to Services", &restart);
    let number = format!("{:08X}", u32::from_ne_bytes([10, 96, 0, 0]));
    let member = Member::new(Role::Worker);
    member.write("proc/net/route", &route(&number, "0000F0FF"));
    assert_eq!(member.diagnose(), Diagnosis::default());
    let nfs = |member: &Member| member.write("etc/exports.d/kubeferry.exports", "/srv a(rw)\n");
    assert_found(Role::Worker, nfs, "nfs-server does not run", "systemctl enable --now nfs-server");
}

#[test]
fn a_unit_that_systemd_does_not_know() {
    let gone = |member: &Member| {
        member.remove("run/systemd/active/kubelet");
        member.write("run/systemd/absent/kubelet", "");
    };
    let cure = "./installer --role worker --join join.yaml --only packages";
    assert_found(Role::Worker, gone, "systemd has no unit kubelet", cure);
}

#[test]
fn the_clock() {
    let stop = |member: &Member| member.remove("run/systemd/active/chronyd");
    let cure = "systemctl enable --now chronyd";
    assert_found(Role::Master, stop, "chronyd does not run", cure);
    let path = "run/chrony/tracking";
    let tracking = |offset: &str, leap: &str| {
        format!("7F7F0101,,10,1700000000.0,{offset},0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.0,{leap}\n")
    };
    let ahead = |member: &Member| member.write(path, &tracking("-31.5", "Normal"));
    assert_found(Role::Worker, ahead, "the clock is 32 s off", "chronyc makestep");
    let alone = |member: &Member| member.write(path, &tracking("0.0", "Not synchronised"));
    let cure = "./installer --role master --only time";
    assert_found(Role::Master, alone, "the clock is not synchronised", cure);
    let deaf = |member: &Member| member.write("run/systemd/active/chronyd", "");
    let cure = "systemctl restart chronyd && chronyc waitsync 60 0 0 1; if that fails, on \
                10.0.0.1: ./installer doctor";
    assert_found(Role::Worker, deaf, "chronyd uses none of its servers, 10.0.0.1", cure);
    let nobody = |member: &Member| {
        deaf(member);
        edit(member, "etc/chrony.conf", "server 10.0.0.1 iburst\n", "");
    };
    let cure = "./installer --role worker --join join.yaml --only time";
    assert_found(Role::Worker, nobody, "/etc/chrony.conf names no server", cure);
}
