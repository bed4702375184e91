//! Who to be at a registry, and why that could not be found out.

use std::io;
use std::path::PathBuf;

use crate::fetch::Secret;

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
