//! Where the cluster's values come from: the bundle and the cluster file, or the join
//! file, or a backup.

use std::net::IpAddr;

use bundle_format::cluster::Cluster;

use super::options::Aim;
use crate::backup::Backup;
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::node::join::JoinFile;

/// The sources of the cluster's values.
pub(super) struct Sources {
    pub(super) join: Option<JoinFile>,
    /// The backup from which a master's cluster comes back.
    pub(super) restore: Option<Backup>,
    /// The cluster file's keys, if one was given.
    file: Option<ClusterFile>,
    /// The bundle's keys.
    bundle: OfBundle,
}

impl Sources {
    /// Reads them. The bundle is read only if it counts: a worker takes all
    /// values from its join file, and a master that is restored from its backup.
    pub(super) fn read(
        aim: &Aim,
        restore: Option<Backup>,
        join: Option<JoinFile>,
        bundle: impl FnOnce() -> anyhow::Result<OfBundle>,
    ) -> anyhow::Result<Self> {
        let file = aim.config.as_deref().map(ClusterFile::load).transpose()?;
        let counts = file.is_some() || (join.is_none() && restore.is_none());
        let bundle = if counts { bundle()? } else { OfBundle::default() };
        Ok(Self { join, restore, file, bundle })
    }

    /// The effective cluster. A cluster file replaces the join file's and the backup's.
    pub(super) fn cluster(&self) -> anyhow::Result<Cluster> {
        match (&self.file, &self.join, &self.restore) {
            (None, Some(join), _) => Ok(join.cluster.clone()),
            (None, None, Some(backup)) => Ok(backup.contents().cluster.clone()),
            (file, ..) => cluster_file::effective(&self.bundle, file.as_ref()),
        }
    }

    /// The address of the API server, which a master may hold besides its own; none if it
    /// is a name.
    pub(super) fn shared_address(&self, cluster: &Cluster) -> Option<IpAddr> {
        let endpoint = match &self.join {
            Some(join) => join.endpoint.clone(),
            None => cluster.told_endpoint()?,
        };
        endpoint.rsplit_once(':')?.0.parse().ok()
    }

    /// Where a key's value comes from. A worker's endpoint always comes from the
    /// join file.
    pub(super) fn of(&self, key: &str) -> &'static str {
        match &self.file {
            _ if self.join.is_some() && key == "endpoint" => "join file",
            Some(file) if file.given.has(key) => "cluster.yaml",
            None if self.join.is_some() => "join file",
            None if self.restore.is_some() => "the backup",
            _ if self.bundle.given.has(key) => "the bundle",
            _ => "default",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bundle_format::Digest;
    use bundle_format::cluster::Given;

    use super::*;
    use crate::node::join::Expiry;

    #[test]
    fn a_cluster_file_takes_the_place_of_the_join_files_but_for_the_endpoint() {
        let keys = |text: &str| serde_saphyr::from_str::<Given>(text).unwrap();
        let join = JoinFile {
            endpoint: "m:6443".to_owned(),
            token: "a.b".to_owned(),
            expires: Expiry::after(Duration::from_secs(60)).unwrap(),
            ca_cert_hash: Digest::of(b""),
            master: "m".to_owned().try_into().unwrap(),
            master_address: [10, 0, 0, 1].into(),
            cluster: Cluster { ntp_servers: vec!["join".to_owned()], ..Cluster::default() },
            masters: Vec::new(),
            machines: Vec::new(),
            control_plane: None,
        };
        let of = |given: Option<&str>, joins: bool| {
            let sources = Sources {
                join: joins.then(|| join.clone()),
                restore: None,
                file: given.map(|text| {
                    let mut file = ClusterFile::default();
                    file.given = keys(text);
                    file
                }),
                bundle: OfBundle {
                    given: keys("{podCidr: 10.9.0.0/16, ntpServers: [bundle], selinux: leave}"),
                    kubernetes: "1.28.2".parse().ok(),
                },
            };
            let time = sources.cluster().unwrap().ntp_servers.join(",");
            (["endpoint", "podCidr", "ingress"].map(|key| sources.of(key)), time)
        };
        let file = Some("podCidr: 10.8.0.0/16");
        let bundle = "bundle".to_owned();
        assert_eq!(of(None, false), (["default", "the bundle", "default"], bundle.clone()));
        assert_eq!(of(None, true), (["join file"; 3], "join".to_owned()));
        assert_eq!(of(file, false), (["default", "cluster.yaml", "default"], bundle.clone()));
        assert_eq!(of(file, true), (["join file", "cluster.yaml", "default"], bundle));
        assert_eq!(of(Some("ntpServers: [own]"), false).1, "own");
    }
}
