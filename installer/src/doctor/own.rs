//! What the installer left on the node for each boot: files that system programs
//! read, and units.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use bundle_format::Digest;

use super::finding::{Finding, again};
use super::unit;
use crate::host::Host;
use crate::node::facts::{self, default_route};
use crate::node::paths;
use crate::receipt::{Deed, Line, StepName};
use crate::role::Role;
use crate::steps::service_route::{PATH, SET, UNIT};
use crate::steps::{nfs_server, order};

/// A file that the installer wrote for the system is gone or empty. After the next
/// boot its modules or kernel settings are missing.
pub(super) fn lost_file(host: &Host) -> anyhow::Result<Option<Finding>> {
    let steps = Role::of_receipt(host.lines()).map(order::steps).unwrap_or_default();
    let mut wrote = BTreeMap::new();
    for line in host.lines() {
        let Line::Deed { step, deed: Deed::Wrote { path, after, .. } } = line else { continue };
        wrote.insert(path.as_path(), (*step, *after));
    }
    let (mut paths, mut of) = (Vec::new(), Vec::new());
    for (path, (step, after)) in wrote {
        let outside = [paths::RESOLV_CONF, paths::READYZ_CHECK].map(Path::new);
        let is_read = path.starts_with("/etc") || outside.contains(&path);
        let is_wanted = after.is_some_and(|after| after != Digest::of(b""));
        if !is_read || !is_wanted || !steps.iter().any(|one| one.name() == step) {
            continue;
        }
        let bytes = host.bytes(path)?.unwrap_or_default();
        if bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) {
            paths.push(path.display().to_string());
            of.push(step);
        }
    }
    of.sort();
    of.dedup();
    let cause =
        || format!("files that the installer wrote are missing or empty: {}", paths.join(", "));
    Ok((!paths.is_empty()).then(|| Finding::new(cause(), again(host, &of, "write them again"))))
}

/// The route to Services is off. Without a default route, no Service can be reached
/// then.
pub(super) fn route(host: &Host) -> anyhow::Result<Option<Finding>> {
    let routes = host.read("/proc/net/route")?.unwrap_or_default();
    let Some(text) = host.read(PATH)? else { return Ok(None) };
    if default_route(&routes).is_some() {
        return Ok(None);
    }
    if let Some(off) = unit::off(host, UNIT, StepName::ServiceRoute)? {
        return Ok(Some(off));
    }
    let network = text.lines().find_map(|line| line.strip_prefix(SET)?.split('/').next());
    let address = network.and_then(|network| network.parse::<Ipv4Addr>().ok());
    let is_there =
        |address: Ipv4Addr| facts::routes(&routes).any(|route| route.network.addr() == address);
    Ok(address.filter(|address| !routes.is_empty() && !is_there(*address)).map(|address| {
        Finding::new(
            format!("the kernel has lost the route to Services, {address}, which {UNIT} sets"),
            format!("systemctl restart {UNIT}"),
        )
    }))
}

/// The NFS server is off on the machine that the cluster file names for it.
pub(super) fn nfs(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !host.exists(nfs_server::EXPORTS) {
        return Ok(None);
    }
    unit::off(host, nfs_server::UNIT, StepName::Packages)
}
