//! The RPMs of a bundle.

use anyhow::Context;
use bundle_format::BundlePath;
use bundle_format::lock::{Descriptor, LockedRpm, LockedTarget};

use super::bom::Component;
use super::content::{Open, whole};
use super::distribution;
use super::purl::Purl;
use super::release::{Release, reference};
use crate::rpm::origin::Origin;

/// A component for each package.
pub(super) fn components(release: &Release<'_>, open: &Open<'_>) -> anyhow::Result<Vec<Component>> {
    let lock = release.lock;
    let mut components = Vec::new();
    for rpm in &lock.rpms {
        let content = Descriptor { media_type: "".into(), digest: rpm.digest, size: rpm.size };
        let origin = whole(open, &content, |reader| Origin::read(reader))
            .and_then(|origin| Ok(origin?))
            .with_context(|| format!("reading the header of {}", rpm.package))?;
        let target = lock.targets.iter().find(|target| target.id == rpm.target);
        components.push(component(rpm, target, origin, &release.place(rpm.path())));
    }
    Ok(components)
}

fn component(
    rpm: &LockedRpm,
    target: Option<&LockedTarget>,
    origin: Origin,
    path: &BundlePath,
) -> Component {
    let package = &rpm.package;
    let Origin { licence, vendor, source } = origin;
    let mut qualifiers = vec![("arch", package.arch.clone())];
    if package.evr.epoch > 0 {
        qualifiers.push(("epoch", package.evr.epoch.to_string()));
    }
    qualifiers.extend(source.clone().map(|source| ("upstream", source)));
    let known = vendor.as_deref().and_then(distribution::vendor).unwrap_or_default();
    if let Some(version) = target.and_then(|target| target.family.strip_prefix("el"))
        && let Some(id) = known.id
        && version.bytes().all(|byte| byte.is_ascii_digit())
    {
        qualifiers.push(("distro", format!("{id}-{version}")));
    }
    let purl = Purl::new("rpm", &package.name)
        .namespace(known.namespace)
        .version(&format!("{}-{}", package.evr.version, package.evr.release));
    let purl = qualifiers.iter().fold(purl, |purl, (name, value)| purl.qualifier(name, value));
    let component = Component {
        reference: reference(path, rpm.digest),
        publisher: vendor,
        name: package.name.clone(),
        version: Some(package.evr.to_string()),
        purl: Some(purl.to_string()),
        ..Component::default()
    };
    component
        .with_digest(rpm.digest)
        .with_licence(licence)
        .at_url(rpm.source.as_str())
        .with("path", path.to_string())
        .with("target", &rpm.target)
        .with("repository", &rpm.repository)
        .with("architecture", &package.arch)
        .with("epoch", package.evr.epoch.to_string())
        .with_some("sourceRpm", source)
}
