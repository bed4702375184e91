//! The login for a registry: from docker's configuration, podman's, or two
//! environment variables that the spec names.

use std::env;
use std::path::PathBuf;

use super::login::{CredentialsError, Login};
use super::login_file;
use crate::fetch::Secret;

/// The source of a registry's user and password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CredentialSource {
    /// The files of [`login_file::places`] and their helpers. Anonymous if they
    /// do not know the registry.
    #[default]
    LoginFiles,
    /// Two environment variables. Both must be set.
    Environment {
        /// The name of the variable that holds the user.
        user_variable: String,
        /// The name of the variable that holds the password.
        password_variable: String,
    },
}

/// The login for images of `repository` (`library/busybox`) at `registry`
/// (`docker.io`, `localhost:5000`), if there is one. `files` are
/// [`login_file::places`]; files that do not exist are skipped.
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
