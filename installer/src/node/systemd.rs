//! What systemd says of a unit.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;

/// Whether `systemctl is-active` or `is-enabled` says `word`. If systemd does not
/// answer, that is an error, and not "no".
pub(crate) fn unit_is(host: &Host, word: &str, unit: &str) -> anyhow::Result<bool> {
    let question = if word == "active" { "is-active" } else { "is-enabled" };
    let told = unit_told(host, question, unit)?;
    // These cannot be enabled any further: other units start them.
    let starts = ["static", "indirect", "generated", "alias"];
    Ok(told == word || word == "enabled" && starts.contains(&told.as_str()))
}

/// The word that `systemctl` answers; empty if there is no such unit.
pub(crate) fn unit_told(host: &Host, question: &str, unit: &str) -> anyhow::Result<String> {
    let command = Command::of(&format!("systemctl {question} {unit}"));
    let said = host.answer(&command)?;
    // If there is no such unit, older versions only print this error. Below
    // `--root` there is no systemd.
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

/// The units that systemd knows, by one question. A unit that runs without its file is among
/// them, and so is a masked one.
pub(crate) fn units_there<'a>(host: &Host, units: &[&'a str]) -> anyhow::Result<Vec<&'a str>> {
    let question = "systemctl show --property=LoadState --property=ActiveState";
    let command = units.iter().copied().fold(Command::of(question), Command::with);
    let said = host.answer(&command)?;
    let is_absent = |unit: &str| {
        unit.lines().any(|line| line == "LoadState=not-found")
            && unit.lines().any(|line| line == "ActiveState=inactive")
    };
    // An empty line is between two.
    let told: Vec<&str> = said.stdout.trim().split("\n\n").collect();
    if told.len() != units.len() {
        // It says less below `--root`. Then each is asked.
        return Ok(units.to_vec());
    }
    let with_words = units.iter().zip(told);
    Ok(with_words.filter(|(_, told)| !is_absent(told)).map(|(unit, _)| *unit).collect())
}

/// Whether systemd has no such unit. `is-active` cannot tell: newer versions say
/// `inactive` of a missing unit too, and 219 says `unknown`.
pub(crate) fn unit_is_absent(host: &Host, unit: &str) -> anyhow::Result<bool> {
    Ok(load_state(host, unit)? == "not-found")
}

/// systemd's `LoadState` of a unit: `loaded`, `masked`, `not-found`.
pub(crate) fn load_state(host: &Host, unit: &str) -> anyhow::Result<String> {
    let said = host.answer(&Command::of("systemctl show --property=LoadState").with(unit))?;
    Ok(said.stdout.trim().trim_start_matches("LoadState=").to_owned())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::exec::{Exec, Input, Output};

    /// Answers each question so.
    struct Says(&'static str);

    impl Exec for Says {
        fn run(&self, _: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
            Ok(Output { status: Some(0), stdout: self.0.to_owned(), stderr: String::new() })
        }

        fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
            self.run(command, None)
        }
    }

    #[test]
    fn a_unit_is_there_with_its_file_or_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let there = |answer| {
            let host = Host::look(folder.path(), Box::new(Says(answer))).unwrap();
            units_there(&host, &["a", "b", "c", "d"]).unwrap()
        };
        let of_252 = "LoadState=not-found\nActiveState=inactive\n\n\
                      LoadState=not-found\nActiveState=active\n\n\
                      LoadState=masked\nActiveState=inactive\n\n\
                      LoadState=loaded\nActiveState=inactive\n";
        assert_eq!(there(of_252), ["b", "c", "d"]);
        // Nothing below `--root`, and who knows what next.
        assert_eq!(there(""), ["a", "b", "c", "d"]);
        assert_eq!(there("LoadState=not-found\nActiveState=inactive\n"), ["a", "b", "c", "d"]);
    }
}
