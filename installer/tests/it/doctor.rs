//! Each known cause on a node that was well before: it is the first that is
//! found, with its cure.

use installer::doctor::{Diagnosis, Finding, diagnose_past_receipt};
use installer::engine::run;
use installer::receipt::{Receipt, StepName};
use installer::role::Role;

use crate::node::Node;
use crate::node::kinds::BARE;
use crate::node::member::{Authority, Member, READY, config_of};

const CONTAINERD: &str = "etc/containerd/config.toml";
const KUBELET: &str = "var/lib/kubelet/config.yaml";

/// Breaks a node; what is found first must have these words, and this cure.
fn assert_found(role: Role, spoil: impl Fn(&Member), cause: &str, cure: &str) {
    let member = Member::new(role);
    spoil(&member);
    let found = member.diagnose();
    assert_first(&found, cause, cure);
}

fn assert_first(found: &Diagnosis, cause: &str, cure: &str) {
    assert_eq!(found.unknown, Vec::<String>::new());
    let first = found.findings.first().unwrap();
    assert!(first.cause.contains(cause), "{cause}: {found:#?}");
    assert_eq!(first.cure, cure, "{first:#?}");
}

fn edit(member: &Member, path: &str, from: &str, to: &str) {
    let text = member.read(path);
    assert!(text.contains(from), "{text}");
    member.write(path, &text.replace(from, to));
}

#[test]
fn nothing_is_wrong_with_a_node_that_works() {
    for role in [Role::Master, Role::Worker] {
        assert_eq!(Member::new(role).diagnose(), Diagnosis::default(), "{role}");
    }
}

#[test]
fn a_bare_node_is_in_no_cluster_and_nothing_else() {
    let (host, commands) = Node::new(Role::Worker, &BARE).look(None);
    let found = installer::doctor::diagnose(&host).findings;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].cause, "this node is in no cluster");
    assert!(commands.made().is_empty());
}

#[test]
fn a_set_up_that_did_not_end_is_run_again() {
    let spoil = |member: &Member| member.remove("etc/kubernetes/kubelet.conf");
    let line = "./installer --role worker --join join.yaml";
    assert_found(Role::Worker, spoil, "this node is not yet a worker", line);
    let deed =
        "{\"line\":\"deed\",\"step\":\"join\",\"deed\":{\"did\":\"made\",\"path\":\"/x\"}}\n";
    let cut = |member: &Member| {
        let path = "var/lib/kubeferry/receipt.jsonl";
        member.write(path, &format!("{}{deed}", member.read(path)));
    };
    let both = |member: &Member| (cut(member), spoil(member)).0;
    assert_found(Role::Worker, both, "not yet a worker: its step `join` was interrupted", line);
    let not_ready = |member: &Member| {
        cut(member);
        edit(member, "run/api-node.json", "\"True\"", "\"False\"");
    };
    assert_found(Role::Worker, not_ready, "was interrupted in its step `join`", line);
    let works = Member::new(Role::Worker);
    cut(&works);
    assert_eq!(works.diagnose(), Diagnosis::default());
}

#[test]
fn a_receipt_that_cannot_be_read_hides_no_other_cause() {
    let member = Member::new(Role::Worker);
    let receipt = "var/lib/kubeferry/receipt.jsonl";
    let text = member.read(receipt);
    let damaged = text.replacen("\"line\":\"begun\"", "\"line\":\"b\0gun\"", 1);
    assert_ne!(text, damaged);
    member.write(receipt, &damaged);
    member.write("proc/sys/net/ipv4/ip_forward", "0\n");
    let root = member.node.root();
    let error = Receipt::read(&root.join("var/lib/kubeferry")).unwrap_err();
    let found = diagnose_past_receipt(&member.node.look_past_receipt(), &error);
    assert_first(&found, "net.ipv4.ip_forward is 0", "sysctl -w net.ipv4.ip_forward=1");
    let last = found.findings.last().unwrap();
    assert!(last.cause.contains("receipt.jsonl: line 2 is damaged"), "{last:#?}");
    assert!(last.cure.contains("keep a copy"), "{last:#?}");
}

