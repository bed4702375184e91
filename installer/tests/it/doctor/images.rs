//! Images that are gone while their containers run.

use installer::role::Role;

use super::assert_first;
use crate::node::member::Member;
use crate::node::upgrading::write_manifest;

const PAUSE: &str = "registry.k8s.io/pause:3.9\n";

#[test]
fn images_without_which_a_master_does_not_start_again() {
    let member = Member::new(Role::Master);
    let pods = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    pods.iter().for_each(|pod| write_manifest(member.node.root(), pod, "v1.28.2"));
    let images = "registry.k8s.io/etcd:3.5.9-0\nregistry.k8s.io/kube-apiserver:v1.28.2\n\
                  registry.k8s.io/kube-controller-manager:v1.28.2\n";
    let last = "registry.k8s.io/kube-scheduler:v1.28.2\n";
    member.write("run/images", &format!("{PAUSE}{images}"));
    assert_first(
        &member.diagnose(),
        "these images are not on this node, and its pods could not start again: \
         registry.k8s.io/kube-scheduler:v1.28.2",
        "./installer --role master --only images",
    );
    member.write("run/images", &format!("{PAUSE}{images}{last}"));
    assert_eq!(member.diagnose().findings, []);
}

#[test]
fn an_image_of_a_pod_that_runs_here() {
    let member = Member::new(Role::Worker);
    member.write("run/tasks", "id-7 kube-proxy\n");
    let proxy = "registry.k8s.io/kube-proxy:v1.28.2";
    member.write("run/container-images", &format!("id-7 {proxy}\nid-8 registry.site/other:1\n"));
    let cure = "./installer --role worker --join join.yaml --only images";
    assert_first(&member.diagnose(), proxy, cure);
    member.write("run/images", &format!("{PAUSE}{proxy}\n"));
    assert_eq!(member.diagnose().findings, [], "a container that has ended needs no image");
}
