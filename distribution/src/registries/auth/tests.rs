use std::path::Path;

use super::super::scripted::{Answer, Scripted};
use super::*;

const URL: &str = "https://r.io/v2/a/b/manifests/t";

fn wants(challenge: &str) -> Answer {
    (401, vec![("www-authenticate", challenge.to_owned())], Vec::new())
}

fn ok(body: &str) -> Answer {
    (200, Vec::new(), body.as_bytes().to_vec())
}

/// `alice:s3cret` at r.io.
fn login_file(folder: &Path) -> Vec<PathBuf> {
    let file = folder.join("config.json");
    std::fs::write(&file, r#"{"auths":{"r.io":{"auth":"YWxpY2U6czNjcmV0"}}}"#).unwrap();
    vec![file]
}

fn open(fetch: &Authenticated, url: &str) -> Result<u16, String> {
    match fetch.open(&Request::new(url.parse().unwrap())) {
        Ok(response) => Ok(response.status),
        Err(error) => Err(with_causes(&error)),
    }
}

/// An identity token at r.io.
fn identity_file(folder: &Path) -> Vec<PathBuf> {
    let file = folder.join("identity.json");
    std::fs::write(&file, r#"{"auths":{"r.io":{"identitytoken":"refresh=me&"}}}"#).unwrap();
    vec![file]
}

#[test]
fn asks_anonymously_then_once_for_a_token_that_it_keeps() {
    let server = Scripted::new(|url, authorization| match (url, authorization) {
        (url, _) if url.starts_with("https://auth.io/token?") => {
            ok(r#"{"access_token":"T1","expires_in":300}"#)
        }
        (_, Some("Bearer T1")) => ok(""),
        _ => wants(r#"Bearer realm="https://auth.io/token?x=1",service="s""#),
    });
    let fetch = Authenticated::new(server.clone(), Registries::default(), Vec::new());
    assert_eq!(open(&fetch, URL), Ok(200));
    assert_eq!(open(&fetch, "https://r.io/v2/a/b/blobs/sha256:0"), Ok(200));
    assert_eq!(
        server.seen(),
        [
            "- https://r.io/v2/a/b/manifests/t",
            "- https://auth.io/token?x=1&service=s&scope=repository%3Aa%2Fb%3Apull",
            "Bearer T1 https://r.io/v2/a/b/manifests/t",
            "Bearer T1 https://r.io/v2/a/b/blobs/sha256:0",
        ]
    );
}

#[test]
fn renews_a_token_that_is_no_longer_taken() {
    let issued = Mutex::new(0);
    let server = Scripted::new(move |url, authorization| {
        let mut issued = issued.lock().unwrap();
        if url.starts_with("https://r.io/token") {
            *issued += 1;
            return ok(&format!(r#"{{"token":"T{issued}"}}"#));
        }
        // T1 stops being good for blobs.
        let good = authorization == Some("Bearer T2")
            || (authorization == Some("Bearer T1") && url.contains("manifests"));
        if good { ok("") } else { wants(r#"Bearer realm="https://r.io/token""#) }
    });
    let fetch = Authenticated::new(server.clone(), Registries::default(), Vec::new());
    assert_eq!(open(&fetch, URL), Ok(200));
    assert_eq!(open(&fetch, "https://r.io/v2/a/b/blobs/sha256:0"), Ok(200));
    assert!(server.seen().last().unwrap().starts_with("Bearer T2"));
}

#[test]
fn sends_user_and_password_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let files = login_file(folder.path());
    let server = Scripted::new(|_, authorization| match authorization {
        Some("Basic YWxpY2U6czNjcmV0") => ok(""),
        _ => wants(r#"Basic realm="r""#),
    });
    let fetch = Authenticated::new(server.clone(), Registries::default(), files.clone());
    assert_eq!(open(&fetch, URL), Ok(200));
    // Another registry gets none of it.
    let error = open(&fetch, "https://other.io/v2/a/manifests/t").unwrap_err();
    assert!(error.contains("docker login other.io"), "{error}");
    assert!(!server.seen().iter().any(|line| line.contains("Basic") && line.contains("other")));

    let server = Scripted::new(|url, authorization| match (url, authorization) {
        (_, Some("Bearer T")) => ok(""),
        (url, Some("Basic YWxpY2U6czNjcmV0")) if url.contains("/token?") => {
            ok(r#"{"token":"T","expires_in":18446744073709551615}"#)
        }
        _ => wants(r#"Basic realm="r", Bearer realm="https://auth.r.io:444/token""#),
    });
    let fetch = Authenticated::new(server, Registries::default(), files);
    assert_eq!(open(&fetch, URL), Ok(200));
}

#[test]
fn ends_every_refusal_in_words_that_help_and_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let files = login_file(folder.path());
    let html = "<html>".to_owned();
    let cases: [(&str, Answer, &str); 10] = [
        (
            r#"Bearer realm="https://auth.r.io:444/t""#,
            ok(r#"{"token":"T"}"#),
            "refuses user `alice`",
        ),
        (r#"Bearer realm="https://auth.r.io:444/t""#, wants("Basic"), "refuses user `alice`"),
        (r#"Bearer realm="https://auth.r.io:444/t""#, (502, vec![], vec![]), "has trouble"),
        (r#"Bearer realm="https://auth.r.io:444/t""#, ok(&html), "HTML page"),
        (r#"Bearer realm="https://auth.r.io:444/t""#, ok("{}"), "no usable"),
        (r#"Bearer realm="https://auth.r.io:444/t""#, ok(r#"{"token":"a\r\nb"}"#), "no usable"),
        (
            r#"Bearer realm="https://auth.r.io:444/t""#,
            (200, vec![], vec![b' '; 2 * TOKEN_LIMIT as usize]),
            "larger than",
        ),
        (r#"Bearer realm="http://auth.r.io/t""#, ok("{}"), "not reached over https"),
        ("Basic", ok(""), "refuses user `alice`"),
        ("Negotiate", ok(""), "neither of the known ways to log in"),
    ];
    for (challenge, token, words) in cases {
        let challenge = challenge.to_owned();
        let server = Scripted::new(move |url, _| {
            if url.starts_with("https://auth.r.io:444") { token.clone() } else { wants(&challenge) }
        });
        let fetch = Authenticated::new(server.clone(), Registries::default(), files.clone());
        let error = open(&fetch, URL).unwrap_err();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("r.io") || error.contains("auth.r.io"), "{error}");
        assert!(!error.contains("s3cret") && !error.contains("YWxpY2U"), "{error}");
        assert!(server.seen().len() <= 3, "{:?}", server.seen());
        assert!(!server.seen().iter().any(|line| line.contains("http://")));
    }
}

#[test]
fn a_challenge_of_the_host_that_was_redirected_to_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let files = login_file(folder.path());
    let server = Scripted::new(|_, _| {
        let (status, mut headers, body) = wants(r#"Bearer realm="https://evil.io/t""#);
        headers.push(("final-url", "https://evil.io/blob".to_owned()));
        (status, headers, body)
    });
    let fetch = Authenticated::new(server.clone(), Registries::default(), files);
    assert_eq!(open(&fetch, URL), Ok(401));
    assert_eq!(server.seen().len(), 1);
}

/// As docker does it: distribution's `docs/spec/auth/oauth.md`.
#[test]
fn posts_an_identity_token_and_shows_it_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let files = identity_file(folder.path());
    let server = Scripted::new(|url, authorization| match (url, authorization) {
        (url, None) if url.starts_with("https://auth.r.io/token?x=1 ") => {
            ok(r#"{"access_token":"T","token_type":"Bearer","expires_in":300}"#)
        }
        (_, Some("Bearer T")) => ok(""),
        _ => wants(r#"Bearer realm="https://auth.r.io/token?x=1",service="s s""#),
    });
    let fetch = Authenticated::new(server.clone(), Registries::default(), files.clone());
    assert_eq!(open(&fetch, URL), Ok(200));
    assert_eq!(
        server.seen()[1],
        "- https://auth.r.io/token?x=1 grant_type=refresh_token&client_id=kubeferry&service=s+s&scope=repository%3Aa%2Fb%3Apull&refresh_token=refresh%3Dme%26"
    );
    // Refused, or asked for by who wants a password: the token is not in the words.
    for (challenge, words) in [
        (r#"Bearer realm="https://auth.r.io/t""#, "refuses the identity token"),
        (r#"Basic realm="r""#, "its login here is an identity token"),
        (r#"Bearer realm="https://evil.io/t""#, "write `tokenServer: evil.io` under `r.io`"),
    ] {
        let server = Scripted::new(move |url, _| match url.starts_with("https://r.io") {
            true => wants(challenge),
            false => (401, vec![], vec![]),
        });
        let fetch = Authenticated::new(server.clone(), Registries::default(), files.clone());
        let error = open(&fetch, URL).unwrap_err();
        assert!(error.contains(words) && !error.contains("refresh=me"), "{error}");
        assert!(!server.seen().iter().any(|line| line.contains("evil.io")), "{error}");
    }
}

#[test]
fn a_token_server_of_a_stranger_is_asked_as_nobody_only() {
    let folder = tempfile::tempdir().unwrap();
    let files = login_file(folder.path());
    let script = |url: &str, authorization: Option<&str>| match (url, authorization) {
        (url, None) if url.starts_with("https://login.other.io/") => ok(r#"{"token":"anybody"}"#),
        (url, Some(_)) if url.starts_with("https://login.other.io/") => ok(r#"{"token":"alice"}"#),
        (_, Some(_)) => ok(""),
        _ => wants(r#"Bearer realm="https://login.other.io/t""#),
    };
    let nobody = Scripted::new(script);
    let fetch = Authenticated::new(nobody.clone(), Registries::default(), Vec::new());
    assert_eq!(open(&fetch, URL), Ok(200));
    assert_eq!(nobody.seen().last().unwrap(), &format!("Bearer anybody {URL}"));

    let known = Scripted::new(script);
    let fetch = Authenticated::new(known.clone(), Registries::default(), files.clone());
    let error = open(&fetch, URL).unwrap_err();
    assert!(error.contains("write `tokenServer: login.other.io` under `r.io`"), "{error}");
    assert_eq!(known.seen().len(), 1);

    let said = super::super::registry::Registry {
        token_server: Some("login.other.io".to_owned()),
        ..Default::default()
    };
    let said = Registries::new([("r.io".to_owned(), said)].into()).unwrap();
    let known = Scripted::new(script);
    let fetch = Authenticated::new(known.clone(), said, files);
    assert_eq!(open(&fetch, URL), Ok(200));
    assert_eq!(known.seen().last().unwrap(), &format!("Bearer alice {URL}"));
}

#[test]
fn a_token_for_pulling_is_none_for_pushing_and_mounting_asks_for_both_repositories() {
    let server = Scripted::new(|url, authorization| match (url, authorization) {
        (url, _) if url.starts_with("https://auth.io/token?") => {
            ok(&format!(r#"{{"token":"T{}"}}"#, url.matches("scope=").count()))
        }
        (_, Some(_)) => ok(""),
        (url, _) if url.contains("from=") => wants(
            r#"Bearer realm="https://auth.io/token",scope="repository:a/b:pull,push repository:c:pull""#,
        ),
        _ => wants(r#"Bearer realm="https://auth.io/token""#),
    });
    let fetch = Authenticated::new(server.clone(), Registries::default(), Vec::new());
    let uploads: Url = "https://r.io/v2/a/b/blobs/uploads/".parse().unwrap();
    let mut mount = uploads.clone();
    mount.set_query(Some("mount=sha256:0&from=c"));
    let send = |url: &Url| {
        let verb = crate::fetch::Verb::Post;
        let media_type = String::new();
        let sending =
            crate::fetch::Sending { verb, media_type, body: bytes::Bytes::new(), offset: None };
        fetch.open(&Request::send(url.clone(), sending)).unwrap()
    };
    assert_eq!(open(&fetch, URL), Ok(200));
    send(&uploads);
    send(&mount);
    send(&uploads);
    let asked = server.seen();
    let tokens: Vec<&str> =
        asked.iter().filter_map(|line| line.split_once("token?")).map(|(_, query)| query).collect();
    assert_eq!(
        tokens,
        [
            "scope=repository%3Aa%2Fb%3Apull",
            "scope=repository%3Aa%2Fb%3Apull%2Cpush",
            "scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%3Apull",
        ]
    );
    assert_eq!(asked.last().unwrap(), "Bearer T1 https://r.io/v2/a/b/blobs/uploads/");
}
