use std::path::Path;

use installer::steps::hosts::Hosts;

use super::READ;
use crate::node::settle;

const HOSTS: &str = "/etc/hosts";
const BLOCK: &[u8] = b"# kubeferry: the cluster's machines";

/// `/etc/hosts`. Lines without a name of the cluster's stay as they are, in order.
pub(super) fn hosts(bytes: &[u8]) -> String {
    let settled = settle(&Hosts, &[(HOSTS, bytes)], |_| None);
    if let Some(refusal) = settled.refusal {
        return refusal;
    }
    let after = settled.written.get(Path::new(HOSTS)).map_or(bytes, Vec::as_slice);
    let is_ours = |line: &[u8]| {
        line.to_ascii_lowercase().windows(5).any(|part| part == b"node-") || line.is_empty()
    };
    // What stands between our marks is ours.
    if !bytes.windows(BLOCK.len()).any(|part| part == BLOCK) {
        let mut rest = after.split(|byte| *byte == b'\n');
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !is_ours(line)) {
            assert!(rest.any(|other| other == line), "{} is gone", line.escape_ascii());
        }
    }
    READ.to_owned()
}
