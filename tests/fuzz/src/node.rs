//! A node that has one odd file: a step plans its changes, they are made to the files,
//! and then there is nothing left to write.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, path::Path};

use bundle_format::Architecture;
use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::NodeName;
use bundle_format::lock::LockedTarget;
use installer::engine::change::Change;
use installer::engine::step::{Node, Step};
use installer::exec::{Command, Exec, Input, Output};
use installer::host::Host;
use installer::intent::Intent;
use installer::node::facts::Facts;
use installer::node::os_release::OsRelease;
use installer::role::Role;
use tempfile::TempDir;

use crate::small_bundle;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

thread_local! {
    /// What each node is to become.
    static INTENT: Intent = intent();
}

/// A folder in memory.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("there is a folder")
}

/// What a node's files came to.
pub(crate) struct Settled {
    /// What the step said, if it refused.
    pub(crate) refusal: Option<String>,
    /// The files that it wrote, with their texts.
    pub(crate) written: BTreeMap<PathBuf, Vec<u8>>,
}

/// Makes a step's changes of files on a node with these files, on which commands
/// answer with `said`.
pub(crate) fn settle(
    step: &dyn Step<Intent>,
    files: &[(&str, &[u8])],
    said: fn(&str) -> Option<String>,
) -> Settled {
    let root = folder();
    for (path, bytes) in files {
        put(root.path(), Path::new(path), bytes);
    }
    let writes = || -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
        let host = Host::look(root.path(), Box::new(Quiet(said)))?;
        let asked = INTENT.with(|intent| step.changes(&Node { host: &host, intent }));
        let changes = asked?.into_iter();
        let write = |change| match change {
            Change::Write { path, text, .. } => Some((path, text)),
            _ => None,
        };
        Ok(changes.filter_map(write).collect())
    };
    let written = match writes() {
        Ok(written) => written,
        Err(error) => {
            return Settled { refusal: Some(format!("{error:#}")), written: BTreeMap::new() };
        }
    };
    for (path, text) in &written {
        put(root.path(), path, text);
    }
    let left = writes().expect("what the step wrote, it can read");
    assert_eq!(left, [], "a second run would write again");
    Settled { refusal: None, written: written.into_iter().collect() }
}

fn put(root: &Path, path: &Path, bytes: &[u8]) {
    let path = root.join(path.strip_prefix("/").unwrap_or(path));
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("there is room");
    fs::write(path, bytes).expect("there is room");
}

/// Commands that say what a node says on which nothing runs.
struct Quiet(fn(&str) -> Option<String>);

impl Exec for Quiet {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        let line = command.to_string();
        let stdout = match self.0(&line) {
            Some(said) => said,
            None if line.starts_with("systemctl is-") => "inactive\n".to_owned(),
            None if line == "hostname" => "node-1\n".to_owned(),
            None => String::new(),
        };
        Ok(Output { status: Some(0), stdout, stderr: String::new() })
    }

    fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
        self.run(command, None)
    }
}

fn intent() -> Intent {
    let name = |text: &str| NodeName::try_from(text.to_owned()).expect("it is a name");
    let folder = folder();
    let path = folder.path().join("small.tar");
    fs::write(&path, small_bundle::bytes()).expect("there is room");
    let cluster = r#"{"nodes": [{"name": "node-1", "address": "10.0.0.2"},
                               {"name": "node-2", "address": "10.0.0.3"}]}"#;
    Intent {
        role: Role::Master,
        bundle: Bundle::open(&path).expect("it is a bundle"),
        target: LockedTarget {
            id: "el9-x86_64".to_owned(),
            family: "el9".to_owned(),
            architecture: Architecture::X86_64,
            systems: Vec::new(),
            baseline: "none".to_owned(),
            requested: Vec::new(),
            repositories: Vec::new(),
            module_hotfixes: false,
        },
        cluster: serde_json::from_str(cluster).expect("it is a cluster"),
        facts: Facts {
            system: "a small node".to_owned(),
            release: OsRelease::parse("ID=rocky\nVERSION_ID=9.3\n"),
            family: Some("el9".to_owned()),
            architecture: Architecture::X86_64,
            kernel: "5.14".to_owned(),
            host_name: "node-1".to_owned(),
            addresses: vec![("eth0".to_owned(), ADDRESS)],
            default_route: None,
            processors: 2,
            memory: 4 << 30,
            cgroup_v1: false,
            swaps: Vec::new(),
        },
        name: name("node-1"),
        address: ADDRESS,
        join: None,
        restore: None,
        upgrade: None,
        kubeconfig: None,
    }
}
