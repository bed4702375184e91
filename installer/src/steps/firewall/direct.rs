//! The direct rule that forwards packets to pods, for a firewalld without policies.

use super::bus::{self, AT_WORK, IN_FILES};
use crate::exec::Command;
use crate::host::Host;
use crate::install::Change;
use crate::receipt::firewalld::Place;

/// Where the rule is: family, table, chain and priority.
const CHAIN: &str = "ipv4 filter FORWARD 0";

/// The changes that add it where it is missing.
pub(super) fn changes(host: &Host, places: &[Place], pods: &str) -> anyhow::Result<Vec<Change>> {
    let rule = format!("-d {pods} -j ACCEPT");
    let mut changes = Vec::new();
    for place in places {
        if !has(host, *place, &rule)? {
            let options = |verb| format!("--direct --{verb}-rule {CHAIN} {rule}");
            let remove = place.command_of(&options("remove"));
            let undo = if *place == Place::Work { vec![remove] } else { Vec::new() };
            changes.push(place.change(&options("add"), "direct", undo));
        }
    }
    Ok(changes)
}

fn has(host: &Host, place: Place, rule: &str) -> anyhow::Result<bool> {
    let question = match place {
        Place::Work => bus::question(AT_WORK, ".direct", "queryRule"),
        Place::Files => bus::question(IN_FILES, ".config.direct", "queryRule"),
        Place::FilesOfStopped => {
            let question = place.command_of(&format!("--direct --query-rule {CHAIN} {rule}"));
            return Ok(host.answer(&question)?.succeeded());
        }
    };
    let count = rule.split(' ').count();
    let arguments = format!("sssias {CHAIN} {count} {rule}");
    let question = arguments.split(' ').fold(question, Command::with);
    Ok(bus::answer(host, &question)?.word() == Some("true"))
}
