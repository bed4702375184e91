//! The node's clock, by which certificates and tokens hold or do not.

use super::{Finding, again, role, unit};
use crate::host::Host;
use crate::receipt;
use crate::role::Role;
use crate::steps::time::PATH;

/// How far clocks may be apart, in seconds: what the installer asks for too.
const APART: f64 = 30.0;

/// chronyd is off on a node that the installer gave it to.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    // Elsewhere another program may see to the time.
    let is_ours = receipt::finished(host.lines(), "time");
    Ok(if is_ours { unit::off(host, "chronyd") } else { None })
}

/// No server tells a worker the time.
pub(super) fn without_source(host: &Host) -> anyhow::Result<Option<Finding>> {
    let sources = host.query("chronyc -c sources");
    // In CSV the second field is the state; `*` is the selected source
    // (chronyc(1), "sources").
    let follows = sources.stdout.lines().any(|line| line.split(',').nth(1) == Some("*"));
    if !sources.succeeded() || follows || role(host) == Role::Master {
        return Ok(None);
    }
    let text = host.read(PATH)?.unwrap_or_default();
    let named = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let is_server = matches!(words.next(), Some("server" | "pool" | "peer"));
        words.next().filter(|_| is_server).map(str::to_owned)
    };
    let servers: Vec<String> = text.lines().filter_map(named).collect();
    Ok(Some(if servers.is_empty() {
        let by_hand = format!("name a server in {PATH}, and run `systemctl restart chronyd`");
        Finding::new(
            format!("the clock follows nothing: {PATH} names no server"),
            again(host, &["time"], by_hand),
        )
    } else {
        let servers = servers.join(", ");
        Finding::new(
            format!("the clock follows nothing: chronyd has selected no source of {servers}"),
            format!(
                "systemctl restart chronyd && chronyc waitsync 60 0 0 1; if that fails, on \
                 {servers}: ./installer doctor"
            ),
        )
    }))
}

/// The clock is wrong, or nobody knows whether it is.
pub(super) fn off(host: &Host) -> anyhow::Result<Option<Finding>> {
    // In CSV: reference, name, stratum, its time, the system clock's offset in
    // seconds, …, and last the leap status (chronyc(1), "tracking").
    let said = host.query("chronyc -c tracking");
    if !said.succeeded() {
        return Ok(None);
    }
    let fields: Vec<&str> = said.stdout.trim().split(',').collect();
    let offset = fields.get(4).and_then(|field| field.parse().ok()).unwrap_or(0.0);
    if f64::abs(offset) > APART {
        return Ok(Some(Finding::new(
            format!("the clock is {:.0} s off", f64::abs(offset)),
            "chronyc makestep",
        )));
    }
    if fields.last() == Some(&"Not synchronised") && role(host) == Role::Master {
        let by_hand = format!("name a server in {PATH}, and run `systemctl restart chronyd`");
        return Ok(Some(Finding::new(
            "the clock is not synchronised, so that chronyd gives no time to others",
            again(host, &["time"], by_hand),
        )));
    }
    Ok(None)
}
