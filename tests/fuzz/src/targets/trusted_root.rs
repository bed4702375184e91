use bundler::image::keyless::TrustedRoot;

use super::outcome;

/// The trusted root of a Sigstore.
pub(super) fn trusted_root(bytes: &[u8]) -> String {
    outcome(TrustedRoot::parse(bytes))
}
