//! Who to be at a registry: docker's configuration, podman's, or two
//! environment variables that the spec names.

use std::env;
use std::io;
use std::path::PathBuf;

use super::login_file;
use crate::fetch::Secret;

/// Where a registry's user and password come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CredentialSource {
    /// The files of [`login_file::places`] with their helpers; nobody where they do
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

/// What a registry, or its token server, is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A user and the password.
    Password {
        /// The user; it may be shown.
        user: String,
        /// The password; it may not.
        password: Secret,
    },
    /// What a token server gives tokens for instead (distribution's
    /// `docs/spec/auth/oauth.md`, a refresh token).
    IdentityToken(Secret),
}

impl Login {
    /// Who this is, for a message.
    pub fn who(&self) -> String {
        match self {
            Self::Password { user, .. } => format!("user `{user}`"),
            Self::IdentityToken(_) => "the identity token of its login".to_owned(),
        }
    }
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
    /// The login file that the environment names is not there.
    #[error("REGISTRY_AUTH_FILE names {}, which is not there; log in anew with `podman login`, or unset the variable", file.display())]
    NotThere {
        /// The file.
        file: PathBuf,
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
}

/// The login for images of `repository` (`library/busybox`) at `registry`
/// (`docker.io`, `localhost:5000`), or none. `files` are
/// [`login_file::places`]; those that do not exist are passed over.
pub fn find(
    source: &CredentialSource,
    registry: &str,
    repository: &str,
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
            Ok(Some(Login::Password { user, password }))
        }
        CredentialSource::LoginFiles => {
            for file in files {
                if let Some(login) = login_file::find(registry, repository, file)? {
                    return Ok(Some(login));
                }
            }
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_variable_that_is_not_set() {
        let source = CredentialSource::Environment {
            user_variable: "KUBEFERRY_TEST_NO_SUCH_USER".to_owned(),
            password_variable: "KUBEFERRY_TEST_NO_SUCH_PASSWORD".to_owned(),
        };
        let error = find(&source, "r.io", "a", &[]).unwrap_err().to_string();
        assert!(error.contains("KUBEFERRY_TEST_NO_SUCH_USER"), "{error}");
    }
}
