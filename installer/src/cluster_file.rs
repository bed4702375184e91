//! Reading `cluster.yaml`, and merging it with the bundle's own keys.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::cluster::{Cluster, FORMAT, Given};
use bundle_format::yaml::{Node, Problem};
use bundle_format::{KubernetesVersion, input, recognise};

use crate::failure::{Failure, Mistakes};

/// Where the keys are listed.
const CURE: &str = "`installer manual cluster-file` lists what can stand in a cluster file";

/// A cluster file as it was written.
#[derive(Debug, Default)]
pub struct ClusterFile {
    path: PathBuf,
    /// Its keys.
    pub given: Given,
    /// Its tree; none if it is empty.
    root: Option<Node>,
    /// Mistakes in single values. They are reported together with those between
    /// values.
    problems: Vec<Problem>,
}

/// What a bundle says of the cluster.
#[derive(Clone, Debug, Default)]
pub struct OfBundle {
    /// Its keys.
    pub given: Given,
    /// Its Kubernetes version; none if there is no bundle.
    pub kubernetes: Option<KubernetesVersion>,
}

impl ClusterFile {
    /// Reads `cluster.yaml`. [`effective`] reports the mistakes.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        Self::of_text(path, &text(path)?)
    }

    /// Reads it from its text; `path` is for errors.
    pub fn of_text(path: &Path, text: &str) -> anyhow::Result<Self> {
        let another = recognise::what(text.as_bytes());
        if !matches!(another, "empty" | "a cluster file" | "a text of another kind") {
            return Err(Failure::new(
                format!("{} is {another}, not a cluster file", path.display()),
                CURE,
            )
            .into());
        }
        // A file with only comments sets nothing.
        let read = FORMAT
            .read::<Given>(text)
            .map_err(|problem| Mistakes::new(of(path, vec![problem]), CURE))?;
        let Some(read) = read else { return Ok(Self { path: path.to_owned(), ..Self::default() }) };
        let given = read.value.unwrap_or_default();
        Ok(Self { path: path.to_owned(), given, root: Some(read.root), problems: read.problems })
    }

    /// Whether a key has a value that is wrong by itself.
    fn is_wrong(&self, key: &str) -> bool {
        !self.given.has(key) && self.root.as_ref().is_some_and(|root| root.value(key).is_some())
    }
}

/// The text of a cluster file.
pub fn text(path: &Path) -> anyhow::Result<String> {
    input::named_text(path, input::WRITTEN_BY_HAND)
        .with_context(|| format!("reading the cluster file {}", path.display()))
}

/// The mistakes' lines, in the order of the text.
fn of(path: &Path, mut problems: Vec<Problem>) -> Vec<String> {
    problems.sort();
    problems.dedup();
    problems.iter().map(|problem| problem.line(path)).collect()
}

/// The cluster: the bundle's keys, overridden by the cluster file's. Reports all
/// mistakes at once.
pub fn effective(bundle: &OfBundle, file: Option<&ClusterFile>) -> anyhow::Result<Cluster> {
    let none = ClusterFile::default();
    let file = file.unwrap_or(&none);
    let cluster = Cluster::of(&[&bundle.given, &file.given]).context("reading the cluster file")?;
    let mut conflicts = cluster.conflicts();
    if let Some(kubernetes) = &bundle.kubernetes {
        conflicts.extend(cluster.settings_not_of(kubernetes.minor()));
    }
    // A default in the place of a wrong value would be a misleading conflict.
    conflicts.retain(|conflict| !conflict.keys().any(|key| file.is_wrong(key)));
    if conflicts.is_empty() && file.problems.is_empty() {
        return Ok(cluster);
    }
    let mut problems = file.problems.clone();
    let mut others = Vec::new();
    for conflict in &conflicts {
        let words = format!("{conflict}: {}", conflict.cure());
        match file.root.as_ref().and_then(|root| conflict.place(root)) {
            Some(place) => problems.push(Problem::new(place, words)),
            None if bundle.given.has(conflict.key) => {
                others.push(format!("the bundle's own `{}`: {words}", conflict.key));
            }
            None => others.push(words),
        }
    }
    let mut lines = of(&file.path, problems);
    lines.extend(others);
    Err(Mistakes::new(lines, CURE).into())
}

#[cfg(test)]
mod tests;
