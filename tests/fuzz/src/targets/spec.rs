use std::path::Path;

use bundler::spec::SpecFile;

use super::outcome;

/// A spec.
pub(super) fn spec(bytes: &[u8]) -> String {
    outcome(SpecFile::parse(Path::new("bundle.yaml"), bytes.to_vec()))
}
