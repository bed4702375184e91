//! The texts of a node's files; paths are relative to its root.

use std::fs;

use super::Node;

/// Writes a file, and makes the folders that lead to it.
pub(crate) fn write(node: &Node, path: &str, text: &str) {
    let path = node.root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Reads a file; one that is not there has no text.
pub(crate) fn read(node: &Node, path: &str) -> String {
    fs::read_to_string(node.root().join(path)).unwrap_or_default()
}
