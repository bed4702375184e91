//! `installer up` on a terminal, where somebody answers.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use lab::network::LAN;
use lab::program;

use crate::application::wait;
use crate::support::words;
use crate::up::Operator;

/// A question on the terminal, and what is typed when it is there.
pub(crate) struct Answer<'a> {
    pub(crate) question: &'a str,
    pub(crate) typed: &'a str,
    /// Whether the terminal does not show what is typed.
    pub(crate) is_hidden: bool,
}

/// Runs `installer up` with these arguments. Gives whether it succeeded, and what the terminal
/// showed. `meanwhile` gets what it has shown so far, each time when there is more.
pub(crate) fn up(
    operator: &Operator,
    arguments: &[&str],
    answer: &Answer<'_>,
    mut meanwhile: impl FnMut(&str),
) -> (bool, String) {
    // In the foreground, because only there a program may read what is typed.
    let line = format!(
        "tty; ip netns exec {LAN} timeout --foreground 480 {} up --config cluster.yaml {}",
        program("installer").unwrap().display(),
        arguments.join(" ")
    );
    let path = format!("{}:{}", operator.path().join("bin").display(), env!("PATH"));
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(operator.path())
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut pipe, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    let mut is_typed = false;
    loop {
        let count = stdout.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        said.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&said);
        if !is_typed && text.contains(answer.question) {
            if answer.is_hidden {
                // Somebody who types is slower than the program, which asks first.
                let device = text.lines().next().unwrap_or_default();
                wait("the terminal to show nothing", || is_silent(device));
            }
            pipe.write_all(format!("{}\n", answer.typed).as_bytes()).unwrap();
            is_typed = true;
        }
        meanwhile(&text);
    }
    let has_succeeded = child.wait().unwrap().success();
    (has_succeeded, String::from_utf8_lossy(&said).into_owned())
}

/// Whether a terminal does not show what is typed.
fn is_silent(device: &str) -> bool {
    let said = Command::new("stty").args(["-F", device.trim(), "-a"]).output().unwrap();
    words(&said).split_whitespace().any(|word| word == "-echo")
}
