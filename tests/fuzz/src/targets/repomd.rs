use bundler::rpm::repomd::Repomd;

use super::outcome;

/// `repomd.xml`.
pub(super) fn repomd(bytes: &[u8]) -> String {
    outcome(Repomd::parse(bytes))
}
