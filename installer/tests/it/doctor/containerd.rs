//! containerd and its configuration.

use installer::doctor::Diagnosis;
use installer::engine::run;
use installer::receipt::StepName;
use installer::role::Role;

use super::{CONTAINERD, KUBELET, assert_first, assert_found, edit};
use crate::node::member::Member;

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
    let cause = "the sandbox image registry.k8s.io/pause:3.9, which";
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
