//! `bundler init`: writes a first spec, and the manifest of its ingress.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use bundle_format::output;
use clap::Args;

use super::print;

/// The spec with comments that explain it.
const TEMPLATE: &str = include_str!("../../../manifests/init.yaml");
/// The manifest that the spec names as a file beside it.
const INGRESS: &str = include_str!("../../../manifests/traefik.yaml");
const INGRESS_NAME: &str = "traefik.yaml";

/// Writes a first spec, with comments that explain it, and traefik.yaml beside it
#[derive(Args)]
pub(super) struct Arguments {
    /// The spec to write; an existing file is never overwritten. `-` prints it
    #[arg(default_value = "bundle.yaml")]
    spec: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = &arguments.spec;
    if path.as_os_str() == "-" {
        return print::data(TEMPLATE);
    }
    let ingress = path.with_file_name(INGRESS_NAME);
    if ingress == *path {
        bail!(
            "a spec cannot be called {INGRESS_NAME}, because its ingress is: name another file, \
             such as `bundler init bundle.yaml`"
        );
    }
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    output::existing_folder(path).with_context(|| format!("writing {}", path.display()))?;
    // Before the spec: without the ingress, that would be in the way of the next attempt.
    match write(&ingress, INGRESS) {
        // An earlier spec's, perhaps with the site's own changes.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            print::notice(&format!("{} exists already and stays as it is", ingress.display()));
        }
        result => result.with_context(|| format!("writing {}", ingress.display()))?,
    }
    match write(path, TEMPLATE) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(exists(path)),
        result => result.with_context(|| format!("writing {}", path.display()))?,
    }
    print::notice(&format!(
        "wrote {}; edit it, then run `bundler lock` and `bundler build`",
        path.display()
    ));
    Ok(())
}

fn exists(path: &Path) -> anyhow::Error {
    anyhow!(
        "{} exists already and stays as it is: name another file, such as `bundler init \
         another.yaml`, or remove it first",
        path.display()
    )
}

/// Writes a new file. A file that could not be written whole is removed.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file: File = options.write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(path)))
}
