//! Asking a program about files before they are put in place.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context;

use super::Host;
use crate::exec::{Command, Output};

impl Host {
    /// Asks a command about files in a folder that only root can read, and that
    /// is removed afterwards.
    pub(crate) fn try_out(
        &self,
        folder: &str,
        files: &[(String, String)],
        command: &Command,
    ) -> anyhow::Result<Output> {
        self.with_folder(folder, |_| {
            for (path, text) in files {
                let mut options = OpenOptions::new();
                let file = options.write(true).create_new(true).mode(0o600).open(self.path(path));
                let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
                written.with_context(|| format!("writing {path}"))?;
            }
            self.answer(command)
        })
    }

    /// Does something with an empty folder that only root can read, and that is removed
    /// afterwards. It is given as it is on this system.
    pub(crate) fn with_folder<T>(
        &self,
        folder: &str,
        act: impl FnOnce(&Path) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let real = self.path(folder);
        // Left by a run that was killed, or a link that somebody else made.
        let clear = || match fs::remove_dir_all(&real) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {folder}"))
            }
            _ => Ok(()),
        };
        let make = || -> io::Result<()> {
            real.parent().map_or(Ok(()), fs::create_dir_all)?;
            DirBuilder::new().mode(0o700).create(&real)
        };
        clear()?;
        let made = make().with_context(|| format!("making {folder}"));
        let done = made.and_then(|()| act(&real));
        clear()?;
        done
    }
}
