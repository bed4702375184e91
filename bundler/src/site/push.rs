//! Pushing a bundle: what the registry lacks, and the manifest last.

use anyhow::bail;
use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify;
use bundle_format::lock::Descriptor;
use bundle_format::oci::OCI_MANIFEST;

use super::blob;
use super::images;
use super::queue::{Job, Tally, send};
use super::sessions::Sessions;
use super::tags::{self, Tag};
use super::task::Task;
use super::{artifact, referrers};
use crate::progress::Progress;

/// The largest manifest that registries must take, in bytes.
const MOST_MANIFEST: usize = 4 << 20;

/// What was pushed.
#[derive(Debug, Default)]
pub struct Pushed {
    /// The digest of the bundle's manifest.
    pub manifest: String,
    /// How its blobs came there.
    pub tally: Tally,
    /// How those of the images did.
    pub images: Option<Tally>,
    /// What the operator should know.
    pub remarks: Vec<String>,
}

/// Pushes a bundle, with its signature if there is one beside it. Nothing is sent before
/// all of it was verified.
pub fn push(task: &Task<'_>) -> anyhow::Result<Pushed> {
    let Task { bundle, path, address, site, replace, cache, quiet, .. } = *task;
    let layout = bundle.layout()?;
    let manifest = artifact::of_bundle(bundle, &layout)?;
    if manifest.len() > MOST_MANIFEST {
        bail!("the bundle has {} blobs, more than a registry takes", layout.blobs.len());
    }
    let digest = Digest::of(&manifest);
    let endpoint = &site.endpoint(&address.0)?;
    let (None, Some(name)) = (address.0.digest(), address.0.tag()) else {
        bail!("{address} names a digest: name a tag for the bundle");
    };
    let tag = tags::look(site, endpoint, name, &[digest], replace)?;
    let images = task.mirror.map(|mirror| images::look(task, mirror)).transpose()?;
    check(bundle, quiet)?;
    let sessions = &Sessions::new(cache);
    let jobs = || {
        let of_bundle = blob::of_layout(bundle, &layout).into_iter();
        of_bundle.map(|blob| Job { blob, endpoint, from: None }).collect()
    };
    let mut tally = send(site, sessions, jobs(), "pushing", quiet)?;
    if tag == Tag::Free {
        let named = tags::try_to_put(site, endpoint, name, OCI_MANIFEST, &manifest)?;
        if named.is_err() {
            // A blob is not there any more: somebody tidies the registry, or pushes the same
            // at this moment (distribution 2.8 then writes its link anew).
            let again = send(site, sessions, jobs(), "pushing again", quiet)?;
            tally.sent += again.sent;
            tally.bytes += again.bytes;
            tags::put(site, endpoint, name, OCI_MANIFEST, &manifest)?;
        }
        tally.named += 1;
    }
    let size = manifest.len() as u64;
    let subject = Descriptor { media_type: OCI_MANIFEST.into(), digest, size };
    let mut remarks = Vec::new();
    let attached = referrers::attach(site, endpoint, sessions, &subject, bundle, path)?;
    tally.named += attached.written;
    remarks.extend(attached.remark);
    let images = images.map(|own| images::push(task, &own, sessions, &mut remarks)).transpose()?;
    Ok(Pushed { manifest: digest.to_string(), tally, images, remarks })
}

/// Reads all of the bundle, as `bundler verify` does.
fn check(bundle: &Bundle, quiet: bool) -> anyhow::Result<()> {
    let progress = Progress::new("verifying", bundle.length(), quiet);
    let verification = verify::verify(bundle, |count| progress.add("", count));
    progress.finish();
    match verification.report() {
        Some(report) => bail!("nothing was pushed: {report}"),
        None => Ok(()),
    }
}
