//! etcd's data on the way back. An older etcd does not start on what a newer minor release
//! has written. So the newer one, while it runs, brings its data to the older form
//! (etcd.io, "Downgrading"), and nothing is lost. If it does not run, nothing is changed.

use anyhow::Context;
use bundle_format::ImageReference;
use serde::Deserialize;

use super::files::copy_of;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::paths::{KUBEADM_JOINED, STATIC_PODS};
use crate::node::static_pod;
use crate::node::systemd::unit_is;
use crate::steps::upgrade::copy::SNAPSHOT;

/// It is there when etcd's data have the form of before. etcd cannot be asked once it has
/// ended.
pub(super) const READY: &str = "/var/lib/kubeferry/upgrade/etcd-way";

/// What becomes of the data. They always stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The older etcd reads them.
    Stay,
    /// The running etcd brings them to the form of this release first.
    Downgrade(u32, u32),
    /// The older etcd may not read them, and the newer one does not answer.
    Unknown,
}

/// The way: as it was noted, else as etcd is now.
pub fn way(host: &Host) -> anyhow::Result<Way> {
    if host.exists(READY) {
        return Ok(Way::Stay);
    }
    let older =
        release(&image_before(host)?).context("the release of the older etcd is unknown")?;
    let is_newer_in_file = || {
        // kubeadm ends the older etcd before the newer one has a file.
        if !host.exists(static_pod::path("etcd")) {
            return false;
        }
        // A file that cannot be read may have been that of a newer one.
        static_pod::image(host, "etcd")
            .ok()
            .and_then(|now| release(&now))
            .is_none_or(|now| now > older)
    };
    Ok(match status(host).and_then(|status| numbers(&status.version)) {
        Some(running) if running > older => Way::Downgrade(older.0, older.1),
        // The newer one will be started.
        _ if is_newer_in_file() => Way::Unknown,
        _ => Way::Stay,
    })
}

/// The failure if nothing can be done about etcd's data.
pub(super) fn unknown(host: &Host) -> anyhow::Result<Option<Failure>> {
    if way(host)? != Way::Unknown || is_asleep(host)? {
        return Ok(None);
    }
    Ok(Some(refusal()))
}

/// Why the way back does not begin.
pub(super) fn refusal() -> Failure {
    Failure::new(
        "etcd does not answer, and only the running newer etcd can bring its data to their older \
         form",
        format!(
            "find out why with `crictl ps --all` and `journalctl -u kubelet`, fix that, and run this \
             again: then nothing is lost; if etcd is lost for good, `installer reset` and restore \
             a backup (`installer manual backup`); the snapshot from before the upgrade is \
             {SNAPSHOT}"
        ),
    )
}

/// The failure if etcd has, or may have, other members: what one of them does to the data
/// and to the form of the data, all of them get.
pub(super) fn several(host: &Host) -> Option<Failure> {
    let members = || RunningEtcd::running(host).ok()??.members(host).ok();
    let is_alone = members().map_or_else(|| began_alone(host), |members| members.all.len() == 1);
    (!is_alone).then(|| {
        Failure::new(
            "etcd has, or may have, several members, and this version takes back only a cluster \
             of one master",
            "stay with the new version; fix what is wrong by `installer doctor`, or restore a \
             backup (`installer manual backup`)",
        )
    })
}

/// Whether etcd began with one member, by its file, and this master joined no other.
fn began_alone(host: &Host) -> bool {
    let arguments = static_pod::arguments(host, "etcd").unwrap_or_default();
    let first = arguments.iter().find_map(|one| one.strip_prefix("--initial-cluster="));
    first.is_none_or(|all| !all.contains(',')) && !host.exists(KUBEADM_JOINED)
}

/// How long etcd may take to answer after a boot, in seconds.
const START: u32 = 90;

/// Waits for etcd, if only it can say what becomes of its data: after a boot, it takes a
/// while. An error if it does not come.
pub fn await_start(host: &Host) -> anyhow::Result<()> {
    if way(host)? != Way::Unknown {
        return Ok(());
    }
    let waited = host.await_that("etcd to answer", START, |host| Ok(way(host)? != Way::Unknown));
    waited.map_err(|error| refusal().because(error).into())
}

/// Whether kubelet must be started first, so that etcd can be asked.
pub fn is_asleep(host: &Host) -> anyhow::Result<bool> {
    Ok(way(host)? == Way::Unknown && !unit_is(host, "active", "kubelet")?)
}

/// The older etcd's image.
pub(super) fn image_before(host: &Host) -> anyhow::Result<ImageReference> {
    image_of(host, "etcd")
}

/// The image that a pod of the control plane had before.
pub(super) fn image_of(host: &Host, pod: &str) -> anyhow::Result<ImageReference> {
    static_pod::image_in(host, &copy_of(&format!("{STATIC_PODS}/{pod}.yaml")))
}

/// Whether the running etcd was told already to go to this release. It refuses to be told
/// twice (`ErrDowngradeInProcess`).
pub(super) fn is_told(host: &Host, wanted: (u32, u32)) -> bool {
    status(host).is_some_and(|status| {
        let target = status.downgrade_info.filter(|one| one.enabled);
        target.is_some_and(|one| numbers(&one.target_version) == Some(wanted))
    })
}

/// The form of the running etcd's data, as a release; none if it does not say.
pub(super) fn storage(host: &Host) -> Option<(u32, u32)> {
    let status = status(host)?;
    numbers(status.storage_version.as_deref().unwrap_or(&status.version))
}

/// What the running etcd says of itself; none if it does not.
fn status(host: &Host) -> Option<Status> {
    let etcd = RunningEtcd::running(host).ok()??;
    let said = host.answer(&etcd.etcdctl("--write-out json endpoint status")).ok()?;
    if !said.succeeded() {
        return None;
    }
    let all: Vec<Endpoint> = serde_json::from_str(said.stdout.trim()).ok()?;
    all.into_iter().next().map(|one| one.status)
}

fn release(image: &ImageReference) -> Option<(u32, u32)> {
    numbers(image.tag()?.trim_start_matches('v'))
}

/// The first two numbers of `3.6.1-0`.
fn numbers(text: &str) -> Option<(u32, u32)> {
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
        for (text, release) in
            [("3.6.1-0", Some((3, 6))), ("3.7.0", Some((3, 7))), ("latest", None), ("3", None)]
        {
            assert_eq!(numbers(text), release, "{text}");
        }
    }
}
