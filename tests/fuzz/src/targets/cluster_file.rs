use std::fs;

use installer::cluster_file::{ClusterFile, OfBundle, effective};

use super::outcome;
use crate::node::folder;

/// A site's cluster file.
pub(super) fn cluster_file(bytes: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("cluster.yaml");
    fs::write(&path, bytes).expect("there is room");
    let cluster = ClusterFile::load(&path)
        .and_then(|file| effective(&OfBundle::default(), Some(&file)))
        .map(|cluster| cluster.dns());
    outcome(cluster.map_err(|error| error.root_cause().to_string()))
}
