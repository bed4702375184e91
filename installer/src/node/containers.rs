//! The running containers of the control plane's pods. containerd is asked, because the
//! API server may not answer.

use crate::failure::Failure;
use crate::host::Host;

/// Those of these names, each with its ID, in the order of the names. An error if
/// containerd does not say.
pub(crate) fn running(
    host: &Host,
    names: &[&'static str],
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let tasks = ask(host, "ctr -n k8s.io tasks list")?;
    let tasks = ids(&tasks);
    let mut found = Vec::new();
    for name in names {
        // The labels by which kubelet finds them too.
        let filter = format!(
            "labels.\"io.kubernetes.pod.namespace\"==kube-system,\
             labels.\"io.kubernetes.container.name\"=={name}"
        );
        let all = ask(host, &format!("ctr -n k8s.io containers list --quiet {filter}"))?;
        let ids = all.lines().map(str::trim).filter(|id| tasks.contains(id));
        found.extend(ids.map(|id| (*name, id.to_owned())));
    }
    Ok(found)
}

/// The images of the running containers of `kube-system`, without those of sandboxes. An
/// error if containerd does not say.
pub(crate) fn images(host: &Host) -> anyhow::Result<Vec<String>> {
    let tasks = ask(host, "ctr -n k8s.io tasks list")?;
    let tasks = ids(&tasks);
    let filter = "labels.\"io.kubernetes.pod.namespace\"==kube-system,\
                  labels.\"io.cri-containerd.kind\"==container";
    let all = ask(host, &format!("ctr -n k8s.io containers list {filter}"))?;
    // `CONTAINER IMAGE RUNTIME`, with a heading.
    let image = |line: &str| match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [id, image, _] if tasks.contains(&id) => Some(image.to_owned()),
        _ => None,
    };
    Ok(all.lines().filter_map(image).collect())
}

/// The IDs of the running ones in the list of tasks.
fn ids(tasks: &str) -> Vec<&str> {
    let running = |line| match str::split_ascii_whitespace(line).collect::<Vec<_>>()[..] {
        [id, _, "RUNNING"] => Some(id),
        _ => None,
    };
    tasks.lines().filter_map(running).collect()
}

fn ask(host: &Host, line: &str) -> anyhow::Result<String> {
    let said = host.query(line);
    if said.succeeded() {
        return Ok(said.stdout);
    }
    Err(Failure::new(
        format!("containerd does not say what runs: {}", said.stderr.trim()),
        "`installer doctor` says why",
    )
    .into())
}
