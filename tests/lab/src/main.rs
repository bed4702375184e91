//! `lab`: the lab from the command line.
#![allow(clippy::disallowed_methods, reason = "what the lab prints is its own")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Parser, Subcommand};
use lab::network::DefaultRoute;
use lab::node::{init, supervisor};
use lab::rehearse::Rehearsal;
use lab::upgrade_kills::{self, Chosen};
use lab::upstream::serve::{self, Content};
use lab::{Lab, Line, Places, Settings, Upstream, cluster, kills, products};

/// Real upstreams and real air-gapped nodes on this machine
#[derive(Parser)]
#[command(name = "lab", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the lab up
    Up {
        #[command(flatten)]
        line: OfLine,
        /// How many nodes
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
        nodes: u8,
        /// How many virtual machines besides, which need minutes to boot
        #[arg(long = "vm", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=3))]
        virtual_machines: u8,
        /// What the nodes' routing tables say of the rest of the world
        #[arg(long, value_enum, default_value_t)]
        default_route: DefaultRoute,
    },
    /// Bring the lab up and make a cluster of it: the whole story
    Cluster {
        #[command(flatten)]
        line: OfLine,
        /// How many nodes
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
        nodes: u8,
        /// Who makes control groups
        #[arg(long, value_parser = ["systemd", "cgroupfs"], default_value = "systemd")]
        driver: String,
        /// What the nodes' routing tables say of the rest of the world
        #[arg(long, value_enum, default_value_t)]
        default_route: DefaultRoute,
    },
    /// Take the power from a run at random instants, and finish each: two minutes for
    /// each kill, for the night
    Kills {
        #[command(flatten)]
        line: OfLine,
        /// Not of a master's install, but of upgrades and ways back of a master and a worker
        #[arg(long)]
        upgrade: bool,
        /// Which Kubernetes the upgrades begin with
        #[arg(long, default_value = "1.36", requires = "upgrade")]
        from: Line,
        /// The first of the seed's kills that is done, to do one again
        #[arg(long, default_value_t = 1, requires = "upgrade")]
        first: u32,
        /// How many
        #[arg(long, default_value_t = 30)]
        count: u32,
        /// What the instants are chosen by
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Install a bundle on sealed nodes, and list what it lacks there
    Rehearse {
        /// The bundle, or one of its parts
        bundle: PathBuf,
        /// How many nodes: a master, and workers
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=9))]
        nodes: u8,
        /// The cluster file; the nodes are node1, 192.168.77.11, and so on
        #[arg(long)]
        config: Option<PathBuf>,
        /// For how many seconds nothing new must happen until it is over
        #[arg(long, default_value_t = 30)]
        watch: u64,
        /// Leave the nodes up, to look at them
        #[arg(long)]
        keep: bool,
    },
    /// Make what is slow to make and kept, and bring nothing up
    Prepare(OfLine),
    /// Run a command in a node
    Exec {
        /// The node
        node: String,
        /// The command
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Copy a file into a node
    Copy {
        /// The file
        file: PathBuf,
        /// Where to: NODE:PATH
        to: String,
    },
    /// Put a file on the stick in a node, which has it below /media/usb
    Insert {
        /// The file
        file: PathBuf,
        /// The node
        node: String,
    },
    /// Reboot a node
    Reboot {
        /// The node
        node: String,
    },
    /// Pull a node's network cable
    Cut {
        /// The node
        node: String,
    },
    /// Plug a node's network cable in again
    Heal {
        /// The node
        node: String,
    },
    /// Pull a node's plug; `up` switches it on again
    Kill {
        /// The node
        node: String,
    },
    /// What a node wrote to its console and its journal
    Logs {
        /// The node
        node: String,
    },
    /// What there is
    Status,
    /// End the lab, and clear what one that crashed has left
    Down,
    /// What has the upstream's servers
    #[command(hide = true)]
    Serve(Content),
    /// What stands for a node's hardware
    #[command(hide = true)]
    Supervise {
        /// The node
        node: String,
    },
    /// What becomes a node's process 1
    #[command(hide = true)]
    Init {
        /// The node
        node: String,
    },
}

