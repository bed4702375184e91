//! A running firewalld, asked over D-Bus by `busctl` (firewalld.dbus(5)). `firewall-cmd` takes
//! twenty times as long, because it is a Python program. `firewall-cmd --permanent` also lists
//! the interfaces that NetworkManager puts into a zone; [`super::arrival`] asks `nmcli` for these.

use super::words::Value;
use crate::exec::{Command, Output};
use crate::failure::Failure;
use crate::host::Host;

/// firewalld's name on the bus. The names of its interfaces begin so too.
const NAME: &str = "org.fedoraproject.FirewallD1";
/// What is at work (firewalld.dbus(5)).
pub(super) const AT_WORK: &str = "/org/fedoraproject/FirewallD1";
/// What is in its files.
pub(super) const IN_FILES: &str = "/org/fedoraproject/FirewallD1/config";

/// A question: a method of an object. `interface` is the end of its name, such as `.zone`.
pub(super) fn question(object: &str, interface: &str, method: &str) -> Command {
    // While firewalld loads its rules, it may answer later than in the 25 s that busctl usually
    // waits. But busctl must end before `LIMIT` of `host/ask.rs`, so that the operator sees why.
    // After `--`, words may begin with a dash, as a zone's name may.
    let call = ["busctl", "--timeout=110", "--", "call", NAME, object];
    Command::new(call).with(format!("{NAME}{interface}")).with(method)
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
    Ok(values.into_iter().next().ok_or_else(|| strange(question))?)
}

/// Whether firewalld has no such method: it is older than the method.
pub(super) fn is_too_old(said: &Output) -> bool {
    !said.succeeded() && said.stderr.contains("Unknown method")
}

/// The failure if the answer is not what this method gives.
pub(super) fn strange(question: &Command) -> Failure {
    Failure::new(
        format!("the answer to `{question}` is not understood"),
        "this installer does not know this version of firewalld: set `firewall: leave` in the \
         cluster file, and open the ports yourself",
    )
}

/// The failure if firewalld does not answer, which is neither yes nor no.
pub(super) fn unanswered(question: &Command, said: &Output) -> Failure {
    let reason = said.reason().unwrap_or("it says nothing").to_owned();
    Failure::new(
        format!("`{question}` does not answer: {reason}"),
        "see why with `systemctl status firewalld`, or set `firewall: leave` in the cluster file",
    )
}
