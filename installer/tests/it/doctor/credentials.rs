//! Kubeconfigs and certificates.

use installer::doctor::Diagnosis;
use installer::role::Role;

use super::{assert_first, assert_found};
use crate::node::member::{Authority, Member, READY, config_of};

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
    let cause = "reading /etc/kubernetes/admin.conf: it does not have the fields of a kubeconfig";
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
    let cause = format!("the clock is behind: {path} is valid from 2090-01-02T00:00:00Z");
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
