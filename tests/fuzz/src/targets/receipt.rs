use std::fs;

use installer::receipt::{self, Line, Receipt};

use super::{READ, outcome};
use crate::node::folder;

/// A node's receipt: what a reset and an upgrade learn from it. Lines mean the same
/// when they are written and read again.
pub(super) fn receipt(bytes: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("receipt.jsonl");
    fs::write(&path, bytes).expect("there is room");
    let lines = match Receipt::read(folder.path()) {
        Ok(lines) => lines.unwrap_or_default(),
        Err(error) => return outcome::<(), _>(Err(error.root_cause())),
    };
    receipt::remaining_of_steps(&lines);
    receipt::commands(&lines).next_back();
    receipt::upgrade(&lines);
    receipt::since_upgrade(&lines);
    for line in lines {
        let written = serde_json::to_vec(&line).expect("it can be written");
        let again: Line = serde_json::from_slice(&written).expect("what we write, we read");
        assert_eq!(again, line);
    }
    READ.to_owned()
}
