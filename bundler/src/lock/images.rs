//! All images of a bundle, each once.

use bundle_format::Architecture;
use bundle_format::lock::LockedImage;
use bundle_format::parallel;

use super::image_signers::ImageSigners;
use super::task::Task;
use super::wanted::Wanted;
use crate::fetch::REQUESTS;
use crate::outage::Problems;

/// Asks the registries for every image, several at a time. Returns the images that
/// were found, with the signatures that the spec asks for.
pub(super) fn lock(
    task: &Task<'_>,
    wanted: &Wanted,
    architectures: &[Architecture],
    problems: &mut Problems,
) -> Vec<LockedImage> {
    let Task { file, kept, upstreams, .. } = *task;
    let all: Vec<_> = wanted.reasons().collect();
    let signers = match ImageSigners::read(file) {
        Ok(signers) => signers,
        Err(error) => {
            problems.line(format!("{error:#}"));
            return Vec::new();
        }
    };
    let results = parallel::each(&all, REQUESTS, |(name, why)| {
        let mut why = why.to_vec();
        why.sort();
        why.dedup();
        let source = wanted.source(&file.spec, name)?;
        let stays = kept.and_then(|kept| kept.image(name, &source, architectures));
        let mut image = match stays {
            Some(locked) => LockedImage { why, ..locked.clone() },
            None => {
                let resolved = upstreams.puller.resolve(&source, architectures)?;
                for (_, bytes) in &resolved.documents {
                    upstreams.cache.insert(bytes)?;
                }
                resolved.locked((*name).clone(), why)
            }
        };
        signers.sign(upstreams, &mut image)?;
        anyhow::Ok(image)
    });
    let mut images = Vec::new();
    for ((name, _), result) in all.iter().zip(results) {
        match result {
            Ok(image) => images.push(image),
            Err(error) => problems.add(&format!("image {name}"), &error),
        }
    }
    images
}
