//! Editing containerd's configuration: single keys are set, and everything else in
//! its files stays.

use bundle_format::ImageReference;
use bundle_format::cluster::CgroupDriver;
use toml_edit::Item;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::files::Files;
use crate::node::containerd::keys::{is_cri, keys_of};
use crate::node::containerd::source::Source;
use crate::node::containerd::table::at;
use crate::node::containerd::{format, registries, runtimes};
use crate::node::paths::CRI_SOCKET;

/// What Kubernetes needs.
pub(crate) struct Wanted<'a> {
    /// The sandbox image.
    pub(crate) sandbox: Option<&'a ImageReference>,
    /// The cgroup driver.
    pub(crate) driver: CgroupDriver,
    /// The registries whose files we write.
    pub(crate) registries: Vec<String>,
}

/// Edits the files, and returns the registries' files to write.
pub(crate) fn configure(
    host: &Host,
    files: &mut Files,
    source: &Source,
    wanted: &Wanted<'_>,
) -> anyhow::Result<Vec<(String, String)>> {
    let format = format::unify(files)?;
    let keys = keys_of(&files.merged(), format, files.release);
    check_socket(files, source)?;
    enable_cri(files);
    if let Some(sandbox) = wanted.sandbox {
        files.set(keys.sandbox, &sandbox.to_string().into())?;
    }
    let moved = registries::configure(host, files, &keys, &wanted.registries)?;
    runtimes::configure(files, &keys, wanted.driver)?;
    Ok(moved)
}

/// Switches CRI on: Docker's packages of containerd switch it off. The lists of all
/// files are joined.
fn enable_cri(files: &mut Files) {
    for file in &mut files.list {
        let list = file.document.get_mut("disabled_plugins").and_then(Item::as_array_mut);
        if let Some(list) = list
            && list.iter().any(|plugin| plugin.as_str().is_some_and(is_cri))
        {
            list.retain(|plugin| !plugin.as_str().is_some_and(is_cri));
        }
    }
}

/// Refuses another socket: kubelet and crictl use the usual one.
fn check_socket(files: &Files, source: &Source) -> Result<(), Failure> {
    let usual = CRI_SOCKET.trim_start_matches("unix://");
    let merged = files.merged();
    let places =
        [&["grpc", "address"][..], &["plugins", "io.containerd.server.v1.grpc", "address"]];
    let mut told = places.iter().filter_map(|path| at(&merged, path)?.as_str());
    let Some(other) = source.address.as_deref().or_else(|| told.next()) else { return Ok(()) };
    let is_usual = other.strip_prefix("/var").unwrap_or(other) == usual;
    if is_usual || other.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!("containerd listens at {other}, but kubelet uses another socket"),
        format!("remove the address from its configuration and unit; the usual one is {usual}"),
    ))
}
