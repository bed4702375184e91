//! A running firewalld, asked over D-Bus by `busctl`. `firewall-cmd` asks the same, and takes
//! twenty times as long, because it is a Python program.

use super::words::Value;
use crate::exec::{Command, Output};
use crate::failure::Failure;
use crate::host::Host;

/// firewalld's name on the bus, and the beginning of its interfaces.
const NAME: &str = "org.fedoraproject.FirewallD1";
/// What is at work (firewalld.dbus(5)).
pub(super) const AT_WORK: &str = "/org/fedoraproject/FirewallD1";
/// What is in its files.
pub(super) const IN_FILES: &str = "/org/fedoraproject/FirewallD1/config";

/// A question: a method of an object. `interface` is the end of its name, such as `.zone`.
pub(super) fn question(object: &str, interface: &str, method: &str) -> Command {
    Command::new(["busctl", "call", NAME, object, &format!("{NAME}{interface}"), method])
}

/// The same, about something with a name.
pub(super) fn question_of(object: &str, interface: &str, method: &str, name: &str) -> Command {
    question(object, interface, method).with("s").with(name)
}

/// The only value of the answer.
pub(super) fn answer(host: &Host, question: &Command) -> anyhow::Result<Value> {
    let said = host.answer(question)?;
    if !said.succeeded() {
        return Err(unanswered(question, &said).into());
    }
    read(question, &said)
}

/// The only value of an answer that was given.
pub(super) fn read(question: &Command, said: &Output) -> anyhow::Result<Value> {
    let values = Value::of_reply(&said.stdout).unwrap_or_default();
    let value = values.into_iter().next();
    value.ok_or_else(|| unanswered(question, said).into())
}

/// The failure if firewalld does not answer, which is neither yes nor no.
pub(super) fn unanswered(question: &Command, said: &Output) -> Failure {
    let reason = said.reason().unwrap_or("it says nothing").to_owned();
    Failure::new(
        format!("`{question}` does not answer: {reason}"),
        "see why with `systemctl status firewalld`, or set `firewall: leave` in the cluster file",
    )
}
