//! A name server that knows every name below the site's domain. A pod's resolver tries
//! a name with less than five dots below that domain before it takes it as it is
//! (`ndots:5`; kubernetes.io, "DNS for Services and Pods"), and so would get a wrong
//! address for most names outside of the cluster.

use std::time::Duration;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::step::Intent;

/// A name that nobody has.
const NOBODY: &str = "kubeferry-asks-for-a-name-that-nobody-has";
/// For how long it is asked: air-gapped sites often have a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn warnings(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    let text = host.read("/etc/resolv.conf")?.unwrap_or_default();
    if !text.lines().any(|line| line.split_ascii_whitespace().next() == Some("nameserver")) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for domain in domains(&text) {
        let name = format!("{NOBODY}.{domain}.");
        let command =
            Command::new(["env", "RES_OPTIONS=timeout:1 attempts:1", "getent", "ahostsv4"]);
        let Some(said) = host.answer_within(&command.with(&name), PATIENCE)? else { break };
        let address = said.stdout.split_ascii_whitespace().next();
        if let Some(address) = address.filter(|_| said.succeeded()) {
            found.push(Failure::new(
                format!(
                    "the site's DNS knows every name below {domain}: {NOBODY}.{domain} is \
                     {address}; pods would get that for names of others"
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

/// Those that a resolver searches: the last line of `search` or `domain` (resolv.conf(5)).
fn domains(text: &str) -> Vec<&str> {
    let words = |line: &'_ str| {
        let mut words = line.split_ascii_whitespace();
        matches!(words.next(), Some("search" | "domain")).then_some(())
    };
    let last = text.lines().rfind(|line| words(line).is_some()).unwrap_or_default();
    let all = last.split_ascii_whitespace().skip(1).map(|domain| domain.trim_matches('.'));
    all.filter(|domain| !domain.is_empty()).collect()
}
