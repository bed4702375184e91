//! Asking a program about files before they are put in place.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

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
        let real = self.path(folder);
        // Left by a run that was killed, or a link that somebody else made.
        let clear = || -> io::Result<()> {
            match fs::remove_dir_all(&real) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        };
        let lay = || -> io::Result<()> {
            clear()?;
            real.parent().map_or(Ok(()), fs::create_dir_all)?;
            DirBuilder::new().mode(0o700).create(&real)?;
            for (path, text) in files {
                let mut options = OpenOptions::new();
                let mut file =
                    options.write(true).create_new(true).mode(0o600).open(self.path(path))?;
                file.write_all(text.as_bytes())?;
            }
            Ok(())
        };
        let laid = lay().with_context(|| format!("writing into {folder}"));
        let said = laid.and_then(|()| self.answer(command));
        clear().with_context(|| format!("removing {folder}"))?;
        said
    }
}
