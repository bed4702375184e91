//! What the name of a field, a variable or a flag says about its value.

/// Words that, right behind `image` in a name, show that the value is not an image.
const OF_SOMETHING_ELSE: [&str; 40] = [
    "pull",
    "puller",
    "pulls",
    "policy",
    "policies",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "repository",
    "repositories",
    "repo",
    "registry",
    "registries",
    "tag",
    "tags",
    "version",
    "prefix",
    "prefixes",
    "suffix",
    "digest",
    "digests",
    "id",
    "size",
    "format",
    "type",
    "user",
    "gc",
    "path",
    "dir",
    "hash",
    "filesystem",
    "fs",
    "service",
    "mode",
    "pattern",
    "patterns",
    "allowlist",
    "stream",
    "cache",
];

/// Whether the name of a field, variable or flag says that its value is an image:
/// `image`, `spec.solverImage`, `RELATED_IMAGE_CNI`, `--executor-image`,
/// `VM_RELOADERIMAGE`; not `imagePullPolicy` or `IMAGE_TAG`.
pub(super) fn names_an_image(name: &str) -> bool {
    if is_a_file(name) {
        return false;
    }
    let words = words(name);
    // Any words after this prefix only say what the image is for.
    if words.starts_with(&["related".to_owned(), "image".to_owned()]) {
        return true;
    }
    let last = words.iter().rposition(|word| word.ends_with("image") || word.ends_with("images"));
    last.is_some_and(|last| {
        words.get(last + 1).is_none_or(|next| !OF_SOMETHING_ELSE.contains(&next.as_str()))
    })
}

/// Whether the mapping with this name is an image in parts, and not settings about
/// images: `image`, `baseImage`, `imageRef`; not `imageScanner`.
pub(super) fn is_an_image(name: &str) -> bool {
    names_an_image(name)
        && words(name).last().is_some_and(|last| {
            last.ends_with("image")
                || last.ends_with("images")
                || matches!(last.as_str(), "ref" | "reference" | "spec")
        })
}

/// Whether the name is that of a file, whose text is not an image. A file that is
/// named after several images may hold a list of them.
fn is_a_file(name: &str) -> bool {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("yaml" | "yml" | "json" | "txt") => !name.contains("images"),
        Some("sh" | "py" | "toml" | "conf" | "cfg" | "ini" | "properties" | "xml" | "tpl") => true,
        _ => false,
    }
}

/// Whether the name is that of several images: `images`, `KAFKA_IMAGES_JSON`.
pub(super) fn names_images(name: &str) -> bool {
    names_an_image(name) && words(name).iter().any(|word| word.ends_with("images"))
}

/// Whether the name is that of a part of an image's name, or of a setting for pulling
/// it.
pub(super) fn is_of_something_else(name: &str) -> bool {
    words(name).last().is_some_and(|word| OF_SOMETHING_ELSE.contains(&word.as_str()))
}

/// The words of `solverImage`, `RELATED_IMAGE_CNI` and `--executor-image`.
pub(super) fn words(name: &str) -> Vec<String> {
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
    fn names() {
        for name in [
            "image",
            "baseImage",
            "RELATED_IMAGE_CNI",
            "--executor-image",
            "CSI_IMAGE",
            "queue-sidecar-image",
            "imageName",
            "RELATED_IMAGE_SERVICE_VERSION",
            "CONTAINER_IMAGE_AND_VERSION",
            "SERVICE_IMAGE",
            "VERSION_UPGRADE_HOOK_IMAGE",
            "VM_CUSTOMCONFIGRELOADERIMAGE",
            "--sidecarimage",
            "--backing-image-manager-image",
            "docker_image",
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
            "defaultImageVersion",
            "imagefs",
            "image_config.yaml",
            "pull-images.sh",
        ] {
            assert!(!names_an_image(name), "{name}");
        }
        assert!(is_an_image("baseImage") && !is_an_image("imageScanner"));
        assert!(names_images("KAFKA_IMAGES_JSON") && !names_images("IMAGES_TAG"));
    }
}
