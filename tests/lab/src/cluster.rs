//! The whole story, as an operator has it: a bundle on a stick, one line on the
//! first node, one on each of the others.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use anyhow::{Context, anyhow};

use crate::command::{program, run};
use crate::{Lab, Node, Upstream};

/// Where a node has the join file that the operator brought.
pub const JOIN_FILE: &str = "/root/join.yaml";

/// The file of a node's stick that is the installer.
pub const INSTALLER: &str = "/media/usb/installer";

/// An installer that hangs is ended, so that its test can say where.
const PATIENCE: [&str; 2] = ["timeout", "480"];

/// Makes the lab's bundle in `folder`, which holds the bundler's cache as well.
pub fn bundle(upstream: &Upstream, folder: &Path) -> anyhow::Result<PathBuf> {
    bundle_with(upstream, folder, "")
}

/// The same, of a spec whose `cluster` has these lines besides.
pub fn bundle_with(upstream: &Upstream, folder: &Path, lines: &str) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    for file in [upstream.spec(), upstream.authority()] {
        let to = folder.join(file.file_name().unwrap_or_default());
        fs::copy(&file, &to).with_context(|| format!("copying {}", file.display()))?;
    }
    let spec = folder.join("lab.yaml");
    let text = fs::read_to_string(&spec).context("reading the lab's spec")?;
    let (before, after) =
        text.split_once("\ncluster:\n").context("the lab's spec has no `cluster`")?;
    fs::write(&spec, format!("{before}\ncluster:\n{lines}{after}"))
        .context("writing the lab's spec")?;
    for words in [["lock", "lab.yaml"].as_slice(), &["build", "--quiet", "lab.yaml"]] {
        run(bundler(upstream, folder)?.args(words))?;
    }
    Ok(folder.join("lab.tar"))
}

/// The bundler on the connected host, with its work in `folder`.
pub fn bundler(upstream: &Upstream, folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(program("bundler")?);
    command.current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache"));
    command.env("DOCKER_CONFIG", upstream.docker_config());
    Ok(command)
}

/// Puts the stick into all nodes: the bundle, and the installer beside it.
pub fn insert_stick(lab: &Lab, bundle: &Path) -> anyhow::Result<()> {
    let installer = program("installer")?;
    lab.nodes().iter().try_for_each(|node| {
        node.insert(bundle)?;
        node.insert(&installer)
    })
}

/// What the first node is to become.
pub const MASTER: [&str; 4] = ["--role", "master", "--config", "/root/cluster.yaml"];

/// Writes the cluster file.
pub fn configure(node: &Node, text: &str) -> anyhow::Result<()> {
    node.write("/root/cluster.yaml", text)
}

/// Makes the first node a master; `more` are lines of its cluster file.
pub fn master(node: &Node, more: &str) -> anyhow::Result<String> {
    configure(node, more)?;
    node.run([&PATIENCE[..], &[INSTALLER, "--yes"], &MASTER].concat())
}

/// What the others are to become.
pub const WORKER: [&str; 4] = ["--role", "worker", "--join", JOIN_FILE];

/// Makes a node a worker of the master's cluster, by a fresh join file.
pub fn worker(master: &Node, node: &Node) -> anyhow::Result<String> {
    let text = master.run([INSTALLER, "token"])?;
    node.write(JOIN_FILE, &text)?;
    node.run([&PATIENCE[..], &[INSTALLER, "--yes"], &WORKER].concat())
}

/// Makes the first node a master and the others workers.
pub fn install(lab: &Lab, bundle: &Path, more: &str) -> anyhow::Result<()> {
    insert_stick(lab, bundle)?;
    lab.nodes().first().map_or(Ok(()), |first| master(first, more).map(drop))?;
    workers(lab).map(drop)
}

/// Makes all nodes but the first workers, at once, and gives what each said.
pub fn workers(lab: &Lab) -> anyhow::Result<Vec<String>> {
    let [first, others @ ..] = lab.nodes() else { return Ok(Vec::new()) };
    thread::scope(|scope| {
        let all: Vec<_> = others.iter().map(|node| scope.spawn(|| worker(first, node))).collect();
        all.into_iter()
            .map(|one| one.join().map_err(|_| anyhow!("a worker's thread ended"))?)
            .collect()
    })
}
