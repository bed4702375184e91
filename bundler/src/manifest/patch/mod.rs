//! Changes to a manifest's text. Upstream's YAML is not written again: only the parts
//! that a patch names are replaced, and every other byte stays.

use bundle_format::lock::Edit;

use crate::libyaml::document::{self, YamlError};

mod host_network;
mod image_rewrite;
mod pool_cidr;
mod pull_policy;
mod set;
mod splice;
mod target;

use crate::spec::patch::{Change, Patch};
use splice::Splice;

/// A patch that cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The manifest is not YAML, or is not YAML after the patch.
    #[error("{}patch {patch}", before(.place))]
    Yaml {
        /// The place of the patch in the spec.
        place: Option<String>,
        /// The patch.
        patch: String,
        /// The cause.
        #[source]
        source: YamlError,
    },
    /// The manifest has nothing that the patch could change.
    #[error("{}patch {patch}: {reason}", before(.place))]
    Nothing {
        /// The place of the patch in the spec.
        place: Option<String>,
        /// The patch.
        patch: String,
        /// What is missing, and what the manifest has.
        reason: String,
    },
}

fn before(place: &Option<String>) -> String {
    place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default()
}

/// Applies `patches` one after another to the manifest `name`. Returns the new text
/// and the changes. The lines of a change are those of the text that its patch was
/// applied to.
pub fn apply(patches: &[Patch], name: &str, text: &str) -> Result<(String, Vec<Edit>), PatchError> {
    let mut text = text.to_owned();
    let mut edits = Vec::new();
    for patch in patches {
        let (patched, made) = apply_one(patch, name, &text)?;
        edits.extend(made);
        text = patched;
    }
    Ok((text, edits))
}

fn apply_one(patch: &Patch, name: &str, text: &str) -> Result<(String, Vec<Edit>), PatchError> {
    let words = patch.change.to_string();
    let place = || patch.place.clone();
    let yaml = |source| PatchError::Yaml { place: place(), patch: words.clone(), source };
    let nothing = |reason| PatchError::Nothing { place: place(), patch: words.clone(), reason };
    let documents = document::documents(name, text).map_err(yaml)?;
    let splices = match &patch.change {
        Change::HostNetwork(workload) => host_network::splices(&documents, text, workload),
        Change::PoolCidr(network) => pool_cidr::splices(&documents, text, network),
        Change::PullPolicy(policy) => pull_policy::splices(&documents, text, *policy),
        Change::ImageRewrite(rewrite) => image_rewrite::splices(text, rewrite),
        Change::Set(set) => set::splices(&documents, text, set),
    }
    .map_err(nothing)?;
    let made = splice::once(&splices);
    let patched = splice::apply(text, &made);
    let after = document::documents(name, &patched).map_err(yaml)?;
    target::check(&documents, &after, &splices).map_err(nothing)?;
    let edits = made
        .into_iter()
        .map(|splice: &Splice| Edit {
            patch: words.clone(),
            line: splice.line(text),
            from: splice.from(text).to_owned(),
            to: splice.to.clone(),
        })
        .collect();
    Ok((patched, edits))
}

#[cfg(test)]
mod tests;