#[derive(clap::Args)]
struct OfLine {
    /// Which Kubernetes: 1.20, 1.28, 1.35, 1.36, 1.37, or 1.37.3 as a stand-in
    #[arg(long = "line", default_value = Line::default().minor)]
    line: Line,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up { line, nodes, virtual_machines, default_route } => {
            Upstream::keep_up(line.line)?;
            print(&status(&Lab::keep_up(&Settings { nodes, virtual_machines, default_route })?))?;
        }
        Command::Cluster { line, nodes, driver, default_route } => {
            let settings = Settings { nodes, default_route, ..Settings::default() };
            tell_cluster(line.line, &settings, &format!("cgroupDriver: {driver}\n"))?;
        }
        Command::Kills { line, upgrade: true, from, first, count, seed } => {
            let folder = tempfile::tempdir().context("making a folder for the bundles")?;
            let of = |line: Line, name: &str| -> anyhow::Result<PathBuf> {
                let upstream = Upstream::up(line)?;
                let bundle = cluster::bundle(&upstream, &folder.path().join(name))?;
                let named = folder.path().join(format!("{name}.tar"));
                fs::rename(&bundle, &named).context("naming the bundle")?;
                Ok(named)
            };
            let (old, new) = (of(from, "lab")?, of(line.line, "new")?);
            let bundles = [(from, old.as_path()), (line.line, new.as_path())];
            upgrade_kills::sweep(bundles, Chosen { seed, first, count }, &mut print)?;
        }
        Command::Kills { line, count, seed, .. } => {
            let upstream = Upstream::up(line.line)?;
            let bundle = cluster::bundle(&upstream, &upstream.folder().join("work"))?;
            kills::sweep(&bundle, count, seed, &mut print)?;
        }
        Command::Rehearse { bundle, nodes, config, watch, keep } => {
            let mut rehearsal = Rehearsal::of(&bundle)?;
            let read = |path: PathBuf| {
                fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
            };
            rehearsal.config = config.map(read).transpose()?;
            rehearsal.watch = Duration::from_secs(watch);
            return tell_rehearsal(&rehearsal, nodes, keep);
        }
        Command::Prepare(line) => {
            let places = Places::find()?;
            products::base(&places)?;
            products::packages(&places)?;
            products::line_packages(&places, line.line)?;
            products::images(&places, line.line)?;
        }
        Command::Exec { node, command } => {
            let lab = Lab::running()?;
            let status = lab.node(&node)?.command(&command)?.status()?;
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            return Ok(ExitCode::from(code));
        }
        Command::Copy { file, to } => {
            let (node, path) = to
                .split_once(':')
                .ok_or_else(|| anyhow::anyhow!("`{to}` is not of the form NODE:PATH"))?;
            Lab::running()?.node(node)?.copy(&file, path)?;
        }
        Command::Insert { file, node } => Lab::running()?.node(&node)?.insert(&file)?,
        Command::Reboot { node } => Lab::running()?.node(&node)?.reboot()?,
        Command::Cut { node } => Lab::running()?.node(&node)?.cut()?,
        Command::Heal { node } => Lab::running()?.node(&node)?.heal()?,
        Command::Kill { node } => Lab::running()?.node(&node)?.kill()?,
        Command::Logs { node } => print(&Lab::running()?.node(&node)?.logs()?)?,
        Command::Status => print(&status(&Lab::running()?))?,
        Command::Down => {
            Lab::down()?;
            Upstream::down()?;
        }
        Command::Serve(content) => serve::serve(&content)?,
        Command::Supervise { node } => {
            let lab = Lab::running()?;
            supervisor::supervise(lab.node(&node)?, lab.settings().default_route)?;
        }
        Command::Init { node } => init::become_init(Lab::running()?.node(&node)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The rehearsal, with how long each part of it took, and what it found.
fn tell_rehearsal(rehearsal: &Rehearsal, nodes: u8, keep: bool) -> anyhow::Result<ExitCode> {
    let mut begun = Instant::now();
    let lab = Lab::up(&Rehearsal::settings(nodes))?;
    let findings = rehearsal.run(&lab, &mut |what| {
        let seconds = begun.elapsed().as_secs_f32();
        begun = Instant::now();
        print(&format!("{seconds:>5.1} s  {what}\n"))
    });
    if keep {
        lab.leave_up()?;
    }
    let findings = findings?;
    print(&format!("\n{findings}"))?;
    Ok(if findings.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The whole story, with how long each part of it took.
fn tell_cluster(line: Line, settings: &Settings, config: &str) -> anyhow::Result<()> {
    let mut begun = Instant::now();
    let mut tell = |what: &str| {
        let seconds = begun.elapsed().as_secs_f32();
        begun = Instant::now();
        print(&format!("{seconds:>5.1} s  {what}\n"))
    };
    let upstream = Upstream::keep_up(line)?;
    tell("repositories, a registry and manifests are served")?;
    let lab = Lab::keep_up(settings)?;
    tell(&format!("{} nodes have booted, with no way out", lab.nodes().len()))?;
    let bundle = cluster::bundle(&upstream, &upstream.folder().join("work"))?;
    let size = bundle.metadata().context("looking at the bundle")?.len();
    tell(&format!("a bundle of {} MB is made", size / 1_000_000))?;
    cluster::insert_stick(&lab, &bundle)?;
    let first = lab.nodes().first().context("there is no node")?;
    tell(end_of(&cluster::master(first, config)?))?;
    let workers = cluster::workers(&lab)?;
    let workers: Vec<&str> = workers.iter().map(|said| end_of(said)).collect();
    tell(&workers.join("\n         "))?;
    print(&first.run(["kubectl", "get", "nodes,pods", "-A"])?)
}

/// What a run says of its end.
fn end_of(text: &str) -> &str {
    text.lines().find(|line| line.contains(" changes in ")).unwrap_or_default()
}

fn status(lab: &Lab) -> String {
    let route = lab.settings().default_route;
    let mut text = format!("default route: {route}\n");
    for node in lab.nodes() {
        let state = if node.is_on() { "on" } else { "off" };
        text += &format!("{}  {}  {state}\n", node.name, node.address);
    }
    text
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
