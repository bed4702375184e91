//! The node's clock. Certificates and tokens are valid only while it is right.

use super::finding::{Finding, again, role};
use super::unit;
use crate::host::Host;
use crate::node::chrony::{self, ALLOWED, Tracking};
use crate::node::paths::CHRONY_CONF;
use crate::receipt::{self, StepName};
use crate::role::Role;
use crate::steps::time;

/// The installer set up chronyd here, and it is off.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    // On other nodes another program may set the clock.
    let is_ours = receipt::finished(host.lines(), StepName::Time);
    if is_ours { unit::off(host, "chronyd", StepName::Packages) } else { Ok(None) }
}

/// Another program sets the clock as well, now or after the next boot.
pub(super) fn beside(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !receipt::finished(host.lines(), StepName::Time) {
        return Ok(None);
    }
    let Some(change) = time::without_others(host)?.into_iter().next() else { return Ok(None) };
    let cause =
        format!("another program besides chronyd sets the clock; to switch it off: `{change}`");
    Ok(Some(Finding::new(cause, again(host, &[StepName::Time], change.to_string()))))
}

/// A worker's chronyd has no server.
pub(super) fn without_source(host: &Host) -> anyhow::Result<Option<Finding>> {
    if chrony::follows(host)? != Some(false) || role(host) == Role::Master {
        return Ok(None);
    }
    let text = host.read(CHRONY_CONF)?.unwrap_or_default();
    let named = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let is_server = matches!(words.next(), Some("server" | "pool" | "peer"));
        words.next().filter(|_| is_server).map(str::to_owned)
    };
    let servers: Vec<String> = text.lines().filter_map(named).collect();
    Ok(Some(if servers.is_empty() {
        let by_hand =
            format!("name a server in {CHRONY_CONF}, and run `systemctl restart chronyd`");
        Finding::new(
            format!("the clock has no time source: {CHRONY_CONF} names no server"),
            again(host, &[StepName::Time], by_hand),
        )
    } else {
        let servers = servers.join(", ");
        Finding::new(
            format!("the clock has no time source: chronyd uses none of its servers, {servers}"),
            format!(
                "systemctl restart chronyd && chronyc waitsync 60 0 0 1; if that fails, on \
                 {servers}: ./installer doctor"
            ),
        )
    }))
}

/// The clock is wrong, or chronyd does not know whether it is.
pub(super) fn off(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(Tracking { away, is_synchronised, .. }) = chrony::tracking(host)? else {
        return Ok(None);
    };
    if away > ALLOWED {
        return Ok(Some(Finding::new(format!("the clock is {away:.0} s off"), "chronyc makestep")));
    }
    if !is_synchronised && role(host) == Role::Master {
        let by_hand =
            format!("name a server in {CHRONY_CONF}, and run `systemctl restart chronyd`");
        return Ok(Some(Finding::new(
            "the clock is not synchronised, so chronyd gives no time to other nodes",
            again(host, &[StepName::Time], by_hand),
        )));
    }
    Ok(None)
}
