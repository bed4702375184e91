//! The files that `docker login` and `podman login` write (docker's `config.json`;
//! containers-auth.json(5)), and the helpers that they name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::input;
use serde::Deserialize;
use serde_json::Value;

use super::helper;
use super::login::{CredentialsError, Login};
use crate::fetch::Secret;

/// Docker Hub's name in docker's files and for its helpers (docker's
/// `registry/config.go`, IndexServer).
const HUB: &str = "https://index.docker.io/v1/";

/// Fails if an environment variable names a login file that does not exist. Other
/// missing files are skipped, but this one is a mistake.
pub fn check_named() -> Result<(), CredentialsError> {
    let named = env::var_os("REGISTRY_AUTH_FILE").filter(|value| !value.is_empty());
    match named.map(PathBuf::from) {
        Some(file) if !file.exists() => Err(CredentialsError::NotThere { file }),
        _ => Ok(()),
    }
}

/// The possible login files, in order: the one that an environment variable names,
/// podman's, docker's, and docker's old one.
pub fn places() -> Vec<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = |path| Some(variable("HOME")?.join(path));
    let user = rustix::process::getuid().as_raw();
    let runtime = variable("XDG_RUNTIME_DIR").unwrap_or_else(|| format!("/run/user/{user}").into());
    let podman = variable("XDG_CONFIG_HOME").or_else(|| home(".config"));
    let docker = variable("DOCKER_CONFIG").or_else(|| home(".docker"));
    [
        variable("REGISTRY_AUTH_FILE"),
        Some(runtime.join("containers/auth.json")),
        Some(PathBuf::from(format!("/run/containers/{user}/auth.json"))),
        podman.map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
        home(".dockercfg"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: Option<BTreeMap<String, Value>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

/// The login in `path` for `repository` at `registry`; `None` if there is none, or no
/// such file. The longest name wins: a login for `quay.io/team/app` before one for
/// `quay.io/team`, and that before one for `quay.io`.
pub(super) fn find(
    registry: &str,
    repository: &str,
    path: &Path,
) -> Result<Option<Login>, CredentialsError> {
    let malformed =
        || CredentialsError::Malformed { registry: registry.to_owned(), file: path.to_owned() };
    let text = read(path).map_err(|source| CredentialsError::Unreadable {
        registry: registry.to_owned(),
        file: path.to_owned(),
        source,
    })?;
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let config = match path.file_name() == Some(OsStr::new(".dockercfg")) {
        // The old file has only the logins.
        true => serde_json::from_str(&text).map(|auths| Config { auths, ..Config::default() }),
        false => serde_json::from_str(&text),
    };
    let config: Config = config.map_err(|_| malformed())?;
    let helpers = config.cred_helpers.unwrap_or_default();
    let auths = config.auths.unwrap_or_default();
    let ask = |helper: &str, name: &str| {
        if helper.is_empty() { Ok(None) } else { from_helper(registry, path, helper, name) }
    };
    for name in names(registry, repository) {
        if let Some(helper) = of_name(&helpers, &name).next()
            && let Some(login) = ask(helper, &name)?
        {
            return Ok(Some(login));
        }
        for entry in of_name(&auths, &name) {
            if let Some(login) = login_of(entry).map_err(|()| malformed())? {
                return Ok(Some(login));
            }
        }
    }
    ask(config.creds_store.as_deref().unwrap_or_default(), registry)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match input::file_text(path, input::WRITTEN_BY_HAND) {
        Ok(text) => Ok(Some(text)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `quay.io/team/app`, `quay.io/team`, `quay.io`.
fn names(registry: &str, repository: &str) -> Vec<String> {
    let whole = format!("{registry}/{repository}");
    std::iter::successors(Some(whole.trim_end_matches('/')), |name| {
        name.rsplit_once('/').map(|(above, _)| above)
    })
    .map(str::to_owned)
    .collect()
}

/// The entries for `name`, in whatever form a tool wrote it, the exact form first.
fn of_name<'a, T>(all: &'a BTreeMap<String, T>, name: &'a str) -> impl Iterator<Item = &'a T> {
    let others = all.iter().filter(move |(key, _)| *key != name && normal(key) == name);
    all.get(name).into_iter().chain(others.map(|(_, value)| value))
}

/// A key in the form of image references: `docker.io` for all of Docker Hub's names,
/// and without scheme. With a scheme, a path is the API's.
fn normal(key: &str) -> String {
    let bare = ["https://", "http://"].iter().find_map(|scheme| key.strip_prefix(scheme));
    let name = bare.unwrap_or(key).trim_end_matches('/');
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let host = match host.to_ascii_lowercase() {
        hub if matches!(hub.as_str(), "index.docker.io" | "registry-1.docker.io") => {
            "docker.io".to_owned()
        }
        other => other,
    };
    match path {
        "" | "v1" | "v2" => host,
        _ if bare.is_some() => host,
        path => format!("{host}/{path}"),
    }
}

/// The login of an entry. `None` for an empty entry, which docker leaves if a helper
/// has the login.
fn login_of(entry: &Value) -> Result<Option<Login>, ()> {
    let entry: Option<Entry> = Option::deserialize(entry).map_err(drop)?;
    let entry = entry.unwrap_or_default();
    if let Some(token) = entry.identity_token.filter(|token| !token.is_empty()) {
        return identity(token).map(Some).ok_or(());
    }
    if let Some(auth) = entry.auth.filter(|auth| !auth.is_empty()) {
        let bytes = STANDARD.decode(auth.trim()).map_err(|_| ())?;
        let pair = String::from_utf8(bytes).map_err(|_| ())?;
        let (user, password) = pair.split_once(':').ok_or(())?;
        // Docker has written zero bytes after the password.
        return login(user.to_owned(), password.trim_end_matches('\0').to_owned()).ok_or(());
    }
    match (entry.username, entry.password) {
        (Some(user), Some(password)) => login(user, password).ok_or(()),
        _ => Ok(None),
    }
}

fn from_helper(
    registry: &str,
    path: &Path,
    helper: &str,
    name: &str,
) -> Result<Option<Login>, CredentialsError> {
    let helper = format!("docker-credential-{helper}");
    let fail = |reason: String| CredentialsError::Helper {
        registry: registry.to_owned(),
        file: path.to_owned(),
        helper: helper.clone(),
        reason,
    };
    // Docker stores the login of Docker Hub under another name than podman does.
    let servers: &[&str] = if name == "docker.io" { &[HUB, name] } else { &[name] };
    for server in servers {
        let answer = helper::ask(OsStr::new(&helper), server, helper::PATIENCE).map_err(fail)?;
        let Some(answer) = answer else { continue };
        let controls = || fail("its answer has control characters".to_owned());
        let found = match answer.username.as_str() {
            "<token>" => Some(identity(answer.secret).ok_or_else(controls)?),
            _ => login(answer.username, answer.secret).ok_or_else(controls)?,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// A login. `Some(None)` if the user is empty, as some helpers answer: then the
/// registry is asked anonymously. `None` if the login cannot be sent (RFC 7617, 2),
/// or its user cannot be shown.
fn login(user: String, password: String) -> Option<Option<Login>> {
    if user.contains(char::is_control) || password.contains(char::is_control) {
        return None;
    }
    Some((!user.is_empty()).then(|| Login::Password { user, password: Secret::new(password) }))
}

fn identity(token: String) -> Option<Login> {
    (!token.contains(char::is_control)).then(|| Login::IdentityToken(Secret::new(token)))
}

#[cfg(test)]
mod tests;
