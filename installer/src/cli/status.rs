//! `installer status`.

use std::io::{self, Write};

use bundle_format::text::{indented, plain_json, printable, stdout};

use super::node;
use crate::receipt::Stage;
use crate::status::{Progress, Registration, Status};

pub(crate) fn status(json: bool) -> anyhow::Result<()> {
    let status = Status::gather(&node::host(None)?);
    let mut out = stdout();
    if json {
        writeln!(out, "{}", plain_json(&serde_json::to_string_pretty(&status)?))?;
    } else {
        show(&mut out, &status)?;
    }
    Ok(())
}

fn show(out: &mut impl Write, status: &Status) -> io::Result<()> {
    match &status.role {
        Some(role) => {
            let is = if status.in_cluster { "is" } else { "is not yet" };
            let name = printable(&status.name);
            writeln!(out, "{name} {is} a {role}, by this node's receipt")?;
        }
        None => {
            writeln!(out, "{}: the installer has not been at work here", printable(&status.name))?;
        }
    }
    if let Some(upgrade) = &status.upgrade {
        let is = match upgrade.stage {
            Stage::Begun => "is being upgraded",
            Stage::Returning => "is on its way back from an upgrade",
            _ => "can be taken back from its upgrade",
        };
        writeln!(out, "upgrade:     it {is} {upgrade}")?;
    }
    for (progress, word) in [
        (Progress::Finished, "finished:"),
        (Progress::Interrupted, "interrupted:"),
        (Progress::Untouched, "no change:"),
    ] {
        let steps = status.steps.iter().filter(|step| step.progress == progress);
        let names: Vec<String> = steps.map(|step| step.name.to_string()).collect();
        if !names.is_empty() {
            writeln!(out, "{word:<13}{}", names.join(", "))?;
        }
    }
    for service in &status.services {
        writeln!(out, "{:<13}{}", format!("{}:", service.name), printable(&service.state))?;
    }
    if let Some(one) = &status.virtual_address {
        let words = match one.is_held_here {
            Some(true) => "this master holds it",
            Some(false) => "this master does not hold it",
            None => "unknown who holds it",
        };
        writeln!(out, "address:     {}: {words}", one.address)?;
    }
    let own = printable(status.kubelet.as_deref().unwrap_or("not installed"));
    match &status.node {
        Registration::Known { ready, message, kubelet } => {
            let kubelet = printable(kubelet);
            writeln!(out, "version:     kubelet {own}; the API server says {kubelet}")?;
            let ready = if ready == "True" { "Ready" } else { "not Ready" };
            writeln!(out, "node:        {ready}: {}", printable(message))
        }
        Registration::Unknown { error } => {
            writeln!(out, "version:     kubelet {own}")?;
            writeln!(out, "node:        {}", indented(error))
        }
    }
}
