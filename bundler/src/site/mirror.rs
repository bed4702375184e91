//! Where the images of a bundle go, one by one.

use std::fmt;
use std::str::FromStr;

use bundle_format::ImageReference;
use bundle_format::secret::hidden;
use distribution::site::fault;

/// Where images go: a registry, and a path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror(String);

impl Mirror {
    /// The registry.
    pub fn host(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// An image's name there. The name of its own registry is part of the path, so that
    /// each registry can have a mirror of its own.
    pub(super) fn name_of(&self, image: &ImageReference) -> anyhow::Result<ImageReference> {
        // A path has no colon.
        let registry = image.registry().replace(':', "_").to_ascii_lowercase();
        let name = format!("{}/{registry}/{}", self.0, image.repository());
        let name = match (image.tag(), image.digest()) {
            (Some(tag), _) => format!("{name}:{tag}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (None, None) => name,
        };
        Ok(name.parse()?)
    }
}

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("oci://").unwrap_or(text).trim_end_matches('/');
        let name: Result<ImageReference, _> = format!("{text}/a:b").parse();
        match name {
            Ok(name)
                if text == name.registry()
                    || text.starts_with(&format!("{}/", name.registry())) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => {
                let fault = fault(text).unwrap_or("is no place for images: write HOST/PATH");
                Err(format!("`{}` {fault}", hidden(text)))
            }
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_of_an_image_is_part_of_its_path() {
        let mirror: Mirror = "r.site:5000/mirror/".parse().unwrap();
        assert_eq!(mirror.host(), "r.site:5000");
        let digest = format!("sha256:{}", "0".repeat(64));
        for (image, there) in [
            ("registry.k8s.io/pause:3.9", "r.site:5000/mirror/registry.k8s.io/pause:3.9"),
            ("busybox:1", "r.site:5000/mirror/docker.io/library/busybox:1"),
            ("localhost:5000/a/b:c", "r.site:5000/mirror/localhost_5000/a/b:c"),
            (&format!("q.io/a@{digest}"), &format!("r.site:5000/mirror/q.io/a@{digest}")),
        ] {
            let name = mirror.name_of(&image.parse().unwrap()).unwrap();
            assert_eq!(name.to_string(), there);
        }
        assert_eq!("r.site".parse::<Mirror>().unwrap().host(), "r.site");
        for (text, words) in [
            ("", "is no place for images: write HOST/PATH"),
            ("mirror/a", "is no place for images"),
            ("r.site/A", "capital letters"),
            ("r.site/a:b", "is no place for images"),
            ("https://r.site/a", "is no place for images"),
            ("[::1]:5000/a", "an address of IPv6"),
            ("u:hunter2@r.site/a", "`…@r.site/a` has a user before the host"),
        ] {
            let error = text.parse::<Mirror>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