#[test]
fn the_machine_itself() {
    let df = |member: &Member| edit(member, "run/df", "600", "99");
    let cure = "make room: `du -xh -d 4 / | sort -h | tail` shows what takes it";
    assert_found(Role::Worker, df, "the disk at / has only 9 % left", cure);
    let swap = |member: &Member| {
        member.remove("proc/swaps");
        member.write("proc/swaps", "Filename Type\n/dev/sda2 partition 1 0 -2\n");
    };
    let cure = "./installer --role worker --join join.yaml --only swap";
    assert_found(Role::Worker, swap, "swap is on, with which kubelet does not start: /dev", cure);
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
    let cause = "firewalld will let, when it starts anew, nothing through at 6443/tcp";
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
        let cause = format!("what the installer wrote is gone or empty: /{path}");
        let cure = format!("{line} --only {step}");
        assert_found(Role::Worker, |member| member.remove(path), &cause, &cure);
        for empty in ["", "\n", "\0\0\0"] {
            assert_found(Role::Worker, |member| member.write(path, empty), &cause, &cure);
        }
    }
    let fstab = |member: &Member| member.write("etc/fstab", "/dev/sda2 none swap sw 0 0\n");
    let cause = "swap is off, but comes back at the next boot: still to do is `write /etc/fstab`";
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
    assert_found(Role::Worker, gone, "systemd knows no unit kubelet", cure);
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
    assert_found(Role::Worker, deaf, "chronyd has selected no source of 10.0.0.1", cure);
    let nobody = |member: &Member| {
        deaf(member);
        edit(member, "etc/chrony.conf", "server 10.0.0.1 iburst\n", "");
    };
    let cure = "./installer --role worker --join join.yaml --only time";
    assert_found(Role::Worker, nobody, "/etc/chrony.conf names no server", cure);
}

#[test]
fn containerd() {
    let cure = "./installer --role worker --join join.yaml --only containerd";
    let off = |member: &Member| {
        let text = member.read(CONTAINERD);
        member.write(CONTAINERD, &format!("disabled_plugins = [\"aufs\", \"cri\"]\n{text}"));
    };
    assert_found(Role::Worker, off, "containerd's CRI plugin is disabled", cure);
    let broken = |member: &Member| member.write(CONTAINERD, "version = [");
    let path = "/etc/containerd/config.toml";
    let moved = format!("mv {path} {path}.old && {cure}");
    assert_found(Role::Worker, broken, "is not TOML", &moved);
    let stop = |member: &Member| member.remove("run/systemd/active/containerd");
    let start = "systemctl enable --now containerd";
    assert_found(Role::Worker, stop, "containerd does not run", start);
    let mute = |member: &Member| member.write("run/mute", "");
    let restart = "systemctl restart containerd";
    assert_found(Role::Worker, mute, "does not answer CRI", restart);
    let other = |member: &Member| member.write("run/images", "registry.k8s.io/pause:3.6\n");
    let cause = "the sandbox image registry.k8s.io/pause:3.9 of";
    assert_found(Role::Worker, other, cause, &format!("{cure} --only images"));
}

#[test]
fn the_step_that_a_cure_names_mends_it() {
    let off = |member: &Member| {
        let text = member.read(CONTAINERD);
        member.write(CONTAINERD, &format!("disabled_plugins = [\"cri\"]\n{text}"));
    };
    let swap = |member: &Member| {
        member.remove("proc/swaps");
        member.write("proc/swaps", "Filename Type\n/dev/sda2 partition 1 0 -2\n");
    };
    let forward = |member: &Member| {
        member.write("etc/sysctl.d/zz-kubeferry.conf", "");
        member.write("proc/sys/net/ipv4/ip_forward", "0\n");
    };
    let nobody = |member: &Member| {
        member.write("run/systemd/active/chronyd", "");
        edit(member, "etc/chrony.conf", "server 10.0.0.1 iburst\n", "");
    };
    let spoils: [fn(&Member); 4] = [off, swap, forward, nobody];
    for (name, spoil) in [StepName::Containerd, StepName::Swap, StepName::Sysctl, StepName::Time]
        .into_iter()
        .zip(spoils)
    {
        let member = Member::new(Role::Worker);
        spoil(&member);
        let found = member.diagnose().findings;
        let cure = format!("./installer --role worker --join join.yaml --only {name}");
        assert_eq!(found[0].cure, cure);
        let mut steps = member.node.steps();
        steps.retain(|step| step.name() == name);
        let mut host = member.node.look(None).0.open().unwrap();
        run::apply(&mut host, &member.node.intent(), &steps, &mut |_, _, _| ()).unwrap();
        assert_eq!(member.diagnose(), Diagnosis::default(), "{name}");
    }
}

