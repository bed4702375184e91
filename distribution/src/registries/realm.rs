//! Which token server may get a password. A registry names its token server in an
//! answer that somebody on the way may have written. So a password goes only where
//! its owner would send it.

use url::{Host, Url};

use super::registry::{Registries, registry_name};

/// Registries whose token servers are under another domain of the same owner.
const KNOWN: [(&str, &str); 3] = [
    // registry.hub.docker.com
    ("docker.com", "auth.docker.io"),
    ("scw.cloud", "api.scaleway.com"),
    ("lscr.io", "ghcr.io"),
];

/// Why a token server is not asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RealmError {
    /// The registry's token server is not a URL.
    #[error("the token server that it names is not a URL")]
    NoUrl,
    /// The URL has a user or a password, which would be sent and shown.
    #[error("the URL of its token server has a user or a password")]
    Login,
    /// The URL is plain http, and the spec does not allow that.
    #[error(
        "its token server {0} is not reached over https, so anybody on the way could read passwords and tokens; if you want that, give `plainHttp` a reason under `{0}` in the spec"
    )]
    PlainHttp(String),
    /// The host belongs to somebody else.
    #[error(
        "its token server {0} is not under the registry's own domain, and would get the password; write `tokenServer: {0}` under `{1}` in the spec if it is the right one"
    )]
    Stranger(String, String),
}

/// The URL of the token server that a registry names as `realm`. Fails if it must not
/// be asked: it must have TLS, unless the spec says otherwise.
pub(super) fn parse(registries: &Registries, realm: &str) -> Result<Url, RealmError> {
    let realm: Url = realm.parse().map_err(|_| RealmError::NoUrl)?;
    if !realm.username().is_empty() || realm.password().is_some() {
        return Err(RealmError::Login);
    }
    match realm.scheme() {
        "https" => Ok(realm),
        "http" if registries.speaks_plain_http(&realm) => Ok(realm),
        "http" => Err(RealmError::PlainHttp(registry_name(&realm))),
        _ => Err(RealmError::NoUrl),
    }
}

/// Fails unless `realm` may get the login for the registry behind `url`.
pub(super) fn check_login(
    registries: &Registries,
    url: &Url,
    realm: &Url,
) -> Result<(), RealmError> {
    let registry = registry_name(url);
    let server = registry_name(realm);
    let said = registries.get(&registry).and_then(|registry| registry.token_server.as_deref());
    if said == Some(server.as_str()) || is_own(url, realm) {
        return Ok(());
    }
    Err(RealmError::Stranger(server, registry))
}

