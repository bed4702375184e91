//! What containerd is told, of what kubelet depends on.

use anyhow::Context;
use bundle_format::cluster::CgroupDriver;
use toml_edit::{DocumentMut, Item, Table};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::files::{Files, at, strings};
use crate::node::containerd::keys::{Keys, is_cri, keys, keys_of};
use crate::node::containerd::registries;
use crate::node::containerd::release::Release;
use crate::node::containerd::source::source;
use crate::node::containerd::{format, runtimes};
use crate::node::paths::REGISTRIES;

/// What it is told.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its configuration's main file.
    pub(crate) path: String,
    /// Whether CRI is switched off.
    pub(crate) cri_is_off: bool,
    /// The sandbox image, where it is named.
    pub(crate) sandbox: Option<String>,
    /// The default runtime.
    pub(crate) runtime: String,
    /// The runtimes that make control groups by a driver, the default one first.
    pub(crate) drivers: Vec<(String, CgroupDriver)>,
    /// Whether it looks for registries in the folder, and is told of none elsewhere.
    pub(crate) has_folder: bool,
}

impl Told {
    /// Reads what containerd says, which is in the format of its own.
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
            // Of a plugin that is off containerd says nothing.
            sandbox: sandbox.filter(|_| !cri_is_off),
            runtime: runtimes::chosen(whole, keys),
            drivers: if cri_is_off { Vec::new() } else { runtimes::drivers(whole, keys) },
            has_folder: folders.split(':').any(|folder| folder == REGISTRIES)
                && !registries::exclude(whole, keys),
        }
    }
}

/// The command by which containerd says what its configuration comes to.
pub(crate) fn dump(path: &str) -> Command {
    Command::of("containerd --config").with(path).with("config").with("dump")
}

/// What containerd says of its configuration. Where it is not there, what its files
/// say. An error of its own is why it cannot read them.
pub(crate) fn told(host: &Host) -> anyhow::Result<Result<Told, Failure>> {
    let path = source(host)?.path;
    let said = host.answer(&dump(&path))?;
    if said.succeeded() {
        let whole: DocumentMut = said.stdout.parse().context("reading what containerd says")?;
        return Ok(Ok(Told::of_dump(&path, whole.as_table())));
    }
    match read(host, &path) {
        // Which line it is about nobody says better.
        Err(error) => return Ok(Err(Failure::of(&error))),
        Ok(told) if said.status == Some(127) => return Ok(Ok(told)),
        Ok(_) => {}
    }
    let reason = said.reason().unwrap_or("it does not say why");
    let reason = reason.strip_prefix("containerd: ").unwrap_or(reason);
    Ok(Err(Failure::new(
        format!("containerd cannot read its configuration, {path}: {reason}"),
        "mend it; or move it away, and this program writes a new one",
    )))
}

/// What the files say, as a containerd reads them that reads their format.
fn read(host: &Host, path: &str) -> anyhow::Result<Told> {
    let mut files = files(host, path)?;
    let format = format::unify(&mut files)?;
    let merged = files.merged();
    Ok(Told::of(path, &merged, &keys_of(&merged, format, files.release)))
}

/// What the files of its configuration come to, without what containerd adds.
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