#[test]
fn containerd_2_has_its_keys_elsewhere() {
    let member = Member::new(Role::Worker);
    let told = |image: &str, systemd: bool| {
        format!(
            "version = 3\n[plugins.\"io.containerd.cri.v1.images\".pinned_images]\n\
             sandbox = \"{image}\"\n[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes\
             .runc.options]\nSystemdCgroup = {systemd}\n"
        )
    };
    member.write(CONTAINERD, &told("registry.k8s.io/pause:3.9", true));
    assert_eq!(member.diagnose(), Diagnosis::default());
    let line = "./installer --role worker --join join.yaml --only containerd";
    member.write(CONTAINERD, &told("registry.k8s.io/pause:3.1", true));
    let cure = format!("{line} --only images");
    assert_first(&member.diagnose(), "the sandbox image registry.k8s.io/pause:3.1", &cure);
    member.write(CONTAINERD, &told("registry.k8s.io/pause:3.9", false));
    let cure = "sed -i 's/SystemdCgroup = false/SystemdCgroup = true/' \
                /etc/containerd/config.toml && systemctl restart containerd";
    let cause = "kubelet's cgroup driver is systemd, and containerd's is cgroupfs";
    assert_first(&member.diagnose(), cause, cure);
    let off = format!("disabled_plugins = [\"io.containerd.cri.v1.runtime\"]\n{}", told("a", true));
    member.write(CONTAINERD, &off);
    assert_first(&member.diagnose(), "CRI plugin is disabled", line);
}

#[test]
fn each_runtime_of_containerd_has_kubelets_cgroup_driver() {
    let line = "./installer --role worker --join join.yaml --only containerd";
    let nvidia = "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n\
                  runtime_type = \"io.containerd.runc.v2\"\n";
    let other = |member: &Member| {
        let text = member.read(CONTAINERD);
        member.write(CONTAINERD, &format!("{text}{nvidia}"));
    };
    let cause = "and containerd's for the runtime nvidia is cgroupfs";
    assert_found(Role::Worker, other, cause, line);
    let default = |member: &Member| {
        other(member);
        let text = member.read(CONTAINERD);
        let name = "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n\
                    default_runtime_name = \"nvidia\"\n";
        member.write(CONTAINERD, &format!("{text}{name}"));
    };
    let cause = "kubelet's cgroup driver is systemd, and containerd's is cgroupfs";
    assert_found(Role::Worker, default, cause, line);
}

#[test]
fn cgroup_drivers_differ() {
    let end = "&& systemctl restart kubelet";
    let change = |member: &Member| edit(member, KUBELET, "Driver: systemd", "Driver: cgroupfs");
    let cause = "kubelet's cgroup driver is cgroupfs, and containerd's is systemd";
    let cure = format!("sed -i 's/^cgroupDriver:.*/cgroupDriver: systemd/' /{KUBELET} {end}");
    assert_found(Role::Worker, change, cause, &cure);
    let unsaid = |member: &Member| edit(member, KUBELET, "cgroupDriver: systemd\n", "");
    let cure = format!("echo 'cgroupDriver: systemd' >>/{KUBELET} {end}");
    assert_found(Role::Worker, unsaid, cause, &cure);
}

#[test]
fn kubelet() {
    let enable = "systemctl enable --now kubelet";
    let active = "run/systemd/active/kubelet";
    let stop = |member: &Member| member.remove(active);
    assert_found(Role::Worker, stop, "kubelet does not run", enable);
    let disable = |member: &Member| member.remove("run/systemd/enabled/kubelet");
    assert_found(Role::Master, disable, "kubelet does not start at boot", enable);
    let mask = |member: &Member| member.write("run/systemd/masked/kubelet", "");
    let cure = format!("systemctl unmask kubelet && {enable}");
    assert_found(Role::Worker, mask, "kubelet is masked", &cure);
    let fails = |member: &Member| {
        member.remove(active);
        member.write("run/systemd/failed/kubelet", "");
        member.write("run/journal", "I0101 begun\nE0101 \"command failed\"\nStopped kubelet.\n");
    };
    let cure = "systemctl restart kubelet, once what it says is mended";
    assert_found(Role::Worker, fails, "kubelet fails: E0101 \"command failed\"", cure);
}

