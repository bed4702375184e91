//! etcd's data on the way back. An older etcd does not start on what a newer minor release
//! has written. So the newer one, while it runs, brings its data to the older form
//! (etcd.io, "Downgrading"), and nothing is lost. If it does not run, nothing is changed,
//! unless somebody agrees to lose something.

use anyhow::Context;
use bundle_format::ImageReference;

use super::files::copy_of;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::etcd_release::{self, Release};
use crate::node::kubeadm::may_have_other_masters;
use crate::node::paths::STATIC_PODS;
use crate::node::systemd::unit_is;
use crate::node::{registered, static_pod};
use crate::steps::upgrade::copy::SNAPSHOT;

/// It is there when etcd's data have the form of before. etcd cannot be asked once it has
/// ended.
pub(super) const READY: &str = "/var/lib/kubeferry/upgrade/etcd-way";
/// It is there when somebody has agreed to lose what the cluster was told since the snapshot.
pub(super) const AGREED: &str = "/var/lib/kubeferry/upgrade/etcd-from-snapshot";

/// What becomes of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The older etcd reads them.
    Stay,
    /// The running members bring them to the form of this release first.
    Downgrade(u32, u32),
    /// The older etcd may not read them, and the newer one does not answer.
    Unknown,
    /// They come from the snapshot of before the upgrade, as somebody has agreed to.
    Snapshot,
}

/// The way: as etcd is now; if it does not answer, as it was noted.
pub fn way(host: &Host) -> anyhow::Result<Way> {
    let older = older(host)?;
    let is_newer_in_file = || {
        // kubeadm ends the older etcd before the newer one has a file.
        if !host.exists(static_pod::path("etcd")) {
            return false;
        }
        // A file that cannot be read may have been that of a newer one.
        static_pod::image(host, "etcd")
            .ok()
            .and_then(|now| release_of(&now))
            .is_none_or(|now| now > older)
    };
    // Another master may have been upgraded again since it was noted.
    Ok(match etcd_release::own(host) {
        // As long as one member has the older release, all data keep its form.
        Some(own) if own.running > older && own.data <= older && has_older(host, older) => {
            Way::Stay
        }
        Some(own) if own.running > older => Way::Downgrade(older.0, older.1),
        _ if host.exists(READY) => Way::Stay,
        // An older one that answers may have begun anew, on data that were removed.
        _ if host.exists(AGREED) => Way::Snapshot,
        // The newer one will be started. If it cannot be asked, other masters may say that a
        // member has the older release.
        _ if is_newer_in_file() && !is_older_elsewhere(host, older) => Way::Unknown,
        _ => Way::Stay,
    })
}

/// The failure if nothing can be done about etcd's data.
pub(super) fn unknown(host: &Host) -> anyhow::Result<Option<Failure>> {
    if way(host)? != Way::Unknown || is_asleep(host)? {
        return Ok(None);
    }
    Ok(Some(refusal(host)))
}

/// Why the way back does not begin.
pub(super) fn refusal(host: &Host) -> Failure {
    let lost = match may_have_other_masters(host) {
        true => {
            "if etcd is lost for good on this node, `installer remove` it on another master, \
             `installer reset` here, and join it again; without another master"
        }
        false => {
            "if etcd is lost for good, give --from-snapshot, which loses what the cluster was told \
             since the upgrade began, or `installer reset` and"
        }
    };
    Failure::new(
        "etcd does not answer, and only the running newer etcd can bring its data to their older \
         form",
        format!(
            "find out why with `crictl ps --all` and `journalctl -u kubelet`, fix that, and run this \
             again: then nothing is lost; {lost} restore a backup (`installer manual backup`); the \
             snapshot from before the upgrade is {SNAPSHOT}"
        ),
    )
}

/// Whether another master's etcd has the older release, and is ready: all data then have its
/// form. This is for a member that does not answer itself.
fn is_older_elsewhere(host: &Host, older: Release) -> bool {
    may_have_other_masters(host)
        && registered::etcds_elsewhere(host)
            .is_ok_and(|all| all.iter().filter_map(release_of).any(|release| release <= older))
}

/// Whether a member still runs this release.
fn has_older(host: &Host, older: Release) -> bool {
    etcd_release::all(host).iter().any(|member| member.running <= older)
}

/// The failure if other members do not answer: while this one restarts, too few would be
/// left, and nobody could say which form their data have.
pub(super) fn silent(host: &Host) -> anyhow::Result<Option<Failure>> {
    let Some(etcd) = RunningEtcd::running(host)? else { return Ok(None) };
    let Ok(members) = etcd.members(host) else {
        // A member that does not answer cannot know. Then the way is unknown, or others say it.
        let is_ill = etcd_release::own(host).is_none()
            && (matches!(way(host)?, Way::Unknown | Way::Snapshot)
                || is_older_elsewhere(host, older(host)?));
        return Ok((!is_ill && may_have_other_masters(host)).then(|| {
            Failure::new(
                "etcd has no quorum: not more than half of its members answer",
                "start the other masters; `installer doctor` there says what is wrong",
            )
        }));
    };
    let silent = etcd.silent(host, etcd.others(&members));
    let names: Vec<&str> = silent.iter().map(|one| one.called()).collect();
    Ok(names.first().map(|first| {
        Failure::new(
            format!("these members of etcd do not answer: {}", names.join(", ")),
            format!(
                "start them; `installer doctor` there says what is wrong; if one is lost for good: \
                 `installer remove {first}` here"
            ),
        )
    }))
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
    waited.map_err(|error| refusal(host).because(error).into())
}

/// Whether kubelet must be started first, so that etcd can be asked.
pub fn is_asleep(host: &Host) -> anyhow::Result<bool> {
    Ok(way(host)? == Way::Unknown && !unit_is(host, "active", "kubelet")?)
}

/// The older etcd's release.
fn older(host: &Host) -> anyhow::Result<Release> {
    release_of(&image_before(host)?).context("the release of the older etcd is unknown")
}

/// The older etcd's image.
pub(super) fn image_before(host: &Host) -> anyhow::Result<ImageReference> {
    image_of(host, "etcd")
}

/// The image that a pod of the control plane had before.
pub(super) fn image_of(host: &Host, pod: &str) -> anyhow::Result<ImageReference> {
    static_pod::image_in(host, &copy_of(&format!("{STATIC_PODS}/{pod}.yaml")))
}

/// Whether the members were told already to go to this release. etcd refuses to be told twice
/// (`ErrDowngradeInProcess`).
pub(super) fn is_told(host: &Host, wanted: Release) -> bool {
    etcd_release::own(host).is_some_and(|own| own.target == Some(wanted))
}

/// The form of the members' data, as a release: of several, the newest. None if etcd on this
/// node does not answer.
pub(super) fn storage(host: &Host) -> Option<Release> {
    let own = etcd_release::own(host)?.data;
    etcd_release::all(host).iter().map(|member| member.data).chain([own]).max()
}

fn release_of(image: &ImageReference) -> Option<Release> {
    etcd_release::release(image.tag()?.trim_start_matches('v'))
}
