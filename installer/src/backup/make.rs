//! Making a backup on a running master.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::{Digest, input, output};
use rustix::fs::statvfs;
use x509_cert::der::DateTime;

use super::contents::{Contents, KeptFile, Snapshot, VERSION};
use super::snapshot::{self, Etcd};
use super::{archive, files};
use crate::failure::Failure;
use crate::host::Host;
use crate::node::join::JoinFile;
use crate::node::paths::ETCD;
use crate::node::static_pod;
use crate::receipt::StepName;

/// How the name of a snapshot begins; the number of its process follows.
const PREFIX: &str = "kubeferry-backup-";

/// Makes a backup of the cluster, and writes it to `path`, which gets its name when
/// all of it is on the disk.
///
/// Returns what it says of itself, and which files could not be kept, and why.
pub fn make(host: &Host, path: &Path) -> anyhow::Result<(Contents, Vec<String>)> {
    let join = JoinFile::kept(host)?;
    let kubernetes = static_pod::kubernetes(host)?;
    let etcd = Etcd::of(static_pod::image(host, "etcd")?)?;
    let (found, left_out) = files::all(host)?;
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
    Ok((contents, left_out))
}

/// Lets the running etcd make a snapshot, and keeps it in `path`. Only root can read it.
pub fn keep_snapshot(host: &mut Host, step: StepName, path: &Path) -> anyhow::Result<()> {
    let etcd = Etcd::of(static_pod::image(host, "etcd")?)?;
    let saved = Saved::by(host, &etcd)?;
    let digest = saved.described()?.digest;
    host.copy(step, path, digest, &mut saved.open()?, 0o600)
}

/// A snapshot in etcd's folder. It goes when this is dropped.
struct Saved {
    path: PathBuf,
    revision: u64,
}

impl Saved {
    fn by(host: &Host, etcd: &Etcd) -> anyhow::Result<Self> {
        // etcd sees no other folder of the node, and stops if its disk is full.
        let folder = host.path(ETCD);
        let used = folder.join("member/snap/db").metadata().map_or(0, |file| file.len());
        let disk = statvfs(&folder).with_context(|| format!("looking at {ETCD}"))?;
        let free = disk.f_bavail * disk.f_frsize;
        if free < 2 * used {
            return Err(Failure::new(
                format!(
                    "etcd has {} MiB of data, and its disk has {} MiB left",
                    used >> 20,
                    free >> 20
                ),
                format!("make room below {ETCD}: a snapshot lies there for a moment"),
            )
            .into());
        }
        remove_left(&folder);
        let path = Path::new(ETCD).join(format!("{PREFIX}{}.db", std::process::id()));
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
        // etcdctl writes it under the other name first.
        for path in [self.path.with_extension("db.part"), self.path.clone()] {
            drop(fs::remove_file(path));
        }
    }
}

/// Removes what backups have left that were killed.
fn remove_left(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('.').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            drop(fs::remove_file(entry.path()));
        }
    }
}
