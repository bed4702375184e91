//! Debian's rpm as a judge of packages.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::node::folder;
use crate::vendor::VENDORS;

/// rpm with a database of its own, which has the vendors' keys.
pub(crate) struct Rpmkeys {
    folder: TempDir,
}

impl Rpmkeys {
    /// `None` if there is no rpm.
    pub(crate) fn start() -> Option<Self> {
        let rpm = Self { folder: folder() };
        rpm.run(&["--version"])?;
        for key in VENDORS.public() {
            let path = rpm.folder.path().join("key");
            fs::write(&path, key).expect("there is room");
            let imported = rpm.run(&["--import", path.to_str().expect("it is a text")])?;
            assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        }
        Some(rpm)
    }

    /// Whether a package is good and signed. If it is not, what is wrong with it.
    pub(crate) fn judge(&self, package: &[u8]) -> Result<(), String> {
        let path = self.folder.path().join("odd.rpm");
        fs::write(&path, package).expect("there is room");
        let path = path.to_str().expect("it is a text");
        let said = self.run(&["--checksig", "--verbose", path]).expect("it ran before");
        let lines = [said.stdout, said.stderr].concat();
        let lines = String::from_utf8_lossy(&lines);
        let wrong: Vec<&str> = lines.lines().map(str::trim).filter(|line| is_wrong(line)).collect();
        match said.status.success() {
            true => Ok(()),
            false => Err(wrong.join("; ").replace(path, "it")),
        }
    }

    fn run(&self, arguments: &[&str]) -> Option<Output> {
        let mut command = Command::new("rpmkeys");
        command.arg("--dbpath").arg(self.folder.path().join("db"));
        // Without this, a package that nobody signed is good.
        command.args(["--define", "_pkgverify_level all"]).args(arguments);
        command.env("LC_ALL", "C").output().ok()
    }
}

fn is_wrong(line: &str) -> bool {
    !line.ends_with(": OK") && !line.ends_with(':') && !line.is_empty()
}
