//! How a command that changes a node ends, and the question before it.

use std::io::{self, Write};

use bundle_format::text::{printable, stderr, stdout};

use crate::engine::change::Change;
use crate::engine::run::Planned;
use crate::engine::step::Purpose;
use crate::host::LOG;
use crate::receipt::StepName;

/// The result of a command; and its log, if it got so far as to write one.
pub(super) type Ended = (anyhow::Result<()>, Option<&'static str>);

/// Makes what was agreed to; nothing if the answer was no.
pub(super) fn carried_out<T>(
    agreed: anyhow::Result<Option<T>>,
    carry_out: impl FnOnce(&mut T) -> anyhow::Result<()>,
) -> Ended {
    match agreed {
        Ok(None) => (Ok(()), None),
        Ok(Some(mut agreed)) => (carry_out(&mut agreed), Some(LOG)),
        Err(error) => (Err(error), None),
    }
}

/// Prints the changes of a plan, a line each.
pub(super) fn show<P: Purpose>(plan: &[Planned<P>]) -> io::Result<()> {
    let mut out = stdout();
    for change in plan.iter().flat_map(|planned| &planned.changes) {
        writeln!(out, "  {}", printable(&change.to_string()))?;
    }
    writeln!(out)
}

/// Tells of each change, before it is made.
pub(super) fn tell<P: Purpose>(_: usize, _: StepName, changes: &[Change<P::Own>]) {
    for change in changes {
        drop(writeln!(stderr(), "{}", printable(&change.to_string())));
    }
}

/// Asks the person at the terminal. Without a terminal the answer is no. A no is
/// reported.
pub(super) fn confirmed(question: &str) -> anyhow::Result<bool> {
    use std::io::IsTerminal;
    if !io::stdin().is_terminal() {
        writeln!(stderr(), "nothing was changed; --yes does it without asking")?;
        return Ok(false);
    }
    write!(stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    let is_yes = matches!(answer.trim(), "y" | "Y" | "yes");
    if !is_yes {
        writeln!(stderr(), "nothing was changed")?;
    }
    Ok(is_yes)
}