#[test]
fn the_network_of_pods() {
    let cure = "on the master: kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system \
                delete pods --field-selector spec.nodeName=node-1";
    let spoil = |member: &Member| member.remove("etc/cni/net.d");
    assert_found(Role::Worker, spoil, "no network for pods is configured", cure);
    let cure = cure.trim_start_matches("on the master: ");
    assert_found(Role::Master, spoil, "no network for pods is configured", cure);
}

#[test]
fn kubeconfigs_of_another_cluster() {
    let stale = |member: &Member, path: &str| {
        let other = Authority::new();
        let client = other.issue("kubernetes-admin", 2020, 2090);
        member.write(path, &config_of(&other.pem, "10.9.9.9:6443", Some(&client)));
    };
    let own = "root/.kube/config";
    let cause = "/root/.kube/config is of another cluster";
    let cure = "install -m 600 /etc/kubernetes/admin.conf /root/.kube/config";
    assert_found(Role::Master, |member| stale(member, own), cause, cure);
    let cure = "mv /root/.kube/config /root/.kube/config.old";
    assert_found(Role::Worker, |member| stale(member, own), cause, cure);
    let admin = "etc/kubernetes/admin.conf";
    let cure = "mv /etc/kubernetes/admin.conf /etc/kubernetes/admin.conf.old && kubeadm init \
                phase kubeconfig admin --config /opt/kubernetes/kubeadm.yaml";
    let cause = "/etc/kubernetes/admin.conf is of another cluster";
    assert_found(Role::Master, |member| stale(member, admin), cause, cure);
    let cause = "reading /etc/kubernetes/admin.conf: it is not as a kubeconfig should be";
    assert_found(Role::Master, |member| member.write(admin, ""), cause, cure);
    let cure = "on the master: ./installer token --output join.yaml; with it here: kubeadm reset \
                --force --cri-socket /run/containerd/containerd.sock && ./installer --role worker \
                --join join.yaml";
    let path = "etc/kubernetes/kubelet.conf";
    let cause = "/etc/kubernetes/kubelet.conf is of another cluster";
    assert_found(Role::Worker, |member| stale(member, path), cause, cure);
}

#[test]
fn certificates() {
    let renew = "./installer certs renew";
    for name in ["apiserver", "etcd/server"] {
        let path = format!("/etc/kubernetes/pki/{name}.crt");
        let spoil =
            |member: &Member| member.write(&path[1..], &member.authority.issue(name, 2020, 2021));
        let cause = format!("expired: {path} (2020-01-02T00:00:00Z to 2021-01-02T00:00:00Z)");
        assert_found(Role::Master, spoil, &cause, renew);
    }
    let admin = |member: &Member| member.config(Some(&member.authority.issue("a", 2020, 2021)));
    let spoil = |member: &Member| member.write("etc/kubernetes/admin.conf", &admin(member));
    assert_found(Role::Master, spoil, "expired: /etc/kubernetes/admin.conf (", renew);
    let spoil = |member: &Member| member.write("root/.kube/config", &admin(member));
    let cure = "install -m 600 /etc/kubernetes/admin.conf /root/.kube/config";
    assert_found(Role::Master, spoil, "expired: /root/.kube/config (", cure);
    let path = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let old = |member: &Member| member.authority.issue("system:node:node-1", 2020, 2021);
    let spoil = |member: &Member| member.write(&path[1..], &old(member));
    let cure = format!(
        "mv /etc/kubernetes/kubelet.conf /etc/kubernetes/kubelet.conf.old && kubeadm init phase \
         kubeconfig kubelet --config /opt/kubernetes/kubeadm.yaml && rm -f {path} && systemctl \
         restart kubelet"
    );
    assert_found(Role::Master, spoil, &format!("expired: {path} ("), &cure);
    let early = |member: &Member| member.authority.issue("system:node:node-1", 2090, 2091);
    let spoil = |member: &Member| member.write(&path[1..], &early(member));
    let cause = format!("the clock is behind: {path} holds from 2090-01-02T00:00:00Z");
    assert_found(Role::Worker, spoil, &cause, "chronyc makestep");
}

