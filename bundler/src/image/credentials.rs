//! Who to be at a registry: docker's configuration, podman's, or two
//! environment variables that the spec names.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use bundle_format::input;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value;

use super::helper;
use crate::fetch::Secret;

/// Where a registry's user and password come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CredentialSource {
    /// The files of [`login_files`] with their helpers; nobody where they do
    /// not know the registry.
    #[default]
    LoginFiles,
    /// Two environment variables, both of which must be set.
    Environment {
        /// The name of the variable that holds the user.
        user_variable: String,
        /// The name of the variable that holds the password.
        password_variable: String,
    },
}

/// A user and the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user; it may be shown.
    pub user: String,
    /// The password; it may not.
    pub password: Secret,
}

/// Why a registry's credentials could not be read. None of these carries what
/// a file or a helper said, for that may hold the secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// An environment variable that the spec names is absent, empty or not text.
    #[error(
        "registry {registry}: the environment variable {variable} that the spec names is not set; set it to the registry's {role}"
    )]
    Variable {
        /// The registry.
        registry: String,
        /// The variable.
        variable: String,
        /// `user` or `password`.
        role: &'static str,
    },
    /// A login file exists but cannot be opened.
    #[error("registry {registry}: cannot read its credentials from {}", file.display())]
    Unreadable {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A login file is not what docker writes.
    #[error("registry {registry}: {} is not a login file as docker writes it; run `docker login {registry}` again", file.display())]
    Malformed {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
    },
    /// The credential helper that a login file names did not answer.
    #[error("registry {registry}: the credential helper {helper} that {} names failed: {reason}; see what `echo {registry} | {helper} get` says", file.display())]
    Helper {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
        /// The program.
        helper: String,
        /// What became of it.
        reason: String,
    },
    /// An OAuth2 refresh token, which only a POST can use.
    #[error("registry {registry}: {} holds an identity token, which is not supported; give a user and password (or an access token as the password) in the spec's environment variables", file.display())]
    IdentityToken {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
    },
}

/// The files that `docker login` and `podman login` write, first choice first:
/// `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`; then
/// `$REGISTRY_AUTH_FILE` or `$XDG_RUNTIME_DIR/containers/auth.json`.
pub fn login_files() -> Vec<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(variable("HOME")?.join(".docker")));
    let podman = variable("REGISTRY_AUTH_FILE")
        .or_else(|| Some(variable("XDG_RUNTIME_DIR")?.join("containers/auth.json")));
    docker.map(|folder| folder.join("config.json")).into_iter().chain(podman).collect()
}

/// The login for `registry` (`docker.io`, `localhost:5000`), or none. `files`
/// are [`login_files`]; those that do not exist are passed over.
pub fn find(
    source: &CredentialSource,
    registry: &str,
    files: &[PathBuf],
) -> Result<Option<Login>, CredentialsError> {
    match source {
        CredentialSource::Environment { user_variable, password_variable } => {
            let read = |variable: &str, role| {
                env::var(variable).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                    CredentialsError::Variable {
                        registry: registry.to_owned(),
                        variable: variable.to_owned(),
                        role,
                    }
                })
            };
            let user = read(user_variable, "user")?;
            let password = Secret::new(read(password_variable, "password")?);
            Ok(Some(Login { user, password }))
        }
        CredentialSource::LoginFiles => {
            for file in files {
                if let Some(login) = from_file(registry, file.clone())? {
                    return Ok(Some(login));
                }
            }
            Ok(None)
        }
    }
}

