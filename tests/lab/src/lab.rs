//! All of it: up and down.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::cgroup::Cgroup;
use crate::command::run;
use crate::host::{self, HostSettings};
use crate::network::{self, DefaultRoute};
use crate::node::Body;
use crate::owner::{self, Owner};
use crate::{Node, Places, kernel, products};

/// What a lab is to be like.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// How many nodes: `node1`, `node2`, …
    pub nodes: u8,
    /// How many more that are virtual machines: `vm1`, …
    pub virtual_machines: u8,
    /// What their routing tables say of the rest of the world.
    pub default_route: DefaultRoute,
}

impl Default for Settings {
    fn default() -> Self {
        Self { nodes: 3, virtual_machines: 0, default_route: DefaultRoute::None }
    }
}

/// A lab that is up.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Lab {
    settings: Settings,
    nodes: Vec<Node>,
    /// A kept one has none.
    #[serde(skip)]
    owner: Option<Owner>,
}

impl Lab {
    /// Brings a lab up for as long as the value lives: for tests. One that is
    /// up already, a developer's or another test's, is left alone, and an error.
    pub fn up(settings: &Settings) -> anyhow::Result<Self> {
        let places = Places::find()?;
        let _lock = places.lock()?;
        if find(&places)?.is_some() {
            bail!("a lab is up on this machine; `scripts/lab down` ends it");
        }
        let owner = Owner::of(&places.run())?;
        create(&places, settings, owner)
    }

    /// Brings a lab up until [`Lab::down`]. One that is up already is kept when
    /// it is as `settings` say, and its nodes are switched on.
    pub fn keep_up(settings: &Settings) -> anyhow::Result<Self> {
        let places = Places::find()?;
        let _lock = places.lock()?;
        let Some(lab) = find(&places)? else { return create(&places, settings, None) };
        if lab.settings != *settings {
            bail!("a lab with other settings is up; `scripts/lab down` ends it");
        }
        lab.start_nodes()?;
        Ok(lab)
    }

    /// The lab that is up.
    pub fn running() -> anyhow::Result<Self> {
        let lab = find(&Places::find()?)?;
        lab.context("no lab is up; `scripts/lab up` brings one up")
    }

    /// Ends the lab that is up, if any, and clears what any other has left.
    pub fn down() -> anyhow::Result<()> {
        let places = Places::find()?;
        let _lock = places.lock()?;
        clear(&places)
    }

    /// Leaves it up, until [`Lab::down`].
    pub fn leave_up(mut self) -> anyhow::Result<()> {
        owner::keep(&Places::find()?.run())?;
        self.owner = None;
        Ok(())
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node by its name.
    pub fn node(&self, name: &str) -> anyhow::Result<&Node> {
        let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        self.nodes
            .iter()
            .find(|node| node.name == name)
            .with_context(|| format!("no node is called {name}; there are {}", names.join(", ")))
    }

    /// How the lab was asked for.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn start_nodes(&self) -> anyhow::Result<()> {
        for node in &self.nodes {
            node.switch_on()?;
        }
        self.nodes.iter().try_for_each(Node::wait_until_up)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.owner.is_some()
            && let Err(error) = Self::down()
        {
            eprintln!("lab: {error:#}");
        }
    }
}

/// The lab that is up. One without a network is what a reboot of this machine left.
fn find(places: &Places) -> anyhow::Result<Option<Lab>> {
    let is_up = !owner::is_left(&places.run())?
        && network::namespaces().iter().any(|name| name == network::LAN);
    if is_up { noted(places) } else { Ok(None) }
}

/// The lab whose note is there, up or not.
fn noted(places: &Places) -> anyhow::Result<Option<Lab>> {
    let path = places.run().join("lab.json");
    let Ok(text) = fs::read(&path) else { return Ok(None) };
    let lab = serde_json::from_slice(&text);
    lab.map(Some).with_context(|| format!("reading {}", path.display()))
}

/// Makes a lab that an owner has up, or that is kept.
fn create(places: &Places, settings: &Settings, owner: Option<Owner>) -> anyhow::Result<Lab> {
    if !rustix::process::geteuid().is_root() {
        bail!("the lab makes namespaces and mounts: run it as root");
    }
    clear(places)?;
    let base = products::base(places)?;
    let run_folder = places.run();
    fs::create_dir_all(&run_folder)
        .with_context(|| format!("creating {}", run_folder.display()))?;
    HostSettings::note(&run_folder.join("host-settings.json"))?;
    if owner.is_none() {
        owner::keep(&run_folder)?;
    }
    let created = build(places, settings, &base, owner);
    if created.is_err() {
        // What failed matters more than that clearing failed too.
        drop(clear(places));
    }
    created
}

fn build(
    places: &Places,
    settings: &Settings,
    base: &Path,
    owner: Option<Owner>,
) -> anyhow::Result<Lab> {
    let folder = places.run();
    host::prepare()?;
    kernel::write_modules(&folder.join("modules"))?;
    let key = operator_key(places)?;
    network::create()?;
    let nodes = nodes(places, settings, base)?;
    let lab = Lab { settings: settings.clone(), nodes, owner };
    let note = folder.join("lab.json");
    fs::write(&note, serde_json::to_vec_pretty(&lab)?)
        .with_context(|| format!("writing {}", note.display()))?;
    for node in &lab.nodes {
        node.create(settings.default_route, &key)?;
    }
    lab.start_nodes()?;
    Ok(lab)
}

fn nodes(places: &Places, settings: &Settings, base: &Path) -> anyhow::Result<Vec<Node>> {
    let folder = places.run();
    let mut nodes = Vec::new();
    for number in 1..=settings.nodes {
        let body = Body::Namespaces { base: base.to_owned(), modules: folder.join("modules") };
        nodes.push(Node::new(format!("node{number}"), network::address(number), &folder, body));
    }
    for number in 1..=settings.virtual_machines {
        let address = network::address(settings.nodes + number);
        let product = products::virtual_machine(places)?;
        let body = Body::VirtualMachine { product, key: folder.join("operator-key") };
        nodes.push(Node::new(format!("vm{number}"), address, &folder, body));
    }
    Ok(nodes)
}

/// The operator's public key, for the nodes to let in.
fn operator_key(places: &Places) -> anyhow::Result<String> {
    let private = places.run().join("operator-key");
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f"])
        .arg(&private))?;
    let public = private.with_extension("pub");
    fs::read_to_string(&public).with_context(|| format!("reading {}", public.display()))
}

/// Removes all that a lab has made, whether it is up, half made or crashed.
fn clear(places: &Places) -> anyhow::Result<()> {
    if let Ok(Some(lab)) = noted(places) {
        for node in &lab.nodes {
            node.kill()?;
        }
    }
    for cgroup in Cgroup::all()? {
        cgroup.remove()?;
    }
    for namespace in network::namespaces() {
        network::remove(&namespace)?;
    }
    let folder = places.run();
    if !folder.exists() {
        return Ok(());
    }
    HostSettings::restore(&folder.join("host-settings.json"))?;
    // The kernel lets go of a namespace's mounts a moment after its last
    // process has ended.
    let end = Instant::now() + Duration::from_secs(20);
    while let Err(error) = fs::remove_dir_all(&folder) {
        if Instant::now() > end {
            return Err(error).with_context(|| format!("removing {}", folder.display()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
