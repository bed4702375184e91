//! Asking containerd about new files before they replace the old ones. A
//! configuration that it cannot read, or reads otherwise, must not stop a containerd
//! that works.

use anyhow::Context;
use toml_edit::{Array, DocumentMut, Item};

use super::edit::Wanted;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::files::Files;
use crate::node::containerd::told::{Told, dump};

/// The folder for the new files. It is gone after the next boot, whatever happens.
const FOLDER: &str = "/run/kubeferry-containerd";

/// Refuses files that containerd cannot read, or reads otherwise.
pub(super) fn check(host: &Host, files: &Files, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let place = |number: usize| format!("{FOLDER}/{number}.toml");
    // In containerd's order.
    let imports: Array = (1..files.list.len()).map(place).collect();
    let mut texts = Vec::new();
    for (number, file) in files.list.iter().enumerate() {
        let mut document = file.document.clone();
        document.remove("imports");
        if number == 0 && !imports.is_empty() {
            document.insert("imports", Item::Value(imports.clone().into()));
        }
        texts.push((place(number), document.to_string()));
    }
    let said = host.try_out(FOLDER, &texts, &dump(&place(0)))?;
    if said.status == Some(127) {
        // containerd is not installed yet.
        return Ok(());
    }
    let cure = "nothing was changed; fix its files, or move them away, and this program writes \
                a new one";
    if !said.succeeded() {
        let mut reason = said.reason().unwrap_or("it does not say why").to_owned();
        for (number, file) in files.list.iter().enumerate() {
            reason = reason.replace(&place(number), &file.path.display().to_string());
        }
        let what = format!("containerd would refuse its new configuration: {reason}");
        return Err(Failure::new(what, cure).into());
    }
    let whole: DocumentMut = said.stdout.parse().context("reading what containerd says")?;
    match difference(&Told::of_dump(&place(0), whole.as_table()), wanted) {
        None => Ok(()),
        Some(what) => {
            let what = format!("containerd would not do what its new configuration says: {what}");
            Err(Failure::new(what, cure).into())
        }
    }
}

/// The first setting that would not take effect.
fn difference(told: &Told, wanted: &Wanted<'_>) -> Option<String> {
    let sandbox = wanted.sandbox.map(ToString::to_string);
    let other = told.drivers.iter().find(|(_, driver)| *driver != wanted.driver);
    if told.cri_is_off {
        Some("its CRI plugin would be off".to_owned())
    } else if sandbox.is_some() && told.sandbox != sandbox {
        Some(format!("its sandbox image would be {}", told.sandbox.as_deref().unwrap_or("none")))
    } else if let Some((name, driver)) = other {
        Some(format!("its runtime {name} would use {driver} for control groups"))
    } else if !told.has_folder {
        Some("it would look for registries elsewhere".to_owned())
    } else {
        None
    }
}
