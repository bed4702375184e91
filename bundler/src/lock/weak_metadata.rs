//! Metadata that is signed with a hash that is broken.

use bundle_format::lock::LockedRepository;

/// A warning for each repository of a target whose metadata has no better signature than one
/// with SHA-1.
pub(super) fn warnings(target: &str, repositories: &[LockedRepository]) -> Vec<String> {
    let is_weak = |own: &&LockedRepository| {
        own.repomd_signature.as_ref().is_some_and(|signature| signature.hash == "SHA1")
    };
    let words = |own: &LockedRepository| {
        let key = own.repomd_signed_by.as_deref().unwrap_or_default();
        format!(
            "target {target}: the metadata of repository `{}` ({}) is signed with SHA-1 only, by \
             key {key}. SHA-1 is broken: two contents with one hash can be made. Ask the vendor \
             for a signature with SHA-256 or better",
            own.id, own.base_url
        )
    };
    repositories.iter().filter(is_weak).map(words).collect()
}
