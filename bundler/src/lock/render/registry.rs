//! A chart in a registry.

use anyhow::Context;
use bundle_format::ImageReference;

use super::archive::MAX_CHART;
use crate::upstreams::Upstreams;

/// The packed chart that is at `place`, such as `oci://registry.example.com/charts/web`, in
/// this version. A tag in `place` is the version too, so it does not count.
pub(super) fn fetch(upstreams: &Upstreams, place: &str, version: &str) -> anyhow::Result<Vec<u8>> {
    let name = place.strip_prefix("oci://").unwrap_or(place).trim_end_matches('/');
    let (folders, last) = name.rsplit_once('/').unwrap_or_default();
    let last = last.split([':', '@']).next().unwrap_or_default();
    // A tag has no `+` (helm's `pkg/registry`).
    let tag = version.replace('+', "_");
    let name: ImageReference =
        format!("{folders}/{last}:{tag}").parse().with_context(|| format!("reading {place}"))?;
    Ok(upstreams.puller.chart(&name, MAX_CHART)?)
}