#[test]
fn certificates_that_end_soon_come_last() {
    let path = "etc/kubernetes/pki/apiserver.crt";
    let with = |days| {
        let member = Member::new(Role::Master);
        member.write(path, &member.authority.issue_for("kube-apiserver", days));
        member
    };
    assert_eq!(with(31).diagnose(), Diagnosis::default());
    let member = with(29);
    let cause = "will expire: /etc/kubernetes/pki/apiserver.crt (2020-01-02T00:00:00Z to 2";
    assert_first(&member.diagnose(), cause, "./installer certs renew");
    member.write("run/api-node.json", &READY.replace("\"True\"", "\"False\""));
    let found = member.diagnose().findings;
    assert!(found[0].cause.starts_with("the node is not Ready"), "{found:#?}");
    assert!(found[1].cause.starts_with("will expire"), "{found:#?}");
    let spoil = |member: &Member| {
        let pem = member.authority.issue_for("system:node:node-1", 29);
        member.write("var/lib/kubelet/pki/kubelet-client-current.pem", &pem);
    };
    let cure = "systemctl restart kubelet; `journalctl --unit kubelet` says why not";
    assert_found(Role::Worker, spoil, "; kubelet has not renewed it", cure);
}

#[test]
fn a_master_that_another_made_is_mended_by_hand() {
    let spoil = |member: &Member| {
        member.remove("var/lib/kubeferry");
        let old = member.authority.issue("kube-apiserver", 2020, 2021);
        member.write("etc/kubernetes/pki/apiserver.crt", &old);
    };
    let cure = "kubeadm certs renew all --config /opt/kubernetes/kubeadm.yaml && cd \
                /etc/kubernetes && mv manifests manifests.off && sleep 60 && mv manifests.off \
                manifests";
    assert_found(Role::Master, spoil, "expired: /etc/kubernetes/pki/apiserver.crt", cure);
}

#[test]
fn the_control_plane() {
    let left = |member: &Member| member.write("var/lib/etcd/member/snap/db", "");
    let cure = "mv /var/lib/etcd/member /var/lib/etcd-member.old";
    assert_found(Role::Worker, left, "has the data of a control plane that is not here", cure);
    let lost = |member: &Member| member.remove("etc/kubernetes/manifests/etcd.yaml");
    let cure = "kubeadm init phase etcd local --config /opt/kubernetes/kubeadm.yaml";
    assert_found(Role::Master, lost, "the control plane lacks etcd.yaml", cure);
}

#[test]
fn the_api_server_comes_last() {
    let mut member = Member::new(Role::Worker);
    member.end_api();
    let cure = "on the master: ./installer doctor; if it finds nothing, check the cable";
    assert_first(&member.diagnose(), "does not answer", cure);
    // What it may come of is told before.
    member.remove("run/systemd/active/kubelet");
    let causes: Vec<String> =
        member.diagnose().findings.into_iter().map(|Finding { cause, .. }| cause).collect();
    assert_eq!(causes[0], "kubelet does not run");
    assert!(causes[1].starts_with("the API server at 127.0.0.1:"), "{causes:?}");
    let spoil = |member: &Member| {
        let text = READY.replace("\"True\"", "\"False\"").replace("posting ready", "in bad");
        member.write("run/api-node.json", &text);
    };
    let cure = "systemctl restart kubelet; `journalctl --unit kubelet` says more";
    assert_found(Role::Worker, spoil, "the node is not Ready: kubelet is in bad status", cure);
}

#[test]
fn a_node_that_was_deleted_from_its_cluster() {
    let spoil = |member: &Member| {
        member.write("run/api-node.json", "");
        let says = "Error from server (NotFound): nodes \"node-1\" not found\n";
        member.write("run/api-says", says);
    };
    let cause = "the cluster does not know node-1 any more: it was deleted there";
    assert_found(Role::Worker, spoil, cause, "systemctl restart kubelet");
    let cure = "systemctl restart kubelet && kubeadm init phase mark-control-plane --config \
                /opt/kubernetes/kubeadm.yaml";
    assert_found(Role::Master, spoil, cause, cure);
}

#[test]
fn what_cannot_be_looked_at_is_told_and_hides_nothing() {
    let member = Member::new(Role::Worker);
    member.write(KUBELET, "a: [");
    member.remove("run/systemd/active/kubelet");
    let found = member.diagnose();
    assert_eq!(found.findings[0].cause, "kubelet does not run");
    assert_eq!(found.unknown, ["reading /var/lib/kubelet/config.yaml: it is not YAML"]);
    let member = Member::new(Role::Master);
    member.write("etc/kubernetes/pki/apiserver.crt", "");
    let found = member.diagnose();
    assert_eq!(found.unknown, ["/etc/kubernetes/pki/apiserver.crt has no certificate in it"]);
}
