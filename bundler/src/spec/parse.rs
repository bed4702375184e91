//! From the spec's text to [`Spec`]: every error with file, line and column.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use bundle_format::{Digest, input};

use super::problem::{Place, Problem, cut};
use super::secret::hidden_line;
use super::tree::{self, Node};
use super::{Spec, named_files, relations, shape};

/// A spec with the file that it came from.
#[derive(Debug)]
pub struct SpecFile {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it says.
    pub spec: Spec,
}

/// Why a spec cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file cannot be read.
    #[error("cannot read the spec {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no spec. Each mistake is a line, all but the first marked as
    /// an error; whoever prints the whole marks that.
    #[error("{}", .0.join("\nerror: "))]
    Invalid(Vec<String>),
}

impl SpecFile {
    /// Reads and checks the spec at `path`; the files that it names must be
    /// there.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let fail = |source| SpecError::Read { path: path.to_owned(), source };
        // Its lock is written beside it, and its files are looked for there.
        let bytes = input::file(path, input::WRITTEN_BY_HAND);
        let bytes = bytes.map_err(|error| fail(with_cure(error)))?;
        let (file, root) = Self::parse_tree(path, bytes)?;
        match named_files::missing(&file, &root) {
            missing if missing.is_empty() => Ok(file),
            missing => Err(invalid(path, missing)),
        }
    }

    /// Checks `bytes`, which are the content of `path`.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, SpecError> {
        Self::parse_tree(path, bytes).map(|(file, _)| file)
    }

    fn parse_tree(path: &Path, bytes: Vec<u8>) -> Result<(Self, Node), SpecError> {
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|error| {
            SpecError::Invalid(vec![format!("{}: not UTF-8: {error}", path.display())])
        })?;
        let root = tree::parse(&text)
            .map_err(|problem| SpecError::Invalid(vec![with_the_line(&problem, path, &text)]))?;
        let mut problems = shape::check(&root);
        // A spec with a wrong value here and there may still be read, and then
        // more can be said of it.
        let spec = match read_types(&text) {
            Ok(spec) => spec,
            Err(problem) if problems.is_empty() => return Err(invalid(path, vec![problem])),
            Err(_) => return Err(invalid(path, problems)),
        };
        problems.extend(relations::check(&spec, &root));
        if !problems.is_empty() {
            return Err(invalid(path, problems));
        }
        let mut file = Self { path: path.to_owned(), digest, spec };
        file.tell_patches_their_places(&root);
        Ok((file, root))
    }

    /// A file that the spec names, beside the spec itself.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// A patch fails long after the spec was read, when it finds nothing.
    fn tell_patches_their_places(&mut self, root: &Node) {
        for (manifest, node) in self.spec.manifests.iter_mut().zip(root.items("manifests")) {
            for (patch, node) in manifest.value.patches.iter_mut().zip(node.items("patches")) {
                patch.place = Some(node.place.of(&self.path));
            }
        }
    }
}

/// Who has no spec yet is told how to come by one.
fn with_cure(error: Error) -> Error {
    let cure = "there is none; `bundler init` writes one to begin with";
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

/// What serde makes of the text, which stops at the first mistake.
fn read_types(text: &str) -> Result<Spec, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        // The parser's own text may end in the place, which stands in front here.
        let message = message.split(" at line ").next().unwrap_or(&message);
        let number = |number: u64| usize::try_from(number).unwrap_or(1);
        let place = error.location().map_or(Place { line: 1, column: 1 }, |location| Place {
            line: number(location.line()),
            column: number(location.column()),
        });
        Problem::new(place, message)
    })
}

/// The mistake of a text that is no YAML, with the line that it is in.
fn with_the_line(problem: &Problem, path: &Path, text: &str) -> String {
    let line = problem.place.line;
    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    format!("{}\n  {line} | {}", problem.line(path), cut(&hidden_line(shown)))
}

#[cfg(test)]
mod tests;
