//! How a command that changes a node begins and ends: it is agreed to, and has a log.

use std::io::{self, Write};

use bundle_format::text::stderr;

use crate::host::LOG;

/// How a command ended, and its log where it came so far as to write one.
pub(super) type Ended = (anyhow::Result<()>, Option<&'static str>);

/// Carries out what was agreed to, which is nothing where the answer was no.
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

/// Asks the person at the terminal; nobody else says yes. A no is told.
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
