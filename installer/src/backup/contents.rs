//! What a backup says of itself, in `backup.json`.

use std::net::IpAddr;

use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::portable_path::PortablePath;
use bundle_format::{Digest, KubernetesVersion};
use serde::{Deserialize, Serialize};

/// The version of the format that this code reads and writes.
pub(super) const VERSION: u32 = 1;
/// The largest file of the master that is kept, in bytes. Keys and policies have a few
/// thousand.
pub(super) const LARGEST_FILE: u64 = 1 << 20;

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// The format's version.
    pub version: u32,
    /// When it was made, in UTC, by the master's clock: `2026-11-26T14:00:00Z`.
    pub made: String,
    /// The version of the API server.
    pub kubernetes: KubernetesVersion,
    /// The master's name.
    pub master: NodeName,
    /// The master's address.
    pub master_address: IpAddr,
    /// The API server for all nodes, `HOST:PORT`.
    pub endpoint: String,
    /// The digest of the cluster's authority, as in a join file.
    pub ca_cert_hash: Digest,
    /// The cluster's settings.
    pub cluster: Cluster,
    /// etcd's snapshot.
    pub snapshot: Snapshot,
    /// The master's files.
    pub files: Vec<KeptFile>,
}

/// What is known of etcd's snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The revision of its last change.
    pub revision: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

/// A file of the master.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptFile {
    /// Its path below `/etc/kubernetes`.
    pub path: PortablePath,
    /// Its permission bits.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}
