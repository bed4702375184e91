//! No password in a spec's URLs: each of them comes into the lock, the bundle
//! and every error.

use anyhow::bail;

use crate::spec::Spec;

/// Fails where a URL of the spec carries a user or a password, and does not
/// show it.
pub(super) fn refuse(spec: &Spec) -> anyhow::Result<()> {
    let repositories = spec.targets.iter().flat_map(|target| &target.repositories);
    let of_repositories = repositories.flat_map(|repository| {
        let own = [&repository.base_url, &repository.mirror_list].into_iter().flatten();
        own.chain(&repository.keys).map(|url| (&repository.id.value, url))
    });
    let of_manifests = spec.manifests.iter().flat_map(|manifest| {
        let manifest = &manifest.value;
        manifest.url.iter().map(|url| (&manifest.name, url))
    });
    for (what, url) in of_repositories.chain(of_manifests) {
        if let Some(place) = without_user(url) {
            bail!(
                "`{what}`: the URL of {place} carries a user or a password, which would stand in \
                 the lock and in the bundle; only registries can be logged in to, with the \
                 environment variables that `registries: credentials:` names"
            );
        }
    }
    Ok(())
}

/// The host, where a user stands before it; no matter whether the rest is a URL.
fn without_user(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    authority.rsplit_once('@').map(|(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::without_user;

    #[test]
    fn a_user_is_found_wherever_a_parser_would() {
        for (url, host) in [
            ("https://a.io/x@y", None),
            ("key@host.asc", None),
            ("https://bob@a.io/x", Some("a.io")),
            ("https://bob:hunter2@a.io:99", Some("a.io:99")),
            ("http://b:p@ss@[bad/", Some("[bad")),
        ] {
            assert_eq!(without_user(url), host, "{url}");
        }
    }
}
