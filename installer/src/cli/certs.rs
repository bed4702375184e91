//! `installer certs`, `installer certs renew`.

use std::io::{self, Write};
use std::time::SystemTime;

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{confirmed, node};
use crate::certs::{self, Keeper, Kept, Standing};
use crate::renewal;

/// What is done with certificates besides listing them.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Gives the control plane new certificates: on a master, with no network
    Renew {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Lists all certificates of the node. Fails where one needs somebody's hand.
pub(crate) fn list(json: bool) -> anyhow::Result<()> {
    let now = SystemTime::now();
    let (all, unread) = certs::all(&node::host(None)?);
    let mut out = io::stdout().lock();
    if json {
        let listed: Vec<Value> = all.iter().map(|one| as_json(one, now)).collect();
        writeln!(out, "{:#}", json!({"certificates": listed, "unknown": unread}))?;
    } else {
        show(&mut out, &all, now)?;
        for place in &unread {
            writeln!(out, "could not look: {place}")?;
        }
    }
    // Nobody checks the one, and others are not the cluster's.
    let counts = |one: &&Kept| !matches!(one.keeper, Keeper::Unchecked | Keeper::Other);
    let bad = all.iter().filter(counts).filter(|one| one.standing(now) != Standing::Good).count();
    match (bad, unread.len()) {
        (0, 0) => Ok(()),
        (0, _) => bail!("not all certificates could be read"),
        (1, _) => bail!("1 certificate does not hold, or not for long; see `installer doctor`"),
        (many, _) => {
            bail!("{many} certificates do not hold, or not for long; see `installer doctor`")
        }
    }
}

/// Renews those of the control plane.
pub(crate) fn renew(yes: bool) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if let Some(failure) = renewal::refusal(&host)? {
        return Err(failure.into());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "new certificates for this node's control plane, which starts anew\n")?;
    for change in renewal::plan(&host)? {
        writeln!(out, "  {change}")?;
    }
    writeln!(out)?;
    if !(yes || confirmed("Do this?")?) {
        writeln!(io::stderr(), "nothing was changed; --yes does it without asking")?;
        return Ok(());
    }
    let mut host = host.open()?;
    let renewed =
        renewal::renew(&mut host, &mut |change| drop(writeln!(io::stderr(), "{change}")))?;
    show(&mut out, &renewed, SystemTime::now())?;
    writeln!(out, "log:   /var/log/kubeferry/install.log")?;
    Ok(())
}

/// A line for each, in columns.
fn show(out: &mut impl Write, all: &[Kept], now: SystemTime) -> io::Result<()> {
    let path = |one: &Kept| one.path.len();
    let issuer = |one: &Kept| one.certificate.issuer.clone().unwrap_or_else(|| "-".to_owned());
    let wide = all.iter().map(path).max().unwrap_or(0);
    let signed = all.iter().map(|one| issuer(one).len()).max().unwrap_or(0).max(4);
    if !all.is_empty() {
        writeln!(out, "{:20}  {:>8}  {:signed$}  {:wide$}  FOR", "UNTIL", "LEFT", "BY", "FILE")?;
    }
    for one in all {
        let left = match one.standing(now) {
            Standing::Expired => "expired".to_owned(),
            Standing::Early => "not yet".to_owned(),
            _ => format!("{} d", one.certificate.days_left(now)),
        };
        let (until, by) = (one.certificate.until.to_string(), issuer(one));
        writeln!(out, "{until:20}  {left:>8}  {by:signed$}  {:wide$}  {}", one.path, one.purpose)?;
    }
    Ok(())
}

fn as_json(one: &Kept, now: SystemTime) -> Value {
    let certificate = &one.certificate;
    json!({
        "path": one.path,
        "purpose": one.purpose,
        "name": certificate.common_name,
        "authority": certificate.issuer,
        "from": certificate.from.to_string(),
        "until": certificate.until.to_string(),
        "daysLeft": certificate.days_left(now),
        "standing": one.standing(now),
    })
}
