//! One password for all nodes, for sites without a key. `ssh` takes a password only from a
//! person or from a program that it starts (`SSH_ASKPASS`, ssh(1)): that is this program.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bundle_format::text::stdout;

/// Where `ssh` hands the password on. Only processes of this user and root can read it.
const VARIABLE: &str = "KUBEFERRY_SSH_PASSWORD";

/// Opens a connection as [`super::connection`] does, with a password from standard input. `$1`
/// is the program that `ssh` asks, `$2` how many seconds it may take. OpenSSH before 8.4 asks a
/// program only without a terminal and with a display, which is never opened.
pub(super) const OPEN: &str = r#"IFS= read -r KUBEFERRY_SSH_PASSWORD || exit
SSH_ASKPASS=$1 SSH_ASKPASS_REQUIRE=force DISPLAY=${DISPLAY:-none:0} limit=$2; shift 2
export KUBEFERRY_SSH_PASSWORD SSH_ASKPASS SSH_ASKPASS_REQUIRE DISPLAY
timeout "$limit" setsid ssh "$@" </dev/null >/dev/null 2>"$0"
status=$?; cat "$0" >&2; exit "$status""#;

/// What `ssh` is told besides, before all else, as it takes the first value. A host key that is
/// not known is refused, and not asked for. Nodes wait for one another longer than without a
/// password, because a connection cannot be made again.
pub(super) const OPTIONS: [&str; 8] = [
    "-o",
    "BatchMode=no",
    "-o",
    "NumberOfPasswordPrompts=1",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "ControlPersist=12h",
];

/// The password. It has no `Debug`, and is in no argument.
pub struct Password {
    text: String,
    /// This program.
    program: PathBuf,
}

impl Password {
    /// A password that a person has typed.
    pub fn new(text: String) -> anyhow::Result<Self> {
        let program = env::current_exe().context("finding this program's file")?;
        Ok(Self { text, program })
    }

    /// The program that `ssh` asks.
    pub(super) fn program(&self) -> String {
        self.program.display().to_string()
    }

    /// Writes it as a line.
    pub(super) fn write(&self, pipe: &mut dyn Write) -> io::Result<()> {
        writeln!(pipe, "{}", self.text)
    }
}

/// Answers `ssh` if that has started this process to ask for a password; none if it has not.
/// Any other question gets no answer, such as one for a host key or a key's passphrase.
pub fn answered() -> Option<ExitCode> {
    let password = env::var(VARIABLE).ok()?;
    let mut words = env::args().skip(1);
    let (question, None) = (words.next()?, words.next()) else { return None };
    if !is_for_password(&question) {
        return Some(ExitCode::FAILURE);
    }
    Some(match writeln!(stdout(), "{password}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn is_for_password(question: &str) -> bool {
    let question = question.trim_end().to_lowercase();
    question.ends_with("password:") && !question.ends_with("new password:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_password_is_answered() {
        for good in
            ["root@10.0.0.1's password: ", "(root@10.0.0.1) Password: ", "(a@newton) password:"]
        {
            assert!(is_for_password(good), "{good}");
        }
        for bad in [
            "",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Enter passphrase for key '/root/.ssh/id_ed25519': ",
            "New password: ",
            "(root@10.0.0.1) Retype new password: ",
            "Verification code: ",
        ] {
            assert!(!is_for_password(bad), "{bad}");
        }
        assert!(OPEN.contains(&format!("export {VARIABLE} ")));
    }
}
