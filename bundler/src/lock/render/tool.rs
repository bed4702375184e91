//! A program of others that makes manifests. It gets an empty home, no environment and no
//! network, so that it gives the same on every host: no plugin, no configuration and no
//! repository of the person who runs `lock` counts.
//!
//! util-linux' tools do that, as for kubeadm (`image/kubeadm/sandbox.rs`). Where a host does not
//! allow it, the program still runs: its answer is no worse, and a person has chosen the chart.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_YAML;
use bundle_format::search_path;
use bundle_format::text::brief;

use crate::program::{self, Limits};

/// The largest charts take some seconds.
const LIMITS: Limits = Limits { patience: Duration::from_secs(120), output: MAX_YAML };
/// Nothing listens there. Both programs are written in Go, which sends requests by the proxy
/// that these variables name, except those to this machine itself.
const NO_NETWORK: &str = "http://127.0.0.1:1";
/// The most memory for data. The largest charts take some hundred MiB.
const MEMORY: &str = "--data=4294967296";
/// What a program is put behind: the first that this host allows. A new network namespace has
/// no interface that is up, so that this machine's own servers are not there either.
const CONFINEMENTS: [&[&str]; 4] = [
    &["prlimit", MEMORY, "--core=0", "unshare", "--net", "--"],
    &["prlimit", MEMORY, "--core=0", "unshare", "--user", "--net", "--"],
    &["prlimit", MEMORY, "--core=0"],
    &[],
];

/// A program on this host.
pub(super) struct Tool {
    name: &'static str,
    path: PathBuf,
    confinement: &'static [&'static str],
}

impl Tool {
    /// The first program of this name on the `PATH`.
    pub(super) fn find(name: &'static str) -> Option<Self> {
        let path = search_path::find(name, &std::env::var_os("PATH")?)?;
        let confinement = CONFINEMENTS.into_iter().find(|words| is_possible(words));
        Some(Self { name, path, confinement: confinement.unwrap_or_default() })
    }

    /// What the program prints. It runs in the folder `home`, and may write there.
    pub(super) fn run<A: Into<OsString>>(
        &self,
        home: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut command = behind(self.confinement, &self.path);
        command.args(arguments.into_iter().map(Into::into)).current_dir(home);
        command.env("HOME", home).env("TMPDIR", home).stderr(Stdio::piped());
        command.env("HTTP_PROXY", NO_NETWORK).env("HTTPS_PROXY", NO_NETWORK);
        let done = program::run(&mut command, b"", LIMITS)
            .with_context(|| format!("running {}", self.path.display()))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.errors).into_owned();
            let said: Vec<&str> =
                said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            bail!("`{}` says: {}", self.name, brief(&without(&said.join("; "), home)));
        }
        Ok(done.output)
    }
}

/// Whether a program runs behind these words here.
fn is_possible(words: &[&str]) -> bool {
    let mut command = behind(words, Path::new("true"));
    command.stderr(Stdio::null());
    program::run(&mut command, b"", LIMITS).is_ok_and(|done| done.status.success())
}

/// A command without environment, so that the words are looked for where every system has them.
fn behind(words: &[&str], program: &Path) -> Command {
    let mut command = match words {
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        [] => Command::new(program),
    };
    command.env_clear();
    command
}

/// What a program said, without the path of a folder that is gone when a person reads it.
fn without(said: &str, home: &Path) -> String {
    said.replace(&format!("{}/", home.display()), "")
}
