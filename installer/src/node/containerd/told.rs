//! What containerd's configuration says of the things that kubelet depends on.

use anyhow::Context;
use bundle_format::cluster::CgroupDriver;
use toml_edit::{DocumentMut, Item, Table};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::files::Files;
use crate::node::containerd::keys::{Keys, is_cri, keys, keys_of};
use crate::node::containerd::release::Release;
use crate::node::containerd::source::source;
use crate::node::containerd::table::{at, strings};
use crate::node::containerd::{format, registries, runtimes};
use crate::node::paths::REGISTRIES;

/// The settings.
#[derive(Debug)]
pub struct Told {
    /// The main configuration file.
    pub path: String,
    /// Whether CRI is switched off.
    pub cri_is_off: bool,
    /// The sandbox image, if it is set.
    pub sandbox: Option<String>,
    /// The default runtime.
    pub runtime: String,
    /// The cgroup driver of each runtime that has one, the default runtime first.
    pub drivers: Vec<(String, CgroupDriver)>,
    /// Whether it reads registries' files from our folder, and has no settings
    /// that CRI refuses beside it.
    pub has_folder: bool,
}

impl Told {
    /// Reads the output of `config dump`, which is in containerd's newest format.
    pub(crate) fn of_dump(path: &str, whole: &Table) -> Self {
        Self::of(path, whole, &keys(whole.get("version").and_then(Item::as_integer).unwrap_or(2)))
    }

    fn of(path: &str, whole: &Table, keys: &Keys) -> Self {
        let folders = at(whole, &[keys.registry, &["config_path"]].concat());
        let folders = folders.and_then(Item::as_str).unwrap_or_default();
        let disabled = strings(whole.get("disabled_plugins"));
        let cri_is_off = disabled.iter().any(|name| is_cri(name));
        let sandbox = at(whole, keys.sandbox).and_then(Item::as_str).map(str::to_owned);
        Self {
            path: path.to_owned(),
            cri_is_off,
            // containerd says nothing of a plugin that is off.
            sandbox: sandbox.filter(|_| !cri_is_off),
            runtime: runtimes::chosen(whole, keys),
            drivers: if cri_is_off { Vec::new() } else { runtimes::drivers(whole, keys) },
            has_folder: folders.split(':').any(|folder| folder == REGISTRIES)
                && !registries::exclude(whole, keys),
        }
    }
}

/// The command by which containerd prints its merged configuration.
pub(crate) fn dump(path: &str) -> Command {
    Command::of("containerd --config").with(path).with("config").with("dump")
}

/// What containerd says of its configuration; if it is not installed, what its files
/// say. The inner error says why the files cannot be read.
pub fn told(host: &Host) -> anyhow::Result<Result<Told, Failure>> {
    let path = source(host)?.path;
    let said = host.answer(&dump(&path))?;
    if said.succeeded() {
        let whole: DocumentMut = said.stdout.parse().context("reading what containerd says")?;
        return Ok(Ok(Told::of_dump(&path, whole.as_table())));
    }
    match read(host, &path) {
        // Our own error names the line, which containerd's does not.
        Err(error) => return Ok(Err(Failure::of(&error))),
        Ok(told) if said.status == Some(127) => return Ok(Ok(told)),
        Ok(_) => {}
    }
    let reason = said.reason().unwrap_or("it does not say why");
    let reason = reason.strip_prefix("containerd: ").unwrap_or(reason);
    Ok(Err(Failure::new(
        format!("containerd cannot read its configuration, {path}: {reason}"),
        "fix it; or move it away, and this program writes a new one",
    )))
}

/// Reads the files as a release of containerd would that knows their format.
fn read(host: &Host, path: &str) -> anyhow::Result<Told> {
    let mut files = files(host, path)?;
    let format = format::unify(&mut files)?;
    let merged = files.merged();
    Ok(Told::of(path, &merged, &keys_of(&merged, format, files.release)))
}

/// The merged files, without containerd's defaults.
pub(crate) fn configuration(host: &Host) -> anyhow::Result<Table> {
    Ok(files(host, &source(host)?.path)?.merged())
}

fn files(host: &Host, path: &str) -> anyhow::Result<Files> {
    let files = Files::read(host, path, Release::OLD)?;
    let newest = files.list.iter().filter_map(|file| file.document.get("version")?.as_integer());
    match newest.max().is_some_and(|format| format > 2) {
        true => Files::read(host, path, Release::NEWEST),
        false => Ok(files),
    }
}
