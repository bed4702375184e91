//! An install: steps that make a node what an [`Intent`] says, from its bundle.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use bundle_format::ImageReference;
use bundle_format::archive::writer;
use bundle_format::layout::{Content, Layout};
use bundle_format::lock::LockedImage;
use bundle_format::text::count;

use crate::backup::{self, Part};
use crate::engine::{change, step};
use crate::exec::Command;
use crate::host::Host;
use crate::intent::{Intent, Upgrading};
use crate::node::control_plane;
use crate::node::join::{self, JoinFile, Machine};
use crate::node::pods::{self, Pod};
use crate::node::registered;
use crate::receipt::{Line, Stage, StepName, Upgrade};
use crate::removal;

/// A change of an install.
pub type Change = change::Change<OfInstall>;
/// A node that is installed.
pub type Node<'a> = step::Node<'a, Intent>;
/// The steps of an install.
pub type Steps = step::Steps<Intent>;

/// The changes that only an install can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfInstall {
    /// Files of the bundle are written below a folder.
    Unpack {
        /// The folder.
        folder: PathBuf,
        /// The files, with their paths below it.
        files: Vec<(PathBuf, Content)>,
    },
    /// Images are imported from the bundle into containerd.
    Import {
        /// The images.
        images: Vec<ImageReference>,
    },
    /// A part of the backup is written to a file. It is secret, and never shown.
    FromBackup {
        /// The file.
        path: PathBuf,
        /// The part.
        part: Part,
    },
    /// This program is copied to the node.
    KeepProgram {
        /// The file.
        path: PathBuf,
    },
    /// This node's member leaves etcd.
    LeaveEtcd,
    /// A snapshot of the running etcd is kept in a file, for root alone.
    Snapshot {
        /// The file.
        path: PathBuf,
    },
    /// Pods are evicted, and have ended.
    Evict {
        /// The kubeconfig by which they are.
        config: String,
        /// Their node.
        node: String,
        /// The pods that were there when this was planned.
        pods: Vec<Pod>,
    },
    /// The control plane's containers are ended, while kubelet does not run.
    EndControlPlane,
    /// The join file is written, with a new token from kubeadm.
    WriteJoinFile {
        /// The command that makes the token.
        command: Command,
        /// The file. Only its owner may read it.
        path: PathBuf,
    },
}

impl fmt::Display for OfInstall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpack { folder, files } => match files.as_slice() {
                [(name, _)] => write!(f, "unpack {} into {}", name.display(), folder.display()),
                many => {
                    write!(f, "unpack {} into {}", count(many.len(), "file"), folder.display())
                }
            },
            Self::Import { images } => write!(f, "import {}", count(images.len(), "image")),
            Self::FromBackup { path, .. } => write!(f, "write {} from the backup", path.display()),
            Self::KeepProgram { path } => write!(f, "copy this installer to {}", path.display()),
            Self::LeaveEtcd => f.write_str("take this node's member out of etcd"),
            Self::Snapshot { path } => {
                write!(f, "keep a snapshot of etcd in {}", path.display())
            }
            Self::Evict { pods, .. } if pods.is_empty() => {
                f.write_str("evict the pods that are here then")
            }
            Self::Evict { pods, .. } => {
                let names: Vec<String> = pods.iter().map(ToString::to_string).collect();
                write!(f, "evict {}: {}", count(pods.len(), "pod"), names.join(", "))?;
                let losing: Vec<String> =
                    pods.iter().filter(|pod| pod.loses_data()).map(ToString::to_string).collect();
                match losing.is_empty() {
                    true => Ok(()),
                    false => write!(f, "; data in emptyDir volumes go with {}", losing.join(", ")),
                }
            }
            Self::EndControlPlane => {
                f.write_str("end the control plane, which kubelet starts again")
            }
            Self::WriteJoinFile { command, path } => {
                write!(f, "run {command}, and write {}", path.display())
            }
        }
    }
}

impl step::Purpose for Intent {
    type Own = OfInstall;

    fn begun(&self) -> Option<Line> {
        let bundle = self.bundle.index_digest();
        Some(match &self.upgrade {
            None => self.line(),
            Some(Upgrading { from, .. }) => {
                let (from, to) = (from.clone(), self.lock().kubernetes.clone());
                Line::Upgrade(Upgrade { stage: Stage::Begun, from, to, bundle })
            }
        })
    }

