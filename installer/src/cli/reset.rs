//! `installer reset`.

use std::io::{self, Write};

use anyhow::bail;

use super::{confirmed, node};
use crate::reset as back;

pub(crate) fn reset(yes: bool) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if host.lines().is_empty() {
        writeln!(io::stdout(), "this node has no receipt: nothing was done to it")?;
        return Ok(());
    }
    if !(yes || confirmed("Take back all that was done to this node? Its pods and their data go.")?)
    {
        return Ok(());
    }
    let mut host = host.open()?;
    let left = back::reset(&mut host, &mut |line| drop(writeln!(io::stderr(), "{line}")));
    if left.is_empty() {
        back::forget(&host)?;
        writeln!(io::stdout(), "this node is as it was; restart it to end what pods have left")?;
        return Ok(());
    }
    for one in &left {
        writeln!(io::stderr(), "left: {one}")?;
    }
    bail!("{} things could not be taken back; the rest was", left.len())
}
