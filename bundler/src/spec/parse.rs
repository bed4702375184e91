//! Reads the spec's text into [`Spec`]. Every error has its file, line and column.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use bundle_format::secret::hidden_line;
use bundle_format::yaml::{Node, Place, Problem, Read, cut};
use bundle_format::{Digest, input, recognise};

use super::file::SpecFile;
use super::root::{FORMAT, Spec};
use super::{hops, named_files, relations};

/// Why a spec cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file cannot be read.
    #[error("cannot read the spec {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a valid spec. Each mistake is a line. All lines except the
    /// first are marked as errors; whoever prints them marks the first.
    #[error("{}", .0.join("\nerror: "))]
    Invalid(Vec<String>),
}

impl SpecFile {
    /// Reads and checks the spec at `path`. The files that it names must exist.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let fail = |source| SpecError::Read { path: path.to_owned(), source };
        // The lock is written beside the spec, and the spec's files are read
        // from there.
        let bytes = input::file(path, input::WRITTEN_BY_HAND);
        let bytes = bytes.map_err(|error| fail(with_cure(error)))?;
        let (file, root) = Self::parse_tree(path, bytes)?;
        match named_files::missing(&file, &root) {
            missing if missing.is_empty() => Ok(file),
            missing => Err(invalid(path, missing)),
        }
    }

    /// Checks `bytes`, the content of `path`.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, SpecError> {
        Self::parse_tree(path, bytes).map(|(file, _)| file)
    }

    fn parse_tree(path: &Path, bytes: Vec<u8>) -> Result<(Self, Node), SpecError> {
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|error| {
            SpecError::Invalid(vec![format!("{}: not UTF-8: {error}", path.display())])
        })?;
        let another = recognise::what(text.as_bytes());
        if !matches!(another, "empty" | "a bundle's spec" | "a text of another kind")
            && !text.contains("\ntargets:")
        {
            let words = format!("{} is {another}, and no spec", path.display());
            return Err(SpecError::Invalid(vec![words]));
        }
        let read = FORMAT
            .read::<Spec>(&text)
            .map_err(|problem| SpecError::Invalid(vec![with_the_line(&problem, path, &text)]))?;
        let Some(Read { root, value, mut problems }) = read else {
            let words = "the spec is empty: `bundler init` writes a first one";
            let place = Place { line: 1, column: 1 };
            return Err(invalid(path, vec![Problem::new(place, words)]));
        };
        if let Some(spec) = &value {
            // A value that is wrong by itself is reported only once.
            let wrong: Vec<Place> = problems.iter().map(|problem| problem.place).collect();
            let more = relations::check(spec, &root).into_iter();
            problems.extend(more.filter(|problem| !wrong.contains(&problem.place)));
        }
        let Some(spec) = value.filter(|_| problems.is_empty()) else {
            return Err(invalid(path, problems));
        };
        let vip = ["cluster", "controlPlane", "vip"];
        let vip = vip.iter().try_fold(&root, |node, key| node.value(key));
        let vip_line = vip.and_then(|node| u64::try_from(node.place.line).ok());
        let mut file = Self {
            path: path.to_owned(),
            digest,
            spec,
            hops: Vec::new(),
            is_hop: false,
            vip_line,
            signature_places: BTreeMap::new(),
        };
        file.note_the_places_of_signatures(&root);
        hops::expand(&mut file);
        file.tell_patches_their_places(&root);
        Ok((file, root))
    }

    /// What an entry's file has is read later, and its error needs the place.
    fn note_the_places_of_signatures(&mut self, root: &Node) {
        let Some(node) = root.value("signatures") else { return };
        let entries = self.spec.signatures.iter().map(|(entry, _)| entry.to_owned());
        let placed = entries.map(|entry| {
            let place = node.place_of(&entry).of(&self.path);
            (entry, place)
        });
        self.signature_places = placed.collect();
    }

    /// Gives each patch its place in the spec. A patch that finds nothing fails
    /// long after the spec was read, and its error needs the place.
    fn tell_patches_their_places(&mut self, root: &Node) {
        for (manifest, node) in self.spec.manifests.iter_mut().zip(root.items("manifests")) {
            for (patch, node) in manifest.value.patches.iter_mut().zip(node.items("patches")) {
                patch.place = Some(node.place.of(&self.path));
            }
        }
    }
}

/// Tells a user without a spec how to get one.
fn with_cure(error: Error) -> Error {
    let cure = "there is no such file; `bundler init` writes a first one";
    match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, cure),
        _ => error,
    }
}

/// All problems, in the order of the text.
fn invalid(path: &Path, mut problems: Vec<Problem>) -> SpecError {
    problems.sort();
    problems.dedup();
    SpecError::Invalid(problems.iter().map(|problem| problem.line(path)).collect())
}

/// The problem of a text that is not YAML, with the line of the text.
fn with_the_line(problem: &Problem, path: &Path, text: &str) -> String {
    let line = problem.place.line;
    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    format!("{}\n  {line} | {}", problem.line(path), cut(&hidden_line(shown)))
}

#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
