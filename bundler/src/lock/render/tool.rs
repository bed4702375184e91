//! A program of others that makes manifests. It gets an empty home, no environment and no
//! other host, so that it gives the same on every host: no plugin, no configuration and no
//! repository of the person who runs `lock` counts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_YAML;
use bundle_format::text::brief;

use crate::program::{self, Limits};

/// The largest charts take some seconds.
const LIMITS: Limits = Limits { patience: Duration::from_secs(120), output: MAX_YAML };
/// Nothing listens there. Both programs are written in Go, which sends requests by the proxy
/// that these variables name, except those to this machine itself.
const NO_NETWORK: &str = "http://127.0.0.1:1";

/// A program on this host.
pub(super) struct Tool {
    name: &'static str,
    path: PathBuf,
}

impl Tool {
    /// The first program of this name on the `PATH`.
    pub(super) fn find(name: &'static str) -> Option<Self> {
        let folders = std::env::var_os("PATH")?;
        let mut paths = std::env::split_paths(&folders).map(|folder| folder.join(name));
        let path = paths.find(|path| path.is_absolute() && path.is_file())?;
        Some(Self { name, path })
    }

    /// What the program prints. It runs in the folder `home`, and may write there.
    pub(super) fn run<A: Into<OsString>>(
        &self,
        home: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.path);
        command.args(arguments.into_iter().map(Into::into)).current_dir(home).env_clear();
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

/// What a program said, without the path of a folder that is gone when a person reads it.
fn without(said: &str, home: &Path) -> String {
    said.replace(&format!("{}/", home.display()), "")
}
