//! What this node has of earlier bundles, so that the next one need not bring it again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;

use anyhow::Context;
use bundle_format::Digest;
use bundle_format::have::Have;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::PACKAGES;

/// The digests of what containerd has of images, all in its namespace `k8s.io`; none if it
/// does not answer.
pub fn content(host: &Host) -> Option<BTreeSet<Digest>> {
    let said = host.query("ctr -n k8s.io content ls --quiet");
    let digests = || said.stdout.lines().filter_map(|line| line.trim().parse().ok()).collect();
    said.succeeded().then(digests)
}

/// Looks at the node. All packages in its own repository are read.
pub fn take(host: &Host, node: String) -> anyhow::Result<Have> {
    let mut blobs = content(host).ok_or_else(|| {
        Failure::new(
            "containerd does not say what it has",
            "`ctr -n k8s.io content ls` says why; run this as root, on a node that runs",
        )
    })?;
    blobs.extend(packages(host).with_context(|| format!("reading {PACKAGES}"))?);
    Ok(Have { node, blobs })
}

/// The digests of the packages in the node's own repository.
fn packages(host: &Host) -> std::io::Result<Vec<Digest>> {
    let files = match fs::read_dir(host.path(PACKAGES)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut digests = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|end| end == "rpm") && path.is_file() {
            digests.push(Digest::of_reader(&mut File::open(path)?)?.0);
        }
    }
    Ok(digests)
}
