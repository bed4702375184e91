use bundler::rpm::primary::read_filelists;

use super::outcome;
use super::primary::MOST;

/// `filelists.xml`.
pub(super) fn filelists(bytes: &[u8]) -> String {
    outcome(read_filelists(bytes, MOST, &|path| path.len() % 2 == 0))
}
