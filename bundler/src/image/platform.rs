//! Chooses the image manifest in an index for a node's architecture.

use bundle_format::architecture::Architecture;
use bundle_format::oci::{Entry, is_index, is_manifest};

/// The entry of an index for Linux on `architecture`, if there is one. If there are
/// several variants, it takes the one without a variant, or else the lowest, because
/// that runs on the most processors. Attestations are not images, and are never
/// taken.
pub fn choose(entries: &[Entry], architecture: Architecture) -> Option<&Entry> {
    entries
        .iter()
        .filter(|entry| !is_attestation(entry))
        .filter_map(|entry| Some((entry, entry.platform.as_ref()?)))
        .filter(|(_, platform)| platform.fits(architecture, false))
        .min_by_key(|(_, platform)| rank(architecture, platform.variant.as_deref()))
        .map(|(entry, _)| entry)
}

/// The platforms of an index for a message, each once: `linux/arm64/v8`.
pub fn list(entries: &[Entry]) -> String {
    let mut names: Vec<String> = Vec::new();
    for entry in entries.iter().filter(|entry| !is_attestation(entry)) {
        let name = match &entry.platform {
            Some(platform) => platform.to_string(),
            None => "one with no platform".to_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The manifests without a platform in an index. If no entry has the wanted platform,
/// containerd takes the first of these, if the configuration of that one has the
/// platform. At an import, containerd reads all of them.
pub fn unplaced(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    let read = |entry: &&Entry| is_index(&entry.media_type) || is_manifest(&entry.media_type);
    entries.iter().filter(|entry| entry.platform.is_none()).filter(read)
}

/// Whether the entry is an attestation (BuildKit's
/// `docs/attestations/attestation-storage.md`).
fn is_attestation(entry: &Entry) -> bool {
    let marks = entry.annotations.iter().flatten();
    marks.into_iter().any(|(name, _)| name == "vnd.docker.reference.type")
        || entry
            .platform
            .as_ref()
            .is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown")
}

/// The rank of a variant. Every arm64 has `v8`, and every amd64 has `v1`
/// (containerd's `platforms/database.go`, normalizeArch).
fn rank(architecture: Architecture, variant: Option<&str>) -> u32 {
    match (architecture, variant) {
        (_, None | Some("")) | (Architecture::Aarch64, Some("v8" | "8")) => 0,
        (_, Some(variant)) => variant
            .trim_start_matches('v')
            .split('.')
            .next()
            .and_then(|v| v.parse().ok())
            .unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operating system, architecture, variant.
    type Triple = (&'static str, &'static str, &'static str);

    fn entries(platforms: &[Triple]) -> Vec<Entry> {
        let text: Vec<String> = platforms
            .iter()
            .enumerate()
            .map(|(number, (os, architecture, variant))| {
                format!(
                    r#"{{"mediaType":"m","size":{number},"digest":"sha256:{number:064x}","platform":{{"os":"{os}","architecture":"{architecture}","variant":"{variant}"}}}}"#
                )
            })
            .collect();
        serde_json::from_str(&format!("[{}]", text.join(","))).unwrap()
    }

    #[test]
    fn takes_the_plain_or_lowest_variant() {
        let (x, a) = (Architecture::X86_64, Architecture::Aarch64);
        let cases: [(&[Triple], Architecture, Option<u64>); 7] = [
            (&[("linux", "arm64", ""), ("linux", "amd64", "")], x, Some(1)),
            (&[("windows", "amd64", ""), ("linux", "arm64", "v8")], x, None),
            (&[("linux", "amd64", "v3"), ("linux", "amd64", "v2")], x, Some(1)),
            (&[("linux", "amd64", "v2"), ("linux", "amd64", "")], x, Some(1)),
            (&[("linux", "arm64", "v9"), ("linux", "arm64", "v8")], a, Some(1)),
            (&[("linux", "arm", "v7"), ("unknown", "unknown", "")], a, None),
            (&[("linux", "amd64", "odd")], x, Some(0)),
        ];
        for (platforms, architecture, chosen) in cases {
            let entries = entries(platforms);
            assert_eq!(choose(&entries, architecture).map(|e| e.size), chosen, "{platforms:?}");
        }
    }

    #[test]
    fn lists_platforms_without_attestations() {
        let entries = entries(&[
            ("linux", "arm64", "v8"),
            ("unknown", "unknown", ""),
            ("windows", "amd64", ""),
        ]);
        assert_eq!(list(&entries), "linux/arm64/v8, windows/amd64");
        assert_eq!(list(&[]), "none");
    }
}
