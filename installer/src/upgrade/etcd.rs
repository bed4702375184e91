//! etcd's data on the way back. An older etcd does not start on what a newer minor release
//! has written. If the newer one runs, it brings its data to the older form first
//! (etcd.io, "Downgrading"), and nothing is lost. If it does not, only the snapshot is left.

use anyhow::Context;
use bundle_format::ImageReference;
use serde::Deserialize;
use serde_json::Value;

use super::files::copy_of;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::paths::STATIC_PODS;
use crate::node::static_pod;
use crate::node::systemd::unit_is;

/// Where the chosen way is noted, because etcd cannot be asked once it has ended.
pub(super) const CHOSEN: &str = "/var/lib/kubeferry/upgrade/etcd-way";
/// It is there when the data were made from the snapshot.
pub(super) const RESTORED: &str = "/var/lib/kubeferry/upgrade/etcd-restored";

/// What becomes of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They stay: the older etcd reads them.
    Stay,
    /// The running etcd brings them to the form of this release, and they stay.
    Downgrade(u32, u32),
    /// They come from the snapshot.
    Snapshot,
}

impl Way {
    /// The word for it in the node's note.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Stay | Self::Downgrade(..) => "the data stay\n",
            Self::Snapshot => "the data come from the snapshot\n",
        }
    }
}

/// The way: as it was chosen, else as etcd is now.
pub fn way(host: &Host) -> anyhow::Result<Way> {
    if let Some(text) = host.read(CHOSEN)? {
        let is_snapshot = text == Way::Snapshot.word();
        return Ok(if is_snapshot { Way::Snapshot } else { Way::Stay });
    }
    let older =
        release(&image_before(host)?).context("the release of the older etcd is unknown")?;
    // kubeadm ends the older etcd before the newer one has a file.
    let Ok(now) = static_pod::image(host, "etcd") else { return Ok(Way::Stay) };
    if release(&now).is_none_or(|now| now <= older) {
        return Ok(Way::Stay);
    }
    Ok(match storage(host) {
        None => Way::Snapshot,
        Some(storage) if storage <= older => Way::Stay,
        Some(_) => Way::Downgrade(older.0, older.1),
    })
}

/// How long etcd may take to answer after a boot, in seconds.
const START: u32 = 90;

/// Waits for etcd if its data would be lost without it: after a boot, it takes a while.
/// Whether it came, the next question tells.
pub fn await_start(host: &Host) -> anyhow::Result<()> {
    if way(host)? == Way::Snapshot && !host.exists(CHOSEN) {
        drop(host.await_that("etcd to answer", START, |host| Ok(storage(host).is_some())));
    }
    Ok(())
}

/// Whether kubelet must be started first, so that etcd can be asked.
pub fn is_asleep(host: &Host) -> anyhow::Result<bool> {
    Ok(!host.exists(CHOSEN) && way(host)? == Way::Snapshot && !unit_is(host, "active", "kubelet")?)
}

/// The older etcd's image.
pub(super) fn image_before(host: &Host) -> anyhow::Result<ImageReference> {
    let path = copy_of(&format!("{STATIC_PODS}/etcd.yaml"));
    let reading = || format!("reading {}", path.display());
    let text = host.read(&path)?.context("it is gone").with_context(reading)?;
    let pod: Value = serde_saphyr::from_str(&text).with_context(reading)?;
    let image = pod.pointer("/spec/containers/0/image").and_then(Value::as_str);
    image.context("it names no image").and_then(|image| Ok(image.parse()?)).with_context(reading)
}

/// The form of the running etcd's data, as a release; none if it does not say.
pub(super) fn storage(host: &Host) -> Option<(u32, u32)> {
    let etcd = RunningEtcd::running(host).ok()??;
    let said = host.answer(&etcd.etcdctl("--write-out json endpoint status")).ok()?;
    if !said.succeeded() {
        return None;
    }
    let all: Vec<Endpoint> = serde_json::from_str(said.stdout.trim()).ok()?;
    let status = &all.first()?.status;
    numbers(status.storage_version.as_deref().unwrap_or(&status.version))
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
