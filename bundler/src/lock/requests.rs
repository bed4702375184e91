//! The packages that a spec asks for.

use bundle_format::Evr;
use bundle_format::lock::Why;

use super::kernel;
use crate::rpm::closure::Request;
use crate::spec::profile::Profile;
use crate::spec::{PackageRequest, SpecFile, Target};

/// The key that asks for one address of several masters, which keepalived moves.
const VIP: &str = "cluster.controlPlane.vip";

/// The packages that have Kubernetes' own version.
pub(super) const OF_KUBERNETES: [&str; 3] = ["kubelet", "kubeadm", "kubectl"];

/// All packages that nodes are to have, each with its reason. `nodes_kernel` is the
/// version of the kernel that they run, if that is known.
pub(super) fn requests(
    file: &SpecFile,
    target: &Target,
    profile: Option<&Profile>,
    nodes_kernel: Option<&Evr>,
) -> anyhow::Result<Vec<(Request, Why)>> {
    let spec = &file.spec;
    let mut requests = Vec::new();
    let mut add = |text: &str, repository: Option<&str>, why: Why| -> anyhow::Result<()> {
        requests.push((Request::parse(text)?.pinned_to(repository), why));
        Ok(())
    };
    let version = &spec.kubernetes.version;
    let path = if file.is_hop { "kubernetes.from" } else { "kubernetes.version" };
    let repository = spec.kubernetes.repository.as_deref();
    for package in OF_KUBERNETES {
        let why = Why::Spec { path: path.to_owned(), line: version.referenced.line() };
        add(&format!("{package} = {}", version.value), repository, why)?;
    }
    for package in ["cri-tools", "kubernetes-cni"] {
        let why = Why::Spec { path: path.to_owned(), line: version.referenced.line() };
        add(package, repository, why)?;
    }
    if let Some(containerd) = &spec.containerd {
        let why = Why::Spec {
            path: "containerd.version".to_owned(),
            line: containerd.version.referenced.line(),
        };
        let text = format!("{} = {}", containerd.package, containerd.version.value);
        add(&text, containerd.repository.as_deref(), why)?;
    }
    if let Some(line) = file.vip_line {
        add("keepalived", None, Why::Spec { path: VIP.to_owned(), line })?;
    }
    for package in profile.map(|profile| profile.packages.as_slice()).unwrap_or_default() {
        add(package, None, Why::Base { profile: target.family.value.clone() })?;
    }
    if let (Some(profile), Some(version)) = (profile, nodes_kernel) {
        for package in kernel::requests(target, profile, version) {
            add(&package, None, Why::Base { profile: target.family.value.clone() })?;
        }
    }
    for (index, package) in target.packages.iter().enumerate() {
        let why = Why::Spec {
            path: format!("targets[{}].packages[{index}]", target.id()),
            line: package.referenced.line(),
        };
        match &package.value {
            PackageRequest::Anywhere(text) => add(text, None, why)?,
            PackageRequest::Pinned(pinned) => add(&pinned.package, Some(&pinned.repository), why)?,
        }
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_of_several_masters_needs_keepalived() {
        let spec = "name: a\nkubernetes: {version: 1.28.2}\ntargets:\n\
            - {family: el9, architecture: x86_64, repositories: [{id: os, \
            baseUrl: 'https://example.com/', keys: [key.asc]}]}\n";
        let of = |more: &str| {
            let file = SpecFile::parse("s.yaml".as_ref(), format!("{spec}{more}").into()).unwrap();
            let all = requests(&file, &file.spec.targets[0], None, None).unwrap();
            all.into_iter().map(|(_, why)| why.to_string()).find(|why| why.contains("vip"))
        };
        let why = "the spec asks for it: cluster.controlPlane.vip, line 7";
        let more = "cluster:\n  controlPlane:\n    vip: 10.0.0.100\n";
        assert_eq!(of(more).as_deref(), Some(why));
        assert_eq!(of("cluster: {podCidr: 10.9.0.0/16}\n"), None);
    }
}
