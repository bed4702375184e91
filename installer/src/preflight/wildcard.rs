//! A name server that answers for every name below the site's domain. A pod's
//! resolver tries a name with fewer than five dots below that domain first
//! (`ndots:5`; kubernetes.io, "DNS for Services and Pods"). It would get a wrong
//! address for most names outside of the cluster.

use std::time::{Duration, Instant};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;

/// A name that no machine has.
const NOBODY: &str = "kubeferry-asks-for-a-name-that-nobody-has";
/// The time limit of all answers. Sites without internet often have a name server
/// that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn warnings(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    let text = host.read("/etc/resolv.conf")?.unwrap_or_default();
    if !text.lines().any(|line| line.split_ascii_whitespace().next() == Some("nameserver")) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let begun = Instant::now();
    for domain in domains(&text) {
        let name = format!("{NOBODY}.{domain}.");
        let command =
            Command::new(["env", "RES_OPTIONS=timeout:1 attempts:1", "getent", "ahostsv4"]);
        let left = PATIENCE.saturating_sub(begun.elapsed());
        let Some(said) = host.answer_within(&command.with(&name), left)? else { break };
        let address = said.stdout.split_ascii_whitespace().next();
        if let Some(address) = address.filter(|_| said.succeeded()) {
            found.push(Failure::new(
                format!(
                    "the site's DNS answers for every name below {domain}, also for \
                     {NOBODY}.{domain} ({address}), so that pods get wrong addresses"
                ),
                format!(
                    "take the entry *.{domain} out of the site's DNS, or {domain} out of the line \
                     `search` in /etc/resolv.conf (`nmcli connection modify … ipv4.dns-search`)"
                ),
            ));
        }
    }
    Ok(found)
}

/// The domains that a resolver searches: the last line of `search` or `domain`
/// (resolv.conf(5)).
fn domains(text: &str) -> Vec<&str> {
    let is_meant =
        |line: &&str| matches!(line.split_ascii_whitespace().next(), Some("search" | "domain"));
    let last = text.lines().rfind(is_meant).unwrap_or_default();
    let all = last.split_ascii_whitespace().skip(1).map(|domain| domain.trim_matches('.'));
    all.filter(|domain| !domain.is_empty()).collect()
}