fn from_file(registry: &str, file: PathBuf) -> Result<Option<Login>, CredentialsError> {
    // Docker Hub's key in the file (docker's `registry/config.go`, IndexServer).
    let key = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let registry = registry.to_owned();
    let text = match input::file_text(&file, input::WRITTEN_BY_HAND) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CredentialsError::Unreadable { registry, file, source }),
    };
    let Ok(Value::Object(mut config)) = serde_json::from_str(&text) else {
        return Err(CredentialsError::Malformed { registry, file });
    };
    // Helpers are asked here: what the library starts has no limits.
    let named = |value: Option<&Value>| {
        let name = value.and_then(Value::as_str).filter(|name| !name.is_empty());
        name.map(|name| format!("docker-credential-{name}"))
    };
    let own_helper = named(config.get("credHelpers").and_then(|helpers| helpers.get(key)));
    let store = named(config.get("credsStore"));
    config.retain(|field, _| field == "auths");
    if let Some(helper) = own_helper {
        return from_helper(registry, file, helper, key);
    }
    let auths = Value::Object(config).to_string();
    match docker_credential::get_credential_from_reader(auths.as_bytes(), key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            login(user, password).ok_or(CredentialsError::Malformed { registry, file })
        }
        Ok(DockerCredential::IdentityToken(_)) => {
            Err(CredentialsError::IdentityToken { registry, file })
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => match store {
            Some(helper) => from_helper(registry, file, helper, key),
            None => Ok(None),
        },
        Err(_) => Err(CredentialsError::Malformed { registry, file }),
    }
}

fn from_helper(
    registry: String,
    file: PathBuf,
    helper: String,
    key: &str,
) -> Result<Option<Login>, CredentialsError> {
    match helper::ask(OsStr::new(&helper), key, helper::PATIENCE) {
        Ok(None) => Ok(None),
        Ok(Some(answer)) if answer.username == "<token>" => {
            Err(CredentialsError::IdentityToken { registry, file })
        }
        Ok(Some(answer)) => login(answer.username, answer.secret).ok_or_else(|| {
            let reason = "its answer holds control characters".to_owned();
            CredentialsError::Helper { registry, file, helper, reason }
        }),
        Err(reason) => Err(CredentialsError::Helper { registry, file, helper, reason }),
    }
}

/// A login; of no user, which some helpers answer, nobody. None where it could
/// not be sent (RFC 7617, 2) nor its user be shown.
fn login(user: String, password: String) -> Option<Option<Login>> {
    if user.contains(char::is_control) || password.contains(char::is_control) {
        return None;
    }
    Some((!user.is_empty()).then(|| Login { user, password: Secret::new(password) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_docker_and_podman_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let docker = folder.path().join("config.json");
        let podman = folder.path().join("auth.json");
        // `alice:s3cret`, `bob:pw:with:colons`, `carol:qq9`
        std::fs::write(
            &docker,
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YWxpY2U6czNjcmV0"},"r.io:5000":{"auth":"Ym9iOnB3OndpdGg6Y29sb25z"},"token.io":{"identitytoken":"refresh"},"bad.io":{"auth":"***"}},"credHelpers":{"helped.io":"kubeferry-no-such-helper"}}"#,
        )
        .unwrap();
        std::fs::write(&podman, r#"{"auths":{"quay.io":{"auth":"Y2Fyb2w6cXE5"}}}"#).unwrap();
        let files = [folder.path().join("absent"), docker, podman];
        let login = |registry| find(&CredentialSource::LoginFiles, registry, &files);

        for (registry, user, password) in [
            ("docker.io", "alice", "s3cret"),
            ("r.io:5000", "bob", "pw:with:colons"),
            ("quay.io", "carol", "qq9"),
        ] {
            let found = login(registry).unwrap().unwrap();
            assert_eq!((found.user.as_str(), found.password.expose()), (user, password));
            assert!(!format!("{found:?}").contains(password));
        }
        assert_eq!(login("r.io").unwrap(), None);
        assert!(matches!(login("token.io"), Err(CredentialsError::IdentityToken { .. })));
        assert!(matches!(login("bad.io"), Err(CredentialsError::Malformed { .. })));
        assert!(matches!(login("helped.io"), Err(CredentialsError::Helper { .. })));
    }

    #[test]
    fn names_the_variable_that_is_not_set() {
        let source = CredentialSource::Environment {
            user_variable: "KUBEFERRY_TEST_NO_SUCH_USER".to_owned(),
            password_variable: "KUBEFERRY_TEST_NO_SUCH_PASSWORD".to_owned(),
        };
        let error = find(&source, "r.io", &[]).unwrap_err().to_string();
        assert!(error.contains("KUBEFERRY_TEST_NO_SUCH_USER"), "{error}");
    }
}