/// Whether both belong to the same owner: they are the same host, with any port, or
/// hosts below the same registered domain. An address is only the same as itself.
fn is_own(url: &Url, realm: &Url) -> bool {
    if url.host() == realm.host() {
        return true;
    }
    let (Some(Host::Domain(registry)), Some(Host::Domain(server))) = (url.host(), realm.host())
    else {
        return false;
    };
    let Some(domain) = psl::domain_str(registry) else { return false };
    psl::domain_str(server) == Some(domain) || KNOWN.contains(&(domain, server))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::registry::{PlainHttp, Registry};
    use super::*;

    fn url(host: &str) -> Url {
        let scheme = if host.contains("://") { "" } else { "https://" };
        format!("{scheme}{host}/v2/a/manifests/t").parse().unwrap()
    }

    fn registries(entries: &[(&str, PlainHttp, Option<&str>)]) -> Registries {
        let entry = |(name, plain_http, token_server): &(&str, PlainHttp, Option<&str>)| {
            let token_server = token_server.map(str::to_owned);
            let plain_http = *plain_http;
            ((*name).to_owned(), Registry { plain_http, token_server, ..Registry::default() })
        };
        Registries::new(entries.iter().map(entry).collect::<BTreeMap<_, _>>()).unwrap()
    }

    /// The answers that real registries gave.
    #[test]
    fn real_registries_keep_their_token_servers() {
        for (registry, realm) in [
            ("registry-1.docker.io", "https://auth.docker.io/token"),
            ("registry.hub.docker.com", "https://auth.docker.io/token"),
            ("quay.io", "https://quay.io/v2/auth"),
            ("ghcr.io", "https://ghcr.io/token"),
            ("lscr.io", "https://ghcr.io/token"),
            ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            ("nvcr.io", "https://nvcr.io/proxy_auth"),
            ("public.ecr.aws", "https://public.ecr.aws/token/"),
            ("gcr.io", "https://gcr.io/v2/token"),
            ("europe-west1-docker.pkg.dev", "https://europe-west1-docker.pkg.dev/v2/token"),
            ("site.azurecr.io", "https://site.azurecr.io/oauth2/token"),
            ("mcr.microsoft.com", "https://mcr.microsoft.com/oauth2/token"),
            ("registry.redhat.io", "https://registry.redhat.io/auth/realms/rhcc/protocol/x"),
            ("docker.elastic.co", "https://docker-auth.elastic.co/auth"),
            ("registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth"),
            ("rg.fr-par.scw.cloud", "https://api.scaleway.com/registry-internal/v1/x"),
            (
                "registry.cn-hangzhou.aliyuncs.com",
                "https://dockerauth.cn-hangzhou.aliyuncs.com/auth",
            ),
            ("registry.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth"),
            ("registry.corp.example.co.uk", "https://login.example.co.uk/t"),
            ("harbor.lan:8443", "https://harbor.lan:8443/service/token"),
            ("127.0.0.1:5000", "https://127.0.0.1:5001/token"),
            ("localhost:5000", "https://localhost/token"),
            ("[::1]:5000", "https://[::1]:5001/token"),
        ] {
            let none = Registries::default();
            let realm = parse(&none, realm).unwrap();
            assert_eq!(check_login(&none, &url(registry), &realm), Ok(()), "{registry} {realm}");
        }
    }

    #[test]
    fn a_stranger_gets_no_password_unless_the_spec_names_it() {
        for (registry, realm) in [
            ("registry-1.docker.io", "https://evil.io/token"),
            ("registry-1.docker.io", "https://auth.docker.io.evil.io/token"),
            ("r.co.uk", "https://evil.co.uk/token"),
            ("a.github.io", "https://b.github.io/token"),
            ("127.0.0.1:5000", "https://127.0.0.2:5000/token"),
            ("r.lan", "https://auth.lan/token"),
            ("localhost:5000", "https://127.0.0.1:5000/token"),
        ] {
            let realm = parse(&Registries::default(), realm).unwrap();
            let name = registry_name(&url(registry));
            let server = registry_name(&realm);
            let error = check_login(&Registries::default(), &url(registry), &realm).unwrap_err();
            assert!(error.to_string().contains(&format!("`tokenServer: {server}` under `{name}`")));
            let said = registries(&[(&name, PlainHttp::Forbidden, Some(&server))]);
            assert_eq!(check_login(&said, &url(registry), &realm), Ok(()));
        }
    }

    #[test]
    fn plain_http_holds_for_the_host_that_it_was_said_of() {
        let plain = registries(&[("r.lan:5000", PlainHttp::Allowed, None)]);
        for realm in ["http://r.lan:5000/t", "http://r.lan:5001/t", "https://auth.lan/t"] {
            assert!(parse(&plain, realm).is_ok(), "{realm}");
        }
        for realm in ["http://auth.lan/t", "http://x.r.lan:5000/t"] {
            let error = parse(&plain, realm).unwrap_err();
            assert!(matches!(error, RealmError::PlainHttp(_)), "{realm}");
        }
        for realm in ["ftp://r.lan/t", "/t", "Registry Realm"] {
            assert_eq!(parse(&plain, realm), Err(RealmError::NoUrl), "{realm}");
        }
        assert_eq!(parse(&plain, "https://u:p@r.lan/t"), Err(RealmError::Login));
        let both = registries(&[
            ("r.lan:5000", PlainHttp::Allowed, None),
            ("auth.lan", PlainHttp::Allowed, None),
        ]);
        assert!(parse(&both, "http://auth.lan/t").is_ok());
    }
}
