use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::credentials::{self, CredentialSource};
use super::*;

/// Who is logged in for `repository` at `registry` by a file of this text.
fn who(name: &str, text: &str, registry: &str, repository: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    find(registry, repository, &path).unwrap().map(|login| match login {
        Login::Password { user, password } => format!("{user}:{}", password.expose()),
        Login::IdentityToken(token) => format!("token {}", token.expose()),
    })
}

fn auth(pair: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(pair))
}

#[test]
fn docker_hub_is_known_by_all_its_names() {
    for key in [
        "docker.io",
        "index.docker.io",
        "https://index.docker.io/v1/",
        "https://index.docker.io/v1",
        "http://index.docker.io",
        "index.docker.io/v1/",
        "registry-1.docker.io",
        "https://registry-1.docker.io/v2/",
        "https://Docker.IO",
    ] {
        let text = format!(r#"{{"auths":{{"{key}":{}}}}}"#, auth("alice:s3"));
        let found = who("config.json", &text, "docker.io", "library/busybox");
        assert_eq!(found.as_deref(), Some("alice:s3"), "{key}");
        assert_eq!(who("config.json", &text, "quay.io", "library/busybox"), None, "{key}");
    }
    // The name of its own comes before the others.
    let text = format!(
        r#"{{"auths":{{"https://index.docker.io/v1/":{},"docker.io":{}}}}}"#,
        auth("old:1"),
        auth("new:2")
    );
    assert_eq!(who("config.json", &text, "docker.io", "a").as_deref(), Some("new:2"));
}

#[test]
fn the_longest_name_decides() {
    let text = format!(
        r#"{{"auths":{{"r.io:5000/teama":{},"r.io:5000/teamb":{},"r.io:5000/teama/app/web":{},"r.io:5000/teamc":{{}},"docker.io/library":{}}}}}"#,
        auth("ua:pa"),
        auth("ub:pb"),
        auth("web:pw"),
        auth("hub:ph"),
    );
    let mut cases = vec![
        ("r.io:5000", "teama/app", Some("ua:pa")),
        ("r.io:5000", "teama", Some("ua:pa")),
        ("r.io:5000", "teama/app/web", Some("web:pw")),
        ("r.io:5000", "teama/app/webs", Some("ua:pa")),
        ("r.io:5000", "teamb/x", Some("ub:pb")),
        ("r.io:5000", "teamab/x", None),
        ("r.io:5000", "other/teama", None),
        ("r.io", "teama/app", None),
        ("docker.io", "library/busybox", Some("hub:ph")),
        ("docker.io", "calico/node", None),
    ];
    for (registry, repository, wanted) in &cases {
        let found = who("auth.json", &text, registry, repository);
        assert_eq!(found.as_deref(), *wanted, "{registry}/{repository}");
    }
    // What has none of its own, or an empty one, has that of its registry.
    let text =
        text.replacen("{\"auths\":{", &format!("{{\"auths\":{{\"r.io:5000\":{},", auth("u:p")), 1);
    cases.retain(|(registry, _, wanted)| *registry == "r.io:5000" && wanted.is_none());
    cases.push(("r.io:5000", "teamc/x", None));
    for (registry, repository, _) in cases {
        let found = who("auth.json", &text, registry, repository);
        assert_eq!(found.as_deref(), Some("u:p"), "{registry}/{repository}");
    }
}

#[test]
fn every_form_of_an_entry_is_read() {
    for (name, text, wanted) in [
        ("config.json", auth("bob:pw:with:colons"), Some("bob:pw:with:colons")),
        ("config.json", auth("bob:pw\0\0"), Some("bob:pw")),
        ("config.json", r#"{"username":"u","password":"p"}"#.to_owned(), Some("u:p")),
        (
            "config.json",
            r#"{"auth":"","identitytoken":"refresh"}"#.to_owned(),
            Some("token refresh"),
        ),
        (
            "config.json",
            r#"{"auth":"PHRva2VuPjo=","identitytoken":"r2"}"#.to_owned(),
            Some("token r2"),
        ),
        ("config.json", r#"{"email":"a@b.c"}"#.to_owned(), None),
        ("config.json", "null".to_owned(), None),
        (".dockercfg", auth("old:form"), Some("old:form")),
    ] {
        let entries = format!(r#"{{"https://r.io":{text},"bad.io":{{"auth":"***"}}}}"#);
        let text = match name {
            ".dockercfg" => entries,
            _ => format!(r#"{{"auths":{entries},"HttpHeaders":{{}},"credHelpers":null}}"#),
        };
        assert_eq!(who(name, &text, "r.io", "a").as_deref(), wanted, "{text}");
    }
    for text in ["", "{}", r#"{"auths":null}"#] {
        assert_eq!(who("config.json", text, "r.io", "a"), None, "{text}");
    }
}

#[test]
fn the_first_file_that_knows_the_registry_counts_and_a_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let first = write(
        "auth.json",
        &format!(
            r#"{{"auths":{{"quay.io":{},"bad.io":{{"auth":"***"}}}},"credHelpers":{{"helped.io":"kubeferry-no-such-helper"}}}}"#,
            auth("first:1")
        ),
    );
    let second = write(
        "config.json",
        &format!(r#"{{"auths":{{"quay.io":{},"r.io":{}}}}}"#, auth("x:2"), auth("second:2")),
    );
    let files = [folder.path().join("absent"), first.join("below-a-file"), first, second];
    let login = |registry| credentials::find(&CredentialSource::LoginFiles, registry, "a", &files);
    for (registry, user) in [("quay.io", "user `first`"), ("r.io", "user `second`")] {
        let found = login(registry).unwrap().unwrap();
        assert_eq!(found.who(), user);
        assert!(!format!("{found:?}").contains(":1") && !format!("{found:?}").contains("\"2"));
    }
    assert_eq!(login("other.io").unwrap(), None);
    assert!(matches!(login("bad.io"), Err(CredentialsError::Malformed { .. })));
    assert!(matches!(login("helped.io"), Err(CredentialsError::Helper { .. })));
}

/// The logins of the field's reports, as podman wrote them.
#[test]
fn the_fields_files_are_read() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/field/auth"));
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let user = |file: &str, registry: &str, repository: &str| {
        let login = find(registry, repository, &folder.join(file)).unwrap();
        login.map(|login| login.who())
    };
    let known = |name: &str| Some(format!("user `{name}`"));
    assert_eq!(user("hub.json", "docker.io", "library/busybox"), known("alice"));
    assert_eq!(user("ns.json", "127.0.0.1:5055", "teama/app"), known("ua"));
    assert_eq!(user("ns.json", "127.0.0.1:5055", "teamb/app"), known("ub"));
    assert_eq!(user("ns.json", "127.0.0.1:5055", "teamc/app"), None);
}
