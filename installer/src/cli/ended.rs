//! How a command that changes a node ends, and the question before it.

use std::io::{self, Write};

use bundle_format::text::stderr;

use crate::host::LOG;

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
