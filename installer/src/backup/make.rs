//! Making a backup on a running master.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::{Digest, input, output};
use x509_cert::der::DateTime;

use super::contents::{Contents, KeptFile, Snapshot, VERSION};
use super::snapshot::{self, Etcd};
use super::{archive, files};
use crate::host::Host;
use crate::node::join::JoinFile;
use crate::node::paths::ETCD;
use crate::node::static_pod;

/// Makes a backup of the cluster, and writes it to `path`, which gets its name when
/// all of it is on the disk.
pub fn make(host: &Host, path: &Path) -> anyhow::Result<Contents> {
    let join = JoinFile::kept(host)?;
    let kubernetes = static_pod::image(host, "kube-apiserver")?;
    let kubernetes = kubernetes.tag().unwrap_or_default().trim_start_matches('v').parse();
    let kubernetes = kubernetes.context("reading the version of the API server")?;
    let etcd = Etcd::of(static_pod::image(host, "etcd")?)?;
    let found = files::all(host)?;
    let saved = Saved::by(host, &etcd)?;
    let now = DateTime::from_system_time(SystemTime::now()).context("reading the clock")?;
    let contents = Contents {
        version: VERSION,
        made: now.to_string(),
        kubernetes,
        master: join.master,
        master_address: join.master_address,
        endpoint: join.endpoint,
        ca_cert_hash: join.ca_cert_hash,
        cluster: join.cluster,
        snapshot: saved.described()?,
        files: found
            .iter()
            .map(|file| KeptFile {
                path: file.path.clone(),
                mode: file.mode,
                size: file.bytes.len() as u64,
                digest: Digest::of(&file.bytes),
            })
            .collect(),
    };
    let texts: Vec<Vec<u8>> = found.into_iter().map(|file| file.bytes).collect();
    output::write_by(path, 0o600, |out| archive::write(out, &contents, saved.open()?, &texts))
        .with_context(|| format!("writing {}", path.display()))?;
    Ok(contents)
}

/// A snapshot in etcd's folder. It goes when this is dropped.
struct Saved {
    path: PathBuf,
    revision: u64,
}

impl Saved {
    fn by(host: &Host, etcd: &Etcd) -> anyhow::Result<Self> {
        // etcd sees no other folder of the node.
        let path = Path::new(ETCD).join("kubeferry-backup.db");
        let mut saved = Self { path: host.path(&path), revision: 0 };
        saved.revision = snapshot::save(host, etcd, &path)?;
        Ok(saved)
    }

    fn open(&self) -> anyhow::Result<fs::File> {
        input::open(&self.path).context("opening the snapshot of etcd")
    }

    fn described(&self) -> anyhow::Result<Snapshot> {
        let (digest, size) =
            Digest::of_reader(&mut self.open()?).context("reading the snapshot of etcd")?;
        Ok(Snapshot { revision: self.revision, size, digest })
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}
