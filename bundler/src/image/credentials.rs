//! Who to be at a registry: docker's configuration, podman's, or two
//! environment variables that the spec names.

use std::env;
use std::path::PathBuf;

use super::login::{CredentialsError, Login};
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
