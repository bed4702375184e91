//! The password of a secret key: from a file, or asked for on the terminal. It is never in
//! an argument.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::input;
use clap::Args;

/// Where the password comes from.
#[derive(Args)]
pub(super) struct Password {
    /// The file with the key's password in its first line; asked for on the terminal if
    /// left out
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Password {
    /// The password of a key that exists.
    pub(super) fn read(&self) -> anyhow::Result<String> {
        self.of_file()?.map_or_else(|| ask("Password of the key: "), Ok)
    }

    /// A password for a new key.
    pub(super) fn choose(&self) -> anyhow::Result<String> {
        if let Some(password) = self.of_file()? {
            return Ok(password);
        }
        let password = ask("Password for the new key: ")?;
        if password.is_empty() {
            bail!("the password is empty; --no-password makes a key without one");
        }
        if ask("Repeat the password: ")? != password {
            bail!("the two passwords differ; nothing was written");
        }
        Ok(password)
    }

    fn of_file(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.password_file else { return Ok(None) };
        let text = input::named_text(path, input::WRITTEN_BY_HAND)
            .with_context(|| format!("reading the password in {}", path.display()))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            bail!("the first line of {} is empty: write the password there", path.display());
        }
        Ok(Some(password.to_owned()))
    }
}

fn ask(question: &str) -> anyhow::Result<String> {
    rpassword::prompt_password(question)
        .context("no terminal to ask for the key's password: give --password-file FILE")
}
