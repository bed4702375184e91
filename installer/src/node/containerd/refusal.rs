//! Why CRI did not load, which containerd knows.

use crate::host::Host;

/// The reason; none where it has loaded, or containerd does not say.
pub(crate) fn refusal(host: &Host) -> Option<String> {
    let said = host.query("ctr plugins ls --detailed");
    said.succeeded().then(|| of(&said.stdout)).flatten()
}

/// Of what `ctr plugins ls --detailed` prints: a paragraph a plugin. Where a part of
/// CRI fails, those that need it say only that.
fn of(text: &str) -> Option<String> {
    let mut reasons = Vec::new();
    let (mut kind, mut id) = ("", "");
    for line in text.lines() {
        let line = line.trim();
        let value = |key| line.strip_prefix(key).map(str::trim);
        if let Some(value) = value("Type:") {
            kind = value;
        } else if let Some(value) = value("ID:") {
            id = value;
        } else if let Some(value) = value("Message:") {
            let is_cri = kind == "io.containerd.grpc.v1" && id == "cri";
            if is_cri || kind == "io.containerd.cri.v1" {
                reasons.push(value);
            }
        }
    }
    let is_own = |reason: &&&str| !reason.starts_with("unable to load CRI");
    reasons.iter().find(is_own).or(reasons.first()).map(|reason| (*reason).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_that_of_the_part_that_failed() {
        let part = |kind: &str, id: &str, message: &str| {
            format!(
                "Type:       {kind}\nID:       {id}\nError:\n   Code:   Unknown\n   Message:   {message}\n\n"
            )
        };
        let cri = part("io.containerd.grpc.v1", "cri", "unable to load CRI image service: x");
        let images = part("io.containerd.cri.v1", "images", "`mirrors` cannot be set");
        let other = part("io.containerd.snapshotter.v1", "zfs", "skip plugin");
        assert_eq!(
            of(&format!("{other}{cri}{images}")).as_deref(),
            Some("`mirrors` cannot be set")
        );
        assert_eq!(of(&other), None);
    }
}
