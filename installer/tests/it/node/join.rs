//! A join file, as a master would have made it.

use std::time::Duration;

use bundle_format::Digest;
use bundle_format::cluster::{Cluster, NodeName};
use installer::node::join::{Expiry, ForMaster, JoinFile};

/// Its token.
pub(crate) const TOKEN: &str = "abcdef.0123456789abcdef";

/// One for further masters.
pub(crate) fn for_master(cluster: Cluster) -> JoinFile {
    let kubernetes = "1.28.2".parse().unwrap();
    let control_plane = ForMaster { certificate_key: "ab".repeat(32), kubernetes };
    let endpoint = "api.site:6443".to_owned();
    JoinFile { endpoint, control_plane: Some(control_plane), ..join_file(cluster) }
}

/// The join file of `master`, 10.0.0.1, valid for an hour.
pub(crate) fn join_file(cluster: Cluster) -> JoinFile {
    JoinFile {
        endpoint: "10.0.0.1:6443".to_owned(),
        token: TOKEN.to_owned(),
        expires: Expiry::after(Duration::from_secs(3600)).unwrap(),
        ca_cert_hash: Digest::of(b""),
        master: NodeName::try_from("master".to_owned()).unwrap(),
        master_address: [10, 0, 0, 1].into(),
        cluster,
        masters: Vec::new(),
        machines: Vec::new(),
        control_plane: None,
    }
}
