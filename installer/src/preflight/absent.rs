//! What a delta lacks, and this node needs: it is looked for here before anything begins.

use std::collections::BTreeSet;

use bundle_format::bounds::MAX_PROBLEMS;
use bundle_format::layout::Content;
use bundle_format::lock::LockedImage;
use bundle_format::text::count;

use crate::engine::step::Step;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::have;
use crate::steps::images::Images;
use crate::steps::repository::Repository;

/// Packages and images that neither the bundles that were named nor the node have.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if intent.bundle.lacking().next().is_none() {
        return Ok(Vec::new());
    }
    let node = Node { host, intent };
    let mut lacking = packages(&node)?;
    lacking.extend(images(&node)?);
    Ok(failure(&lacking).into_iter().collect())
}

/// The same of images only.
pub(super) fn of_images(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    Ok(failure(&images(&Node { host, intent })?).into_iter().collect())
}

/// The packages that are to be unpacked and that no bundle has. Those in the node's own
/// repository are not unpacked again.
fn packages(node: &Node<'_>) -> anyhow::Result<Vec<String>> {
    let lacks = |content: &&Content| node.intent.bundle.lacks(content.descriptor.digest);
    let changes = Repository.changes(node)?;
    let files = changes.iter().filter_map(|change| match change {
        Change::Own(OfInstall::Unpack { files, .. }) => Some(files),
        _ => None,
    });
    let files = files.flatten().map(|(_, content)| content).filter(lacks);
    Ok(files.map(|content| content.path.to_string()).collect())
}

/// The images that are to be imported and of which a layer is neither in a bundle nor in
/// containerd.
fn images(node: &Node<'_>) -> anyhow::Result<Vec<String>> {
    let Node { host, intent } = node;
    let changes = Images.changes(node)?;
    let names = changes.iter().filter_map(|change| match change {
        Change::Own(OfInstall::Import { images }) => Some(images),
        _ => None,
    });
    let names: BTreeSet<_> = names.flatten().collect();
    let layers = |image: &LockedImage| {
        let platforms = image.platforms.iter();
        let own = platforms.filter(|one| one.architecture == intent.facts.architecture);
        let layers: Vec<_> = own.flat_map(|one| &one.layers).map(|layer| layer.digest).collect();
        layers.into_iter().filter(|layer| intent.bundle.lacks(*layer)).collect::<Vec<_>>()
    };
    let all = intent.lock().images.iter().filter(|image| names.contains(&image.name));
    let lacking: Vec<_> = all.map(|image| (image, layers(image))).collect();
    if lacking.iter().all(|(_, layers)| layers.is_empty()) {
        return Ok(Vec::new());
    }
    let here = have::content(host).unwrap_or_default();
    let lacks = lacking.iter().filter(|(_, layers)| layers.iter().any(|one| !here.contains(one)));
    Ok(lacks.map(|(image, _)| image.name.to_string()).collect())
}

fn failure(lacking: &[String]) -> Option<Failure> {
    let names = match lacking.get(..MAX_PROBLEMS) {
        Some(first) if lacking.len() > MAX_PROBLEMS => {
            format!("{}, and {} more", first.join(", "), lacking.len() - MAX_PROBLEMS)
        }
        _ => lacking.join(", "),
    };
    (!lacking.is_empty()).then(|| {
        Failure::new(
            format!(
                "the bundle is a delta, and neither it nor this node has all of {}: {names}",
                count(lacking.len(), "thing")
            ),
            "name a bundle that has them after it: `--bundle DELTA --bundle OLD`; or bring the \
             whole bundle, which `bundler complete` makes",
        )
    })
}
