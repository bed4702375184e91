//! gpg in a folder of its own, on a day that a test chooses.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Whether there is no gpg here, with a word on it.
pub(crate) fn is_missing() -> bool {
    let found = Command::new("gpg").arg("--version").output();
    let is_missing = !found.is_ok_and(|output| output.status.success());
    if is_missing {
        println!("skipped: gpg is not installed");
    }
    is_missing
}

/// A gpg with its keys. Its agent ends with it.
pub(crate) struct Gpg {
    home: TempDir,
}

impl Gpg {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Runs it as if it were `at`, in seconds since 1970.
    pub(crate) fn run(&self, at: u64, arguments: &[&str]) -> Output {
        self.command(at).args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// The same, which must succeed; gives standard output.
    pub(crate) fn ok(&self, at: u64, arguments: &[&str]) -> String {
        let output = self.run(at, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "gpg {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `gpg --edit-key` and types `answers`, one a line.
    pub(crate) fn edit(&self, at: u64, key: &str, answers: &str) {
        self.answer(at, &["--edit-key", key], answers);
    }

    /// Runs what asks, and types `answers`, one a line.
    pub(crate) fn answer(&self, at: u64, arguments: &[&str], answers: &str) {
        let mut command = self.command(at);
        command.args(["--no-batch", "--command-fd", "0"]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The fingerprints of its key and of the subkeys.
    pub(crate) fn fingerprints(&self) -> Vec<String> {
        let text = self.ok(2_000_000_000, &["--with-colons", "--list-keys"]);
        let lines = text.lines().filter(|line| line.starts_with("fpr:"));
        lines.map(|line| line.split(':').nth(9).unwrap().to_owned()).collect()
    }

    /// The revocation that it writes beside each new key, with a colon before it
    /// so that nobody imports it by mistake.
    pub(crate) fn revocation(&self, fingerprint: &str) -> String {
        let path = self.folder().join(format!("openpgp-revocs.d/{fingerprint}.rev"));
        let text = fs::read_to_string(path).unwrap();
        let (_, revocation) = text.split_once(":-----BEGIN").unwrap();
        format!("-----BEGIN{revocation}")
    }

    fn command(&self, at: u64) -> Command {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(self.folder());
        command.args(["--batch", "--yes", "--no-tty", "--quiet", "--trust-model", "always"]);
        command.args(["--pinentry-mode", "loopback", "--passphrase", ""]);
        command.arg("--faked-system-time").arg(format!("{at}!"));
        command
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.arg("--homedir").arg(self.folder()).args(["--kill", "all"]);
        drop(command.output());
    }
}
