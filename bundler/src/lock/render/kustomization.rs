//! The manifest of a Kustomization, by the real `kustomize`.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::lock::LockedRendering;
use bundle_format::text::brief;

use super::folder::Folder;
use super::made::Made;
use super::rendered::Rendered;
use super::tool::Tool;
use crate::lock::task::Task;
use crate::spec::{Kustomization, Manifest};

/// The manifest of a Kustomization. The file beside the spec is taken if it was made of the same
/// files. Else it is made now.
pub(super) fn render(
    task: &Task<'_>,
    manifest: &Manifest,
    own: &Kustomization,
) -> anyhow::Result<Rendered> {
    let folder = Folder::read(&task.file.beside(&own.folder))?;
    let overlay = own.overlay.as_deref().unwrap_or(".");
    let from = Digest::of(format!("overlay {overlay}\nfolder {}", folder.digest()).as_bytes());
    let made = match Made::kept(task, &manifest.name, from)? {
        Some(made) => made,
        None => make(&folder, overlay, from)?,
    };
    Ok(Rendered { text: made.text(), by: made.by, chart: None, warning: None })
}

fn make(folder: &Folder, overlay: &str, from: Digest) -> anyhow::Result<Made> {
    let Some(tool) = Tool::find("kustomize") else {
        bail!(
            "it is a Kustomization, and this host has no `kustomize` on the PATH: install kustomize \
             5, or lock on a host that has it"
        );
    };
    let home = tempfile::tempdir().context("making a temporary folder")?;
    let home = home.path();
    let version = tool.run(home, ["version"])?;
    let version = brief(String::from_utf8_lossy(&version).trim());
    if !version.starts_with("v5.") {
        bail!("`kustomize` calls itself {version}: install kustomize 5");
    }
    // A copy, so that it sees nothing that is outside the folder.
    let copy = folder.write(&home.join("folder")).context("copying the Kustomization")?;
    let objects = build(&tool, &copy.join(overlay), home)?;
    Ok(Made {
        by: LockedRendering { by: format!("kustomize {version}"), chart: None },
        from,
        archive: None,
        left_out: Vec::new(),
        differs: Vec::new(),
        objects,
    })
}

fn build(tool: &Tool, overlay: &Path, home: &Path) -> anyhow::Result<String> {
    let arguments: [OsString; 4] = [
        "build".into(),
        overlay.into(),
        "--load-restrictor".into(),
        "LoadRestrictionsRootOnly".into(),
    ];
    let answer = tool.run(home, arguments).context(
        "building the Kustomization, which may name files of its folder only: fetch what is \
         elsewhere into it",
    )?;
    String::from_utf8(answer).context("what `kustomize` made is not UTF-8")
}
