//! A small node over a folder: its files, and commands that leave their state in
//! files as well, so that one look at the folder sees everything.

mod applied;
mod commands;
mod control_plane;
pub(crate) mod etcd;
mod firewalld;
mod ingress;
pub(crate) mod intent;
pub(crate) mod join;
pub(crate) mod kinds;
pub(crate) mod member;
pub(crate) mod packages;
pub(crate) mod text;
pub(crate) mod upgrading;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use installer::engine::{reset, run};
use installer::host::Host;
use installer::install::{Change, Steps};
use installer::intent::Intent;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

pub(crate) use commands::{Commands, Fault};

/// Steps that end on the node itself: no images, and no cluster.
const STEPS: [StepName; 18] = [
    StepName::Hosts,
    StepName::Selinux,
    StepName::Firewall,
    StepName::Swap,
    StepName::Modules,
    StepName::Sysctl,
    StepName::Repository,
    StepName::Packages,
    StepName::Time,
    StepName::NfsServer,
    StepName::ServiceFolder,
    StepName::ServiceRoute,
    StepName::NetworkManager,
    StepName::Containerd,
    StepName::RegistryMirrors,
    StepName::Crictl,
    StepName::Kubelet,
    StepName::KubeletSettings,
];

/// What lies in a folder: permission bits and texts, none of folders.
pub(crate) type Tree = BTreeMap<String, (u32, Option<String>)>;

pub(crate) struct Node {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) role: Role,
    /// What it is to become besides.
    pub(crate) change: fn(&mut Intent),
}

impl Node {
    /// A node with these files, each with its permission bits.
    pub(crate) fn new(role: Role, files: &[(&str, u32, &str)]) -> Self {
        // Each line of a receipt is synced, which takes no time in memory.
        let memory = tempfile::tempdir_in("/dev/shm");
        let folder = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let node = Self { folder, role, change: |_| () };
        for unit in ["enabled", "active", "masked", "loaded"] {
            fs::create_dir_all(node.root().join("run/systemd").join(unit)).unwrap();
        }
        for folder in ["etc/systemd/system", "opt", "root", "var/lib", "var/log"] {
            fs::create_dir_all(node.root().join(folder)).unwrap();
        }
        for (path, mode, text) in files {
            let path = node.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        node
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The node to look at, with commands that fail as `fault` says.
    pub(crate) fn look(&self, fault: Option<Fault>) -> (Host, Commands) {
        let commands = Commands::of(self.root(), fault);
        (Host::look(self.root(), Box::new(commands.clone())).unwrap(), commands)
    }

    /// The same, of which nothing is known but what can be seen.
    pub(crate) fn look_past_receipt(&self) -> Host {
        Host::look_past_receipt(self.root(), Box::new(Commands::of(self.root(), None)))
    }

    pub(crate) fn intent(&self) -> Intent {
        let mut intent = intent::of(self.root(), self.role);
        (self.change)(&mut intent);
        intent
    }

    pub(crate) fn steps(&self) -> Steps {
        let mut steps = order::steps(self.role);
        // A master's is written by kubeadm first.
        let more = if self.role == Role::Worker { &[StepName::Kubeconfig][..] } else { &[] };
        steps.retain(|step| STEPS.contains(&step.name()) || more.contains(&step.name()));
        assert_eq!(steps.len(), STEPS.len() + more.len());
        steps
    }

    pub(crate) fn plan(&self) -> Vec<(StepName, Vec<Change>)> {
        let (host, commands) = self.look(None);
        let plan = run::plan(&host, &self.intent(), &self.steps()).unwrap();
        assert!(commands.made().is_empty(), "a plan only looks");
        plan.into_iter().map(|planned| (planned.step.name(), planned.changes)).collect()
    }

    /// Makes all changes; gives each step's, the commands that were run for
    /// them, and how it ended.
    pub(crate) fn apply(&self, fault: Option<Fault>) -> Applied {
        let (host, commands) = self.look(fault);
        let mut changes = Vec::new();
        let end = run::apply(
            &mut host.open().unwrap(),
            &self.intent(),
            &self.steps(),
            &mut |_, name, made| changes.push((name, made.to_vec())),
        );
        Applied { changes, commands, end }
    }

    /// All of it but what the installer keeps for itself.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        walk(self.root(), self.root(), &mut tree);
        tree.retain(|path, _| {
            !path.starts_with("var/lib/kubeferry") && !path.starts_with("var/log/kubeferry")
        });
        tree
    }

    /// Takes all back, and looks whether everything is as it was.
    pub(crate) fn assert_goes_back(&self, before: &Tree, of: &str) {
        let mut host = self.look(None).0.open().unwrap();
        assert_eq!(reset::reset(&mut host, &mut |_| ()), Vec::<String>::new(), "{of}");
        reset::forget(&host).unwrap();
        let mut left = difference(&self.tree(), before);
        left.retain(|path| !stays(path));
        assert_eq!(left, BTreeSet::new(), "left after {of}");
        assert!(!self.root().join("var/lib/kubeferry").exists());
    }
}

pub(crate) struct Applied {
    pub(crate) changes: Vec<(StepName, Vec<Change>)>,
    pub(crate) commands: Commands,
    pub(crate) end: anyhow::Result<usize>,
}

/// What differs.
pub(crate) fn difference(a: &Tree, b: &Tree) -> BTreeSet<String> {
    let paths = a.keys().chain(b.keys());
    paths.filter(|path| a.get(*path) != b.get(*path)).cloned().collect()
}

/// What a reset leaves to the next boot: modules that were loaded.
fn stays(path: &str) -> bool {
    path == "proc/modules" || path.starts_with("proc/sys/net/bridge")
}

fn walk(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let text = (!meta.is_dir()).then(|| match fs::read_link(&path) {
            Ok(to) => to.to_str().unwrap().to_owned(),
            Err(_) => fs::read_to_string(&path).unwrap(),
        });
        tree.insert(name, (meta.permissions().mode() & 0o7777, text));
        if meta.is_dir() {
            walk(root, &path, tree);
        }
    }
}
