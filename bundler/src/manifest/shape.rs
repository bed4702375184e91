//! What the text of an image reference looks like, and what only looks like one.

use bundle_format::ImageReference;

/// How sure the text alone makes us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Nothing like an image.
    None,
    /// It parses as a reference, as most words do: `busybox`.
    Word,
    /// It has a path, a tag or a digest: `rancher/pause:3.6`.
    Path,
    /// It has a host, a path, and a tag or digest: `quay.io/calico/cni:v3.31.7`.
    Full,
}

/// Judges `text`, and reads it.
pub fn judge(text: &str) -> (Shape, Option<ImageReference>) {
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
    let host = before_digest.split_once('/').map(|(first, _)| first).filter(|first| is_host(first));
    let pinned = tag.is_some() || digest.is_some();
    let shape = if host.is_some() && pinned {
        Shape::Full
    } else if before_digest.contains('/') || pinned {
        Shape::Path
    } else {
        Shape::Word
    };
    (shape, Some(reference))
}

/// Whether the first segment of a path is a registry rather than a folder
/// (distribution's `reference/normalize.go`): it has a dot or a port, or is
/// `localhost`. A host's last label is never a number unless all are.
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

/// Whether the name of a field, variable or flag says that an image stands in
/// it: `image`, `spec.solverImage`, `RELATED_IMAGE_CNI`, `--executor-image`.
pub fn names_an_image(name: &str) -> bool {
    let words = words(name);
    let image = words.iter().any(|word| word == "image" || word == "images");
    let other = [
        "pull",
        "policy",
        "secret",
        "secrets",
        "repository",
        "repo",
        "registry",
        "registries",
        "tag",
        "version",
        "prefix",
        "prefixes",
        "digest",
        "id",
        "size",
        "format",
        "type",
        "user",
        "gc",
        "path",
        "dir",
        "hash",
        "name",
        "filesystem",
        "service",
        "mode",
    ];
    image && !words.iter().any(|word| other.contains(&word.as_str()) && !is_image_name(name))
}

/// `imageName` is how some operators spell `image`.
fn is_image_name(name: &str) -> bool {
    matches!(name, "imageName" | "image_name" | "IMAGE_NAME")
}

/// The words of `solverImage`, `RELATED_IMAGE_CNI` and `--executor-image`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
            previous_lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && previous_lower {
            words.push(String::new());
        }
        previous_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
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
        ];
        for (text, shape) in cases {
            assert_eq!(judge(text).0, shape, "{text}");
        }
    }

    #[test]
    fn names() {
        for name in [
            "image",
            "baseImage",
            "RELATED_IMAGE_CNI",
            "--executor-image",
            "CSI_IMAGE",
            "queue-sidecar-image",
            "imageName",
        ] {
            assert!(names_an_image(name), "{name}");
        }
        for name in [
            "imagePullPolicy",
            "imagePullSecrets",
            "image-pull-secret",
            "imageID",
            "IMAGE_TAG",
            "imagination",
            "imageRepository",
        ] {
            assert!(!names_an_image(name), "{name}");
        }
    }
}
