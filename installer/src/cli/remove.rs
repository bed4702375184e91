//! `installer remove`.

use std::io::Write;

use bundle_format::cluster::NodeName;
use bundle_format::text::stdout;

use super::ended::{Ended, carried_out, confirmed, show, tell};
use super::node;
use crate::engine::run;
use crate::host::Host;
use crate::node::paths::ADMIN_CONF;
use crate::removal::{Removal, STEPS};
use crate::role::no_master;

/// Takes another node out of the cluster.
pub(crate) fn remove(name: &NodeName, yes: bool) -> Ended {
    carried_out(agreed(name, yes), |ready| carry_out(name, ready))
}

/// A removal that was agreed to.
struct Ready {
    host: Host,
    removal: Removal,
}

/// Looks, shows, asks; none if the answer is no.
fn agreed(name: &NodeName, yes: bool) -> anyhow::Result<Option<Ready>> {
    let host = node::host(None)?;
    if !host.exists(ADMIN_CONF) {
        return Err(no_master().into());
    }
    let removal = Removal::of(&host, name.clone())?;
    let mut out = stdout();
    writeln!(out, "{name} leaves the cluster\n")?;
    show(&run::plan(&host, &removal, &STEPS)?)?;
    if !(yes || confirmed("Do this?")?) {
        return Ok(None);
    }
    Ok(Some(Ready { host: node::begin(host)?, removal }))
}

fn carry_out(name: &NodeName, ready: &mut Ready) -> anyhow::Result<()> {
    run::apply(&mut ready.host, &ready.removal, &STEPS, &mut tell::<Removal>)?;
    let mut out = stdout();
    writeln!(out, "{name} is no longer in the cluster")?;
    writeln!(out, "next:  run `installer reset` on {name}; if it is off, do not start it in this")?;
    writeln!(out, "       network before that: it would come back")?;
    Ok(())
}
