//! The releases of etcd's members, and the form of their data.

use serde::Deserialize;

use crate::host::Host;
use crate::node::etcd::RunningEtcd;

/// A minor release of etcd: 3 and 6.
pub(crate) type Release = (u32, u32);

/// What a member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Released {
    /// The release that runs.
    pub(crate) running: Release,
    /// The form of its data, as a release.
    pub(crate) data: Release,
    /// The release that the cluster was told to go back to.
    pub(crate) target: Option<Release>,
}

/// What the member on this node says; none if it does not.
pub(crate) fn own(host: &Host) -> Option<Released> {
    ask(host, "endpoint status", true).into_iter().next()
}

/// What all members say that answer.
pub(crate) fn all(host: &Host) -> Vec<Released> {
    ask(host, "endpoint status --cluster", false)
}

fn ask(host: &Host, question: &str, is_whole: bool) -> Vec<Released> {
    let said = || -> Option<Vec<Endpoint>> {
        let etcd = RunningEtcd::running(host).ok()??;
        let said = host.answer(&etcd.etcdctl(&format!("--write-out json {question}"))).ok()?;
        // If some members do not answer, etcdctl fails and prints the others.
        if is_whole && !said.succeeded() {
            return None;
        }
        serde_json::from_str(said.stdout.trim()).ok()
    };
    said().into_iter().flatten().filter_map(|one| one.status.released()).collect()
}

/// The first two numbers of `3.6.1-0`.
pub(crate) fn release(text: &str) -> Option<Release> {
    let mut numbers = text.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// What `etcdctl endpoint status` says of a member.
#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Status")]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    version: String,
    storage_version: Option<String>,
    /// A downgrade that was begun (etcd's `DowngradeInfo`, since 3.6).
    downgrade_info: Option<DowngradeInfo>,
}

impl Status {
    fn released(self) -> Option<Released> {
        let running = release(&self.version)?;
        let data = self.storage_version.as_deref().map_or(Some(running), release)?;
        let target = self.downgrade_info.filter(|one| one.enabled);
        let target = target.and_then(|one| release(&one.target_version));
        Some(Released { running, data, target })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DowngradeInfo {
    enabled: bool,
    target_version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_tags_and_answers() {
        for (text, wanted) in
            [("3.6.1-0", Some((3, 6))), ("3.7.0", Some((3, 7))), ("latest", None), ("3", None)]
        {
            assert_eq!(release(text), wanted, "{text}");
        }
    }
}
