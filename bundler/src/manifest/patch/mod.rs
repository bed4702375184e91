//! Changes to a manifest's text that leave every other byte as it was: upstream
//! YAML is never written anew, only spliced where a patch says.

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
    /// The manifest is no YAML, or is none after the patch.
    #[error("{}patch {patch}", before(.place))]
    Yaml {
        /// Where the spec asks for it.
        place: Option<String>,
        /// The patch.
        patch: String,
        /// Why.
        #[source]
        source: YamlError,
    },
    /// There is nothing to change.
    #[error("{}patch {patch}: {reason}", before(.place))]
    Nothing {
        /// Where the spec asks for it.
        place: Option<String>,
        /// The patch.
        patch: String,
        /// What is missing, and what there is.
        reason: String,
    },
}

fn before(place: &Option<String>) -> String {
    place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default()
}

/// Applies `patches` one after another to the manifest called `name`. Gives the
/// new text and what was changed; the lines of an edit are those of the text
/// that its patch found.
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
    let patched = splice::apply(text, &splices);
    let after = document::documents(name, &patched).map_err(yaml)?;
    if !target::same_but_for(&documents, &after, &splices) {
        let reason =
            "it would change more than it says, as where an anchor is used in several places";
        return Err(nothing(reason.to_owned()));
    }
    let edits = splices
        .iter()
        .map(|splice: &Splice| Edit {
            patch: words.clone(),
            line: splice.line(text),
            from: splice.from(text).to_owned(),
            to: splice.to.clone(),
        })
        .collect();
    drop(after);
    Ok((patched, edits))
}

#[cfg(test)]
mod tests;
