//! `installer upgrade --back` and `--finish`.

use std::io::Write;
use std::time::Instant;

use bundle_format::text::{count, printable, stderr, stdout};

use super::ended::{self, Ended, carried_out, confirmed, tell};
use super::{node, preflight as told};
use crate::engine::run::{self, Planned};
use crate::failure::Failure;
use crate::host::{Host, LOG};
use crate::node::kubeadm::may_have_other_masters;
use crate::receipt::{self, Stage, Upgrade};
use crate::role::Role;
use crate::upgrade::{self, Return, Way, back};

pub(super) fn back(dry_run: bool, yes: bool, from_snapshot: bool) -> Ended {
    let begun = Instant::now();
    carried_out(prepare(dry_run, yes, from_snapshot), |(host, own)| carry_out(host, own, begun))
}

/// The upgrade that can be taken back.
fn open(host: &Host) -> anyhow::Result<Upgrade> {
    let open = receipt::upgrade(host.lines()).cloned();
    Ok(open.ok_or_else(|| {
        Failure::new(
            "this node has no upgrade that can be taken back",
            "`installer upgrade --finish` ends the time in which one can be; a backup of the \
             cluster can be restored",
        )
    })?)
}

fn prepare(
    dry_run: bool,
    yes: bool,
    from_snapshot: bool,
) -> anyhow::Result<Option<(Host, Return)>> {
    let host = node::host(None)?;
    if let Some(done) = receipt::returned(host.lines()).cloned() {
        let Upgrade { from, .. } = &done;
        writeln!(stdout(), "this node is back at Kubernetes {from}; there is nothing to do")?;
        if !dry_run {
            // It may have been killed before it had removed everything.
            upgrade::forget(&mut node::begin(host)?, Stage::Returned)?;
        }
        return Ok(None);
    }
    let open = open(&host)?;
    let role = Role::of_receipt(host.lines());
    let role = role.ok_or_else(|| {
        Failure::new("the installer has not made this node", "see `installer status`")
    })?;
    let Some(mut own) = Return::of(&host, role, &open)? else {
        writeln!(stdout(), "nothing of the upgrade {open} is left to take back")?;
        if !dry_run {
            upgrade::forget(&mut node::begin(host)?, Stage::Returned)?;
        }
        return Ok(None);
    };
    own.from_snapshot = from_snapshot;
    if role == Role::Master && upgrade::way(&host)? == Way::Unknown && !upgrade::is_asleep(&host)? {
        drop(writeln!(stderr(), "waiting for etcd, which does not answer"));
        // The problems say that it did not come.
        drop(upgrade::await_start(&host));
    }
    let problems = upgrade::problems(&host, &own)?;
    told::tell(&problems)?;
    told::refuse(&problems)?;
    let plan = run::plan(&host, &own, &back::STEPS)?;
    show(&host, &own, &plan)?;
    if dry_run {
        writeln!(stderr(), "nothing was changed")?;
        return Ok(None);
    }
    if !(yes || confirmed("Do this?")?) {
        return Ok(None);
    }
    Ok(Some((node::begin(host)?, own)))
}

fn show(host: &Host, own: &Return, plan: &[Planned<Return>]) -> anyhow::Result<()> {
    let mut out = stdout();
    let Upgrade { from, to, .. } = &own.upgrade;
    let name = printable(&own.name.to_string());
    writeln!(out, "{name} ({}) goes back from Kubernetes {to} to {from}", own.address)?;
    if own.role == Role::Master {
        let from_snapshot = || -> anyhow::Result<String> {
            let made = upgrade::snapshot_made(host)?;
            Ok(format!(
                "etcd's data come from the snapshot of {made}: what the cluster was told since is lost"
            ))
        };
        let data = match upgrade::way(host)? {
            Way::Snapshot => from_snapshot()?,
            Way::Unknown if own.from_snapshot => from_snapshot()?,
            Way::Unknown => {
                "etcd is started first; if it does not answer then, nothing else is changed".into()
            }
            Way::Stay | Way::Downgrade(..) => "etcd's data stay: nothing is lost".into(),
        };
        writeln!(out, "{data}")?;
    }
    writeln!(out)?;
    ended::show(plan)?;
    Ok(())
}

fn carry_out(host: &mut Host, own: &Return, begun: Instant) -> anyhow::Result<()> {
    let made = run::apply(host, own, &back::STEPS, &mut tell::<Return>)?;
    upgrade::forget(host, Stage::Returned)?;
    let mut out = stdout();
    let (name, from) = (printable(&own.name.to_string()), &own.upgrade.from);
    let changes = count(made, "change");
    writeln!(
        out,
        "{name} has Kubernetes {from} again; {changes} in {} s",
        begun.elapsed().as_secs()
    )?;
    writeln!(out, "log:   {LOG}")?;
    Ok(())
}

pub(super) fn finish(yes: bool) -> Ended {
    carried_out(agreed(yes), |(host, _)| end(host))
}

/// Ends an upgrade that was made.
pub(super) fn end(host: &mut Host) -> anyhow::Result<()> {
    let open = open(host)?;
    let images = count(upgrade::release(host)?, "old image");
    upgrade::forget(host, Stage::Finished)?;
    writeln!(stdout(), "the upgrade {open} is finished; {images} removed")?;
    Ok(())
}

fn agreed(yes: bool) -> anyhow::Result<Option<(Host, Upgrade)>> {
    let host = node::host(None)?;
    let Some(open) = receipt::upgrade(host.lines()).cloned() else {
        writeln!(stdout(), "this node has no upgrade to finish")?;
        return Ok(None);
    };
    if open.stage != Stage::Made {
        return Err(Failure::new(
            format!("the upgrade {open} has not ended"),
            "go on with it, or back: `installer status` says how far it is",
        )
        .into());
    }
    writeln!(stdout(), "the upgrade {open} cannot be taken back after this")?;
    let others = match Role::of_receipt(host.lines()) {
        _ if open.from == open.to => None,
        Some(Role::Worker) => Some(
            "nor can its masters', because a kubelet must not be newer than an API server: finish \
             the masters first",
        ),
        Some(Role::Master) if may_have_other_masters(&host) => Some(
            "finish the other masters too: after this, the cluster can no longer become what it was",
        ),
        _ => None,
    };
    others.map_or(Ok(()), |others| writeln!(stdout(), "{others}"))?;
    if !(yes || confirmed("Do this?")?) {
        return Ok(None);
    }
    Ok(Some((node::begin(host)?, open)))
}
