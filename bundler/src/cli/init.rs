//! `bundler init`: writes a first spec.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::report;

/// The spec with comments that explain it.
const TEMPLATE: &str = include_str!("../../../manifests/init.yaml");

/// Writes a first spec, with comments that explain it
#[derive(Args)]
pub(super) struct Arguments {
    /// The spec to write; an existing file is never overwritten. `-` prints it
    #[arg(default_value = "bundle.yaml")]
    spec: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = &arguments.spec;
    if path.as_os_str() == "-" {
        return report::data(TEMPLATE);
    }
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o644).open(path)?;
        // A file that could not be written whole is removed.
        file.write_all(TEMPLATE.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(path)))
    };
    match write() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} exists already and stays as it is: name another file, such as `bundler init \
             another.yaml`, or remove it first",
            path.display()
        ),
        result => result.with_context(|| format!("writing {}", path.display()))?,
    }
    report::notice(&format!(
        "wrote {}; edit it, then run `bundler lock` and `bundler build`",
        path.display()
    ));
    Ok(())
}
