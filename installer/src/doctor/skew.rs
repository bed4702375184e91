//! Versions that are too far apart (kubernetes.io, "Version Skew Policy"): each upgrade of a
//! node is right by itself, and one that was forgotten is not seen until something fails.

use bundle_format::KubernetesVersion;

use super::finding::Finding;
use crate::host::Host;
use crate::node::paths::ADMIN_CONF;
use crate::node::registered::{self, Versioned};

/// How many minor releases a kubelet may be older than an API server.
const OLDEST: u32 = 3;

/// The API servers of the masters are more than one minor release apart.
pub(super) fn api_servers(host: &Host) -> anyhow::Result<Option<Finding>> {
    let all = servers(host);
    let (Some(oldest), Some(newest)) = (oldest(&all), newest(&all)) else { return Ok(None) };
    Ok((newest.version.minor() > oldest.version.minor() + 1).then(|| {
        Finding::new(
            format!("{oldest} is more than one minor release older than {newest}"),
            format!(
                "on {}: ./installer upgrade, one minor release after the other",
                oldest.node.as_deref().unwrap_or("it")
            ),
        )
    }))
}

/// A kubelet is newer than an API server, or more than three minor releases older: this
/// node's, and on a master any.
pub(super) fn kubelets(host: &Host) -> anyhow::Result<Option<Finding>> {
    let servers = servers(host);
    let (Some(oldest), Some(newest)) = (oldest(&servers), newest(&servers)) else {
        return Ok(None);
    };
    let found = kubelets_of(host).into_iter().find_map(|(node, own)| {
        let place = node.as_ref().map_or("here".to_owned(), |name| format!("on {name}"));
        let which = match &node {
            None => format!("kubelet {own}"),
            Some(name) => format!("the kubelet of {name} ({own})"),
        };
        if own.minor() > oldest.version.minor() {
            let cause = format!("{which} is newer than {oldest}");
            let master = oldest.node.as_deref().unwrap_or("the master");
            let cure = format!(
                "upgrade {master} with the same bundle; or {place} ./installer upgrade --back"
            );
            return Some(Finding::new(cause, cure));
        }
        (own.minor() + OLDEST < newest.version.minor()).then(|| {
            let cause = format!("{which} is too old for {newest}");
            let cure = format!("{place} ./installer upgrade, one minor release after the other");
            Finding::new(cause, cure)
        })
    });
    Ok(found)
}

/// The API servers. A worker knows that one which answers it. None if nobody answers, which
/// another check reports.
fn servers(host: &Host) -> Vec<Versioned> {
    let all = if host.exists(ADMIN_CONF) { registered::api_servers(host) } else { Ok(Vec::new()) };
    match all {
        Ok(all) if !all.is_empty() => all,
        _ => {
            let version = registered::api_version(host).ok();
            version.map(|version| Versioned { node: None, version }).into_iter().collect()
        }
    }
}

/// Each kubelet's version, with the name of its node. The first is this node's own, and has
/// no name.
fn kubelets_of(host: &Host) -> Vec<(Option<String>, KubernetesVersion)> {
    let own = host.query("kubelet --version").stdout;
    let own = own.split_ascii_whitespace().nth(1).map(|word| word.trim_start_matches('v'));
    let own: Option<KubernetesVersion> = own.and_then(|text| text.parse().ok());
    let mut all: Vec<_> = own.map(|own| (None, own)).into_iter().collect();
    if host.exists(ADMIN_CONF) {
        let name = registered::name(host);
        let others = registered::kubelets(host).unwrap_or_default();
        let others = others.into_iter().filter(|one| one.node.as_ref() != Some(&name));
        all.extend(others.map(|one| (one.node, one.version)));
    }
    all
}

fn oldest(all: &[Versioned]) -> Option<&Versioned> {
    all.iter().min_by_key(|one| one.version.minor())
}

fn newest(all: &[Versioned]) -> Option<&Versioned> {
    all.iter().max_by_key(|one| one.version.minor())
}
