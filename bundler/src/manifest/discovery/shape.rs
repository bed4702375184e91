//! The form of an image reference, and of texts that only look like one.

use bundle_format::ImageReference;

/// How much a text by itself looks like an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// It is not like an image.
    None,
    /// It parses as a reference, as most words do: `busybox`.
    Word,
    /// It has a path, a tag or a digest: `rancher/pause:3.6`.
    Path,
    /// It has a host, a path, and a tag or digest: `quay.io/calico/cni:v3.31.7`.
    Full,
}

/// Judges `text`, and reads it.
pub(super) fn judge(text: &str) -> (Shape, Option<ImageReference>) {
    let none = (Shape::None, None);
    if text.contains("://") || text.starts_with(['/', '.']) {
        return none;
    }
    let Ok(reference) = text.parse::<ImageReference>() else { return none };
    let (before_digest, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let last = before_digest.rsplit('/').next().unwrap_or(before_digest);
    let tag = last.split_once(':').map(|(_, tag)| tag);
    if is_no_image(&reference) {
        return none;
    }
    let pinned = tag.is_some() || digest.is_some();
    let shape = if has_host(before_digest) && pinned {
        Shape::Full
    } else if before_digest.contains('/') || pinned {
        Shape::Path
    } else {
        Shape::Word
    };
    (shape, Some(reference))
}

/// Whether the first segment of a path is a registry and not a folder (distribution's
/// `reference/normalize.go`): it has a dot or a port, or is `localhost`. The last
/// label of a host is never a number, unless all labels are.
fn is_host(first: &str) -> bool {
    let (name, port) = match first.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (first, None),
    };
    if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return false;
    }
    name == "localhost"
        || port.is_some()
        || (name.contains('.') && !name.ends_with('.') && !name.starts_with('.'))
}

/// Whether `text` has a tag or a digest of its own.
pub(super) fn is_pinned(text: &str) -> bool {
    text.contains('@') || text.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// Whether `text` begins with a registry.
pub(super) fn has_host(text: &str) -> bool {
    text.split_once('/').is_some_and(|(first, _)| is_host(first))
}

/// Whether `text` has the form of an image, but is a label with its value, a taint,
/// or a path on a code host.
fn is_no_image(reference: &ImageReference) -> bool {
    let value = matches!(
        reference.tag(),
        Some("NoSchedule" | "PreferNoSchedule" | "NoExecute" | "true" | "false")
    );
    let host = reference.registry();
    let is_within = |domain| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    // Kubernetes uses `kubernetes.io` for labels, and `registry.k8s.io` for
    // images.
    let other = is_within("kubernetes.io") || ["github.com", "gitlab.com"].contains(&host);
    value || other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let cases = [
            ("busybox", Shape::Word),
            ("rancher/pause", Shape::Path),
            ("busybox:1.36", Shape::Path),
            ("quay.io/calico/cni:v3.31.7", Shape::Full),
            ("localhost:5000/a:b", Shape::Full),
            ("registry.k8s.io/a/b", Shape::Path),
            ("https://quay.io/a:b", Shape::None),
            ("/var/lib/x:y", Shape::None),
            ("./a/b:c", Shape::None),
            ("a b", Shape::None),
            ("{{ .Image }}", Shape::None),
            ("$(IMAGE)", Shape::None),
            ("", Shape::None),
            ("--x=y", Shape::None),
            ("node-role.kubernetes.io/master:NoSchedule", Shape::None),
            ("dedicated.example.com/gpu:true", Shape::None),
            ("node.cilium.io/agent-not-ready:NoExecute", Shape::None),
            ("github.com/a/b:v1", Shape::None),
            ("registry.k8s.io/pause:3.9", Shape::Full),
            ("MyReg/x:1", Shape::Path),
        ];
        for (text, shape) in cases {
            assert_eq!(judge(text).0, shape, "{text}");
        }
    }
}
