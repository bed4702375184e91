//! Docker's credential helpers: programs that store logins
//! (docker-credential-helpers' `credentials/credentials.go`).

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::program::{self, Finished, Limits};

/// The longest answer that is read, in bytes. A login has some hundred bytes, a token
/// some thousand.
const MAX_ANSWER: u64 = 64 << 10;
/// How long a helper may take. This is enough for a helper that asks a cloud.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The answer of a helper that has no login (`credentials/error.go`).
const NOBODY: &str = "credentials not found in native keychain";

/// The answer of a helper for a registry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Answer {
    /// `<token>` if the secret is an identity token.
    pub(super) username: String,
    pub(super) secret: String,
}

/// Asks `program` for the login at `server`; `None` if it has none. Errors never
/// contain its output, which may be the secret.
pub(super) fn ask(
    program: &OsStr,
    server: &str,
    patience: Duration,
) -> Result<Option<Answer>, String> {
    // Helpers write their errors to standard output.
    let mut command = Command::new(program);
    command.arg("get").stderr(Stdio::null());
    let limits = Limits { patience, output: MAX_ANSWER };
    let Finished { status, output, .. } = program::run(&mut command, server.as_bytes(), limits)
        .map_err(|unfinished| unfinished.to_string())?;
    if !status.success() {
        let knows_nobody = String::from_utf8_lossy(&output).contains(NOBODY);
        return if knows_nobody { Ok(None) } else { Err(format!("it ended with {status}")) };
    }
    let answer = serde_json::from_slice(&output);
    answer.map(Some).map_err(|_| "its answer does not have the form of docker's helpers".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_helper_answers_or_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str, script: &str| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            path
        };
        let long = Duration::from_secs(20);
        let good = program("good", r#"printf '{"Username":"u","Secret":"%s %s"}' "$1" "$(cat)""#);
        let answer = ask(good.as_os_str(), "r.io", long).unwrap().unwrap();
        assert_eq!((answer.username.as_str(), answer.secret.as_str()), ("u", "get r.io"));
        let nobody = program("nobody", &format!("echo {NOBODY}; exit 1"));
        assert!(ask(nobody.as_os_str(), "r.io", long).unwrap().is_none());
        for (name, script, patience, words) in [
            ("fails", "echo hunter2; exit 3", long, "status: 3"),
            ("odd", "echo hunter2", long, "form"),
            ("floods", "exec cat /dev/zero", long, "more than 65536"),
            ("hangs", "exec sleep 600", Duration::from_millis(200), "in time"),
            ("lingers", "exec >&-; exec sleep 600", Duration::from_millis(200), "in time"),
        ] {
            let begun = Instant::now();
            let error = ask(program(name, script).as_os_str(), "r.io", patience).err().unwrap();
            assert!(error.contains(words) && !error.contains("hunter2"), "{name}: {error}");
            assert!(begun.elapsed() < long, "{name}");
        }
        assert!(ask(OsStr::new("/no/such"), "r.io", long).err().unwrap().contains("started"));
    }
}
