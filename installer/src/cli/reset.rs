//! `installer reset`.

use std::io::Write;

use anyhow::bail;
use bundle_format::text::{indented, stderr, stdout};

use super::ended::{Ended, carried_out, confirmed};
use super::node;
use crate::engine::reset as back;
use crate::engine::reset::Told;
use crate::exec::Command;
use crate::host::Host;
use crate::node::virtual_address::VirtualAddress;
use crate::receipt::StepName;
use crate::removal;
use crate::role::Role;

pub(crate) fn reset(yes: bool) -> Ended {
    carried_out(agreed(yes), carry_out)
}

/// Looks, and asks; none if there is nothing to take back, or the answer is no.
fn agreed(yes: bool) -> anyhow::Result<Option<Host>> {
    let host = node::host(None)?;
    if host.lines().is_empty() {
        writeln!(stdout(), "this node has no receipt: nothing was done to it")?;
        return Ok(None);
    }
    if !(yes || confirmed("Take back all that was done to this node? Its pods and their data go.")?)
    {
        return Ok(None);
    }
    node::begin(host).map(Some)
}

fn carry_out(host: &mut Host) -> anyhow::Result<()> {
    if Role::of_receipt(host.lines()) == Some(Role::Master)
        && removal::leave(host, StepName::Remove)?
    {
        writeln!(stderr(), "this node's member has left etcd")?;
        if VirtualAddress::of(host)?.is_some() {
            // Another master has an API server, and gets the address at once.
            let stop = Command::of("systemctl stop keepalived");
            host.run(StepName::Remove, &stop, &[], &[], None)?;
        }
    }
    let mut stays = 0;
    let left = back::reset(host, &mut |told| {
        let line = match told {
            Told::Ran(command) => format!("run {command}"),
            Told::Stays(what) => {
                stays += 1;
                format!("stays: {what}")
            }
        };
        drop(writeln!(stderr(), "{}", indented(&line)));
    });
    if left.is_empty() {
        back::forget(host)?;
        let but = if stays == 0 { "" } else { ", but for what stays" };
        let restart = "restart it to remove what pods left in the kernel";
        writeln!(stdout(), "this node is as it was{but}; {restart}")?;
        return Ok(());
    }
    for one in &left {
        writeln!(stderr(), "left: {}", indented(one))?;
    }
    match left.len() {
        1 => bail!("1 thing could not be taken back; the rest was"),
        many => bail!("{many} things could not be taken back; the rest was"),
    }
}
