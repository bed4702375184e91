//! Making a backup on a running master.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::durable::Unfinished;
use bundle_format::output::Destination;
use bundle_format::{Digest, input};
use x509_cert::der::DateTime;

use super::contents::{Contents, KeptFile, Snapshot, VERSION};
use super::{archive, files, snapshot};
use crate::backup::Etcd;
use crate::host::Host;
use crate::node::join::JoinFile;
use crate::node::paths::ETCD;
use crate::node::static_pod;

/// Makes a backup of the cluster, and writes it to `output`, which gets its name when
/// all of it is on the disk.
pub fn make(host: &Host, output: &Path) -> anyhow::Result<Contents> {
    let join = JoinFile::kept(host)?;
    let kubernetes = static_pod::image(host, "kube-apiserver")?;
    let kubernetes = kubernetes.tag().unwrap_or_default().trim_start_matches('v').parse();
    let kubernetes = kubernetes.context("reading the version of the API server")?;
    let etcd = Etcd::of(static_pod::image(host, "etcd")?)?;
    let destination =
        Destination::of(output).with_context(|| format!("writing {}", output.display()))?;
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
    let write = |out: &mut dyn Write| archive::write(out, &contents, saved.open()?, &texts);
    match destination {
        Destination::Stream(mut file) => write(&mut file),
        Destination::File { path, .. } => whole(&path, write),
    }
    .with_context(|| format!("writing {}", output.display()))?;
    Ok(contents)
}

/// Writes a file that only its owner may read, and that gets its name when it is whole.
fn whole(path: &Path, write: impl Fn(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    if partial.exists() {
        fs::remove_file(&partial)?;
    }
    let mut unfinished = Unfinished::create(partial, 0o600)?;
    write(unfinished.file())?;
    Ok(unfinished.finish(path)?)
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
