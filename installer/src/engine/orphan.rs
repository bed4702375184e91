//! A command of an earlier run that was killed. The command goes on without it, and
//! its work would look like the node's own state.

use std::io::Write;
use std::path::Path;

use bundle_format::text::{printable, stderr};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::receipt::{self, Deed};

/// How long it may take, in seconds: dnf may have hundreds of packages to install.
const PATIENCE: u32 = 900;

/// Waits for it to end. It is the receipt's last command, because commands run one
/// after the other; or, if a reset was killed, an undo.
pub fn await_end(host: &Host) -> anyhow::Result<()> {
    let mut commands: Vec<&Command> =
        receipt::commands(host.lines()).next_back().into_iter().collect();
    for deed in receipt::remaining(host.lines()) {
        if let Deed::Ran { undo, .. } = deed {
            commands.extend(undo);
        }
    }
    let Some((process, command)) = running(host, &commands)? else { return Ok(()) };
    let what = format!("`{command}`, which an earlier run left behind, to end");
    // Tell the person what the wait is for.
    drop(writeln!(stderr(), "waiting for {} (process {process})", printable(&what)));
    let has_ended = |host: &Host| Ok(running(host, &commands)?.is_none());
    host.await_that(&what, PATIENCE, has_ended).map_err(|error| {
        let cure = format!("end it with `kill {process}`, and run this again");
        Failure::new("an earlier run still changes this node", cure).because(error).into()
    })
}

/// The process that runs one of these commands; for a script, its interpreter.
fn running<'a>(
    host: &Host,
    commands: &[&'a Command],
) -> anyhow::Result<Option<(String, &'a Command)>> {
    for process in host.list("/proc")? {
        if !process.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let place = format!("/proc/{process}/cmdline");
        let line = match host.read(&place) {
            // The process has ended meanwhile.
            Err(_) if !host.exists(&place) => continue,
            line => line?.unwrap_or_default(),
        };
        let words: Vec<&str> = line.trim_end_matches('\0').split('\0').collect();
        if let Some(command) = commands.iter().find(|command| is_run_by(command, &words)) {
            return Ok(Some((process, command)));
        }
    }
    Ok(None)
}

/// Whether these words are the command's, perhaps with an interpreter before them.
fn is_run_by(command: &Command, words: &[&str]) -> bool {
    let Some((program, arguments)) = command.words().split_first() else { return false };
    let Some(at) = words.len().checked_sub(arguments.len() + 1) else { return false };
    let (name, own) = (Path::new(words[at]).file_name(), &words[at + 1..]);
    name.is_some_and(|name| name == program.as_str()) && own == arguments
}
