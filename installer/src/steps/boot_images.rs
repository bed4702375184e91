//! The images that the control plane starts from. If one is missing, `kubeadm init`
//! waits for minutes and then blames kubelet.

use std::collections::BTreeSet;

use bundle_format::layout;
use bundle_format::lock::LockedImage;

use super::images;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::containerd::told;
use crate::node::kubeadm;

/// Why kubeadm would wait in vain: an image of its own list is not in the bundle, or
/// not in containerd under exactly that name; or containerd starts pods with another
/// pause image.
pub(crate) fn refusal(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let wanted = match wanted(host, intent) {
        Ok(wanted) => wanted,
        Err(failure) => return Ok(Some(failure)),
    };
    if let Some(failure) = absent(host, intent, &wanted) {
        return Ok(Some(failure));
    }
    let told = match told::told(host)? {
        Ok(told) => told,
        Err(failure) => return Ok(Some(failure)),
    };
    let (path, sandbox) = (told.path, told.sandbox);
    let is_pause =
        |name: &&String| name.rsplit('/').next().is_some_and(|own| own.starts_with("pause:"));
    let pause = wanted.iter().find(is_pause);
    Ok(pause.filter(|pause| sandbox.as_deref() != Some(pause.as_str())).map(|pause| {
        let own = sandbox.as_deref().unwrap_or("none");
        Failure::new(
            format!("the sandbox image of {path} is {own}, and kubeadm's is {pause}"),
            format!(
                "run this again without `--skip containerd`; if that does not mend it, the bundle \
                 names another: list {pause} alone of its kind under `images` in its spec"
            ),
        )
    }))
}

/// The same without containerd's pause image, which an upgrade sets later.
pub(crate) fn lacking(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    Ok(match wanted(host, intent) {
        Ok(wanted) => absent(host, intent, &wanted),
        Err(failure) => Some(failure),
    })
}

/// kubeadm's own list.
fn wanted(host: &Host, intent: &Intent) -> Result<Vec<String>, Failure> {
    let command = list(intent);
    let said = host.query(&command);
    let lines = said.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
    let wanted: Vec<String> = lines.map(str::to_owned).collect();
    if said.succeeded() && !wanted.is_empty() {
        return Ok(wanted);
    }
    let last = said.reason().unwrap_or("it says nothing");
    Err(Failure::new(
        format!("kubeadm does not list its images: {last}"),
        format!("run `{command}`, fix what it says, and run this again"),
    ))
}

/// The failure if an image is not in the bundle, or not in containerd.
fn absent(host: &Host, intent: &Intent, wanted: &[String]) -> Option<Failure> {
    let bundled: BTreeSet<String> = intent.lock().images.iter().flat_map(names).collect();
    let lacking = |known: &BTreeSet<String>| -> Vec<&str> {
        wanted.iter().map(String::as_str).filter(|name| !known.contains(*name)).collect()
    };
    let unknown = lacking(&bundled);
    if !unknown.is_empty() {
        return Some(Failure::new(
            format!("kubeadm will start {}, which the bundle does not have", unknown.join(", ")),
            "on the connected host, make a new bundle with a newer bundler, or list these \
             images under `images` with `kubernetes: {kubeadmImages: listed}`",
        ));
    }
    let Some(present) = images::whole(host) else {
        return Some(Failure::new(
            "containerd does not say which images it has",
            "`ctr -n k8s.io images check` says why; fix that, and run this again",
        ));
    };
    let missing = lacking(&present);
    if !missing.is_empty() {
        return Some(Failure::new(
            format!("kubeadm will start {}, which containerd does not have", missing.join(", ")),
            "run this again without `--skip images`; `ctr -n k8s.io images check` says what is \
             there",
        ));
    }
    None
}

/// The command by which kubeadm lists the images of its configuration.
fn list(intent: &Intent) -> String {
    let settings = intent.settings();
    let repository = kubeadm::image_repository(settings.kubernetes, settings.sandbox)
        .map(|repository| format!(" --image-repository {repository}"))
        .unwrap_or_default();
    format!("kubeadm config images list --kubernetes-version v{}{repository}", settings.kubernetes)
}

fn names(image: &LockedImage) -> Vec<String> {
    layout::names(image).iter().map(ToString::to_string).collect()
}
