//! What systemd says of a unit.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;

/// Whether systemd says `word` of a unit, to `is-active` or `is-enabled`. An
/// error where it says nothing: that is not "no".
pub(crate) fn unit_is(host: &Host, word: &str, unit: &str) -> anyhow::Result<bool> {
    let question = if word == "active" { "is-active" } else { "is-enabled" };
    let told = unit_told(host, question, unit)?;
    // What nothing can enable more than it is: it starts when others want it.
    let starts = ["static", "indirect", "generated", "alias"];
    Ok(told == word || word == "enabled" && starts.contains(&told.as_str()))
}

/// What systemd says of a unit, as [`unit_is`] has it; nothing of one that is not there.
pub(crate) fn unit_told(host: &Host, question: &str, unit: &str) -> anyhow::Result<String> {
    let command = Command::of(&format!("systemctl {question} {unit}"));
    let said = host.answer(&command)?;
    // Of a unit that is not there older ones have no word, only that error; in a
    // folder that is looked at there is no systemd.
    let is_absent = ["No such file", "Running in chroot"];
    let says = !said.stdout.trim().is_empty()
        || said.status == Some(127)
        || is_absent.iter().any(|words| said.stderr.contains(words));
    if !says {
        let reason = said.reason().unwrap_or("it says nothing");
        return Err(Failure::new(
            format!("`{command}` does not answer: {reason}"),
            "see why with `systemctl status`; if it does not answer either, restart the node",
        )
        .into());
    }
    Ok(said.stdout.trim().to_owned())
}

/// Whether systemd has no such unit. To `is-active` systemd 219 says `unknown` then,
/// and newer ones `inactive`, as of one that is off.
pub(crate) fn unit_is_absent(host: &Host, unit: &str) -> anyhow::Result<bool> {
    let said = host.answer(&Command::of("systemctl show --property=LoadState").with(unit))?;
    Ok(said.stdout.trim() == "LoadState=not-found")
}
