//! A login at a registry, and why it could not be found.

use std::io;
use std::path::PathBuf;

use crate::fetch::Secret;

/// The secret that a registry or its token server gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A user and the password.
    Password {
        /// The user. It may be shown.
        user: String,
        /// The password. It is never shown.
        password: Secret,
    },
    /// A token with which a token server issues others (a refresh token in
    /// distribution's `docs/spec/auth/oauth.md`).
    IdentityToken(Secret),
}

impl Login {
    /// The user, for messages.
    pub fn who(&self) -> String {
        match self {
            Self::Password { user, .. } => format!("user `{user}`"),
            Self::IdentityToken(_) => "the identity token of its login".to_owned(),
        }
    }
}

/// Why a registry's credentials could not be read. These errors never contain what a
/// file or a helper said, because that may be the secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// An environment variable that the spec names is not set, empty, or not
    /// text.
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
    /// The login file that an environment variable names does not exist.
    #[error("REGISTRY_AUTH_FILE names {}, which does not exist; log in again with `podman login`, or unset the variable", file.display())]
    NotThere {
        /// The file.
        file: PathBuf,
    },
    /// A login file exists, but cannot be opened.
    #[error("registry {registry}: cannot read its credentials from {}", file.display())]
    Unreadable {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A login file does not have docker's form.
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
        /// What happened.
        reason: String,
    },
}
