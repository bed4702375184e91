//! What the lab's tests share.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab::{Lab, Line, Settings, Upstream};
use serde_json::Value;

/// Whether a lab can be had here, with the word why not.
fn is_possible() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: the lab makes namespaces and mounts, as root");
    }
    is_root
}

/// A lab for a test, or none.
pub(crate) fn lab(settings: &Settings) -> Option<Lab> {
    is_possible().then(|| Lab::up(settings).unwrap())
}

/// The upstream with a connected host's work folder, or none.
pub(crate) fn connected_host() -> Option<ConnectedHost> {
    is_possible().then(|| {
        let upstream = Upstream::up(Line::of_tests().unwrap()).unwrap();
        ConnectedHost { upstream, folder: tempfile::tempdir().unwrap() }
    })
}

/// Where the bundler runs.
pub(crate) struct ConnectedHost {
    pub(crate) upstream: Upstream,
    folder: tempfile::TempDir,
}

impl ConnectedHost {
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the upstream, and gives the work folder.
    pub(crate) fn close(self) -> tempfile::TempDir {
        self.folder
    }

    /// Runs the bundler, which must succeed.
    pub(crate) fn bundler(&self, arguments: &[&str]) -> String {
        succeed(lab::cluster::bundler(&self.upstream, self.folder()).unwrap().args(arguments))
    }

    /// The lab's bundle with these manifests before its own. The bundler finds the programs of
    /// these folders, too.
    pub(crate) fn bundle_with_manifests(&self, manifests: &str, programs: &[&Path]) -> PathBuf {
        let spec = fs::read_to_string(self.upstream.spec()).unwrap();
        let spec = spec.replacen("manifests:\n", &format!("manifests:\n{manifests}"), 1);
        fs::write(self.folder().join("lab.yaml"), spec).unwrap();
        fs::copy(self.upstream.authority(), self.folder().join("ca.pem")).unwrap();
        let usual = env::var_os("PATH").unwrap_or_default();
        let folders = programs.iter().map(|folder| folder.to_path_buf());
        let path = env::join_paths(folders.chain(env::split_paths(&usual))).unwrap();
        for words in [["lock", "lab.yaml"].as_slice(), &["build", "--quiet", "lab.yaml"]] {
            let mut command = lab::cluster::bundler(&self.upstream, self.folder()).unwrap();
            succeed(command.args(words).env("PATH", &path));
        }
        self.folder().join("lab.tar")
    }

    /// Locks the lab's spec as `NAME.yaml` and gives the lock.
    pub(crate) fn lock(&self, name: &str) -> Value {
        let spec = format!("{name}.yaml");
        fs::copy(self.upstream.spec(), self.folder().join(&spec)).unwrap();
        fs::copy(self.upstream.authority(), self.folder().join("ca.pem")).unwrap();
        self.bundler(&["lock", &spec]);
        self.read_lock(&spec)
    }

    fn read_lock(&self, spec: &str) -> Value {
        let lock = fs::read(self.folder().join(format!("{spec}.lock.json"))).unwrap();
        serde_json::from_slice(&lock).unwrap()
    }

    /// The lab's bundle.
    pub(crate) fn bundle(&self) -> (Value, PathBuf) {
        self.bundle_with("")
    }

    /// The same, of a spec whose `cluster` has these lines besides.
    pub(crate) fn bundle_with(&self, lines: &str) -> (Value, PathBuf) {
        let bundle = lab::cluster::bundle_with(&self.upstream, self.folder(), lines).unwrap();
        (self.read_lock("lab.yaml"), bundle)
    }
}

/// Runs a command that must succeed, and gives what it wrote to standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// All that a command wrote.
pub(crate) fn words(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    both.concat()
}