    fn make(&self, host: &mut Host, step: StepName, change: &OfInstall) -> anyhow::Result<()> {
        match change {
            OfInstall::Unpack { folder, files } => {
                for (path, content) in files {
                    // The reader checks the digest. If it is
                    // wrong, the file does not get its name.
                    let mut blob = self.bundle.open_blob(&content.descriptor)?;
                    let digest = content.descriptor.digest;
                    host.copy(step, &folder.join(path), digest, &mut blob, 0o644)?;
                }
                Ok(())
            }
            OfInstall::Import { images } => import(host, self, step, images),
            OfInstall::FromBackup { path, part } => {
                let backup = self.restore.as_ref().context("no backup was given")?;
                let mut from = backup.part(*part)?;
                host.copy(step, path, from.digest, &mut from.bytes, from.mode)
            }
            OfInstall::KeepProgram { path } => host.keep_program(step, path),
            OfInstall::LeaveEtcd => {
                removal::leave(host, step)?;
                Ok(())
            }
            OfInstall::Snapshot { path } => backup::keep_snapshot(host, step, path),
            OfInstall::Evict { config, node, .. } => evict(host, step, config, node),
            OfInstall::EndControlPlane => control_plane::end_all(host, step),
            OfInstall::WriteJoinFile { command, path } => {
                let output = host.capture(step, command)?;
                let text = JoinFile::of_command(
                    &output.stdout,
                    join::HOURS,
                    self.endpoint(),
                    self.name.clone(),
                    self.address,
                    self.cluster.clone(),
                )?
                .knowing(vec![Machine::of(host, &self.name)?])
                .with_masters(registered::masters(host).unwrap_or_default())
                .text()?;
                host.write(step, path, text.as_bytes(), 0o600)
            }
        }
    }
}

/// How many images go into containerd at a time. On two cores, two took 0.65 times as long as one
/// after the other (1.6.20 and 2.3.7, November 2026); also two of one image at once are both whole.
/// `ctr` could import all in one run, but 2.3.7 lost some of their names then.
const AT_A_TIME: usize = 2;

/// Streams images into containerd, in the order in which a node needs them, without a
/// copy on the disk.
fn import(
    host: &mut Host,
    intent: &Intent,
    step: StepName,
    images: &[ImageReference],
) -> anyhow::Result<()> {
    let mut wanted = Vec::new();
    for image in intent.lock().images.iter().filter(|image| images.contains(&image.name)) {
        let mut layout = Layout::of_image_by_all_names(image)?;
        // containerd takes an image without the layers that it has: 1.6.20, 1.7.29 and 2.3.7
        // do (measured in November 2026). Preflight has seen that it has them.
        layout.blobs.retain(|blob| !intent.bundle.lacks(blob.digest));
        refuse_other_processors(image, intent)?;
        wanted.push((image.name.to_string(), layout));
    }
    let platform = format!("linux/{}", intent.facts.architecture.oci());
    let command = Command::of("ctr -n k8s.io images import --platform").with(platform).with("-");
    let bundle = &intent.bundle;
    let feed = |layout: &Layout, out: &mut dyn Write| {
        writer::write(out, layout, |blob| bundle.open_blob(blob).map_err(io::Error::other), |_| {})
    };
    let ended = host.feed_each(step, &command, &wanted, AT_A_TIME, feed)?;
    let failed = wanted.iter().zip(ended).filter_map(|((name, _), end)| Some((name, end.err()?)));
    let (names, errors): (Vec<&str>, Vec<anyhow::Error>) =
        failed.map(|(name, error)| (name.as_str(), error)).unzip();
    // All are named, with what was wrong with the first. The log has the others' reasons.
    let first = errors.into_iter().next();
    first.map_or(Ok(()), |error| Err(error.context(format!("importing {}", names.join(", ")))))
}

/// How long it may take until the next pod has ended, in seconds: a budget may hold some
/// back until others are Ready elsewhere.
const EVICTION: u64 = 300;

/// Evicts the pods that are on a node now, and waits until they have ended. One that a
/// budget holds back is tried again. Replicas go one after the other, so that another may
/// be Ready before the next one goes. A pod that comes later stays: it tolerates that no
/// pods come, or was on its way.
fn evict(host: &mut Host, step: StepName, config: &str, node: &str) -> anyhow::Result<()> {
    let mut left = pods::that_move(host, config, node)?;
    if let Some(lost) = pods::lost(&left) {
        return Err(lost.into());
    }
    let (mut asked, mut begun): (Vec<Pod>, _) = (Vec::new(), Instant::now());
    while !left.is_empty() {
        let (mut held, before) = (None, asked.len());
        for pod in &left {
            if asked.iter().any(|other| other == pod || other.is_replica_of(pod)) {
                continue;
            }
            let (command, body) = pod.eviction(config);
            let mut feed = |out: &mut dyn Write| out.write_all(body.as_bytes());
            match host.feed(step, &command, &mut feed) {
                Ok(()) => asked.push(pod.clone()),
                Err(error) => held = Some(error),
            }
        }
        let here = pods::that_move(host, config, node)?;
        let last = left.len();
        left.retain(|pod| here.contains(pod));
        if left.len() < last {
            begun = Instant::now();
        } else if begun.elapsed() >= Duration::from_secs(EVICTION) {
            let names: Vec<String> = left.iter().map(ToString::to_string).collect();
            let what = format!("waited {EVICTION} s in vain for {} to end", names.join(", "));
            return Err(held.unwrap_or_else(|| anyhow!("they have not ended")).context(what));
        } else if asked.len() == before {
            sleep(Duration::from_secs(if held.is_some() { 5 } else { 1 }));
        }
        asked.retain(|pod| left.contains(pod));
    }
    Ok(())
}

fn refuse_other_processors(image: &LockedImage, intent: &Intent) -> anyhow::Result<()> {
    let architecture = intent.facts.architecture;
    if !image.platforms.iter().any(|platform| platform.architecture == architecture) {
        bail!("the bundle has {} for other processors only", image.name);
    }
    Ok(())
}
