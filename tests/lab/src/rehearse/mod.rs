//! The rehearsal of a bundle: nodes like those that it is for, sealed off from the
//! world, get it by its own installer; what they look for and do not find is what the
//! bundle lacks. `docs/rehearse.md` says what this cannot see.

mod findings;
mod packet;
mod pods;
mod report;
mod seal;
mod socket_owner;
mod target;
mod watch;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, FORMAT, Given};
use bundle_format::lock::{FileKind, LockedFile, LockedTarget};
use bundle_format::text::count;
use bundle_format::{Architecture, BundlePath};
use ipnet::Ipv4Net;

pub use self::findings::Findings;
use self::pods::{Pods, State};
use self::seal::Seal;
use self::watch::Watch;
use crate::network::{self, DefaultRoute};
use crate::{Lab, Node, Settings, cluster, program};

/// How long pods may take until each is Ready or known not to become it.
const PATIENCE: Duration = Duration::from_secs(600);

/// A bundle that the lab's nodes can have.
pub struct Rehearsal {
    bundle: Bundle,
    target: LockedTarget,
    /// The site's cluster file.
    pub config: Option<String>,
    /// For how long nothing new must happen until it is over.
    pub watch: Duration,
}

impl Rehearsal {
    /// Opens a bundle. Fails if the lab's nodes cannot be what it is for.
    pub fn of(bundle: &Path) -> anyhow::Result<Self> {
        let bundle = Bundle::open(bundle)?;
        let target = target::choose(bundle.lock())?.clone();
        Ok(Self { bundle, target, config: None, watch: Duration::from_secs(30) })
    }

    /// What the lab must be like.
    pub fn settings(nodes: u8) -> Settings {
        Settings { nodes, default_route: DefaultRoute::Blackhole, ..Settings::default() }
    }

    /// Installs the bundle on the lab's nodes, and gives what they looked for and did
    /// not find. Says to `tell` how far it is.
    pub fn run(
        &self,
        lab: &Lab,
        tell: &mut dyn FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<Findings> {
        let master = lab.nodes().first().context("there is no node")?;
        let _seal = Seal::close(lab)?;
        for node in lab.nodes() {
            target::dress(node, &self.target)?;
            self.insert(node)?;
        }
        let config = self.config(lab)?;
        let verb = if lab.nodes().len() == 1 { "is" } else { "are" };
        let nodes = count(lab.nodes().len(), "node");
        tell(&format!("{nodes}, sealed, {verb} {}", self.target.id))?;
        let watch = Watch::begin(lab, &self.inside(&config)?)?;
        let mut pods = Pods::default();
        let installed = cluster::master(master, &config).and_then(|_| cluster::workers(lab));
        if installed.is_ok() {
            tell("the bundle is installed")?;
            self.settle(master, &watch, &mut pods)?;
            tell("the pods have settled")?;
        }
        // Without a cluster there is nobody to ask.
        let asked = pods.look(master).and_then(|()| pods.read_events(master));
        if installed.is_ok() {
            asked?;
        }
        let (seen, unseen) = watch.end()?;
        let failure = installed.err().map(|error| in_short(&format!("{error:#}")));
        let findings = Findings::of(self.bundle.lock(), &seen, &pods);
        Ok(Findings { unseen, failure, ..findings })
    }

    /// Puts the bundle and its installer on a node's stick.
    fn insert(&self, node: &Node) -> anyhow::Result<()> {
        self.bundle.paths().try_for_each(|path| node.insert(path))?;
        let is_own = |file: &&LockedFile| {
            let architecture = Architecture::X86_64;
            file.kind == FileKind::Installer && file.path == BundlePath::Installer { architecture }
        };
        let Some(own) = self.bundle.lock().files.iter().find(is_own) else {
            return node.insert(&program("installer")?);
        };
        let extract = || -> anyhow::Result<()> {
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("installer");
            let mut to = fs::File::create(&file)?;
            io::copy(&mut self.bundle.open_blob(&own.content)?, &mut to)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
            node.insert(&file)
        };
        extract().context("taking the installer out of the bundle")
    }

    /// The cluster file: the site's, or one by which a master alone runs all pods.
    fn config(&self, lab: &Lab) -> anyhow::Result<String> {
        if let Some(config) = &self.config {
            return Ok(config.clone());
        }
        match lab.nodes() {
            [] => bail!("there is no node"),
            [only] => {
                let Node { name, address, .. } = only;
                Ok(format!("nodes: [{{name: {name}, address: {address}, taints: []}}]\n"))
            }
            _ => Ok(String::new()),
        }
    }

    /// The networks that are not the rest of the world.
    fn inside(&self, config: &str) -> anyhow::Result<Vec<Ipv4Net>> {
        let given = match FORMAT.read::<Given>(config) {
            Ok(read) => read.and_then(|read| read.value).unwrap_or_default(),
            Err(_) => {
                bail!("the cluster file is not YAML; `installer config --config FILE` says where")
            }
        };
        let cluster = Cluster::of(&[&self.bundle.lock().cluster, &given])
            .context("reading the cluster file")?;
        let nodes = Ipv4Net::new_assert(network::OPERATOR, 24).trunc();
        let loopback = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        // Multicast, what is reserved, and broadcast.
        let no_machine = Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3);
        Ok(vec![nodes, cluster.pod_cidr, cluster.service_cidr, loopback, no_machine])
    }

    /// Waits until nothing new has happened for a while, or until it takes too long.
    fn settle(&self, master: &Node, watch: &Watch, pods: &mut Pods) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        let mut since = Instant::now();
        loop {
            // The API server may be busy with pods that begin.
            let is_told = pods.look(master).is_ok();
            let seen = watch.seen().count();
            let now = (pods.now.clone(), seen);
            if !is_told || last.as_ref() != Some(&now) {
                (last, since) = (Some(now), Instant::now());
            }
            let is_settled = !pods.now.values().any(|state| matches!(state, State::Underway(_)));
            if (is_settled && since.elapsed() >= self.watch) || Instant::now() > end {
                return Ok(());
            }
            sleep(Duration::from_secs(1));
        }
    }
}

/// What an installer said that failed, without the long command that ran it.
fn in_short(error: &str) -> String {
    let node = error.split(':').next().unwrap_or_default();
    match error.split_once(" ended with ") {
        Some((_, end)) => format!("{node}, the installer ended with {end}"),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn a_failure_is_told_without_the_command() {
        let error = "on node1: sh -c while installer --yes ended with exit status: 1: error: x";
        assert_eq!(in_short(error), "on node1, the installer ended with exit status: 1: error: x");
        assert_eq!(in_short("node1 is off"), "node1 is off");
    }
}
