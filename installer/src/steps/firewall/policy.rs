//! The policy that forwards packets to pods, as firewalld has it. Policies are there since
//! firewalld 0.9.

use bundle_format::parallel::each;

use super::bus::{self, AT_WORK, IN_FILES, unanswered};
use super::words::Value;
use crate::exec::{Command, Output};
use crate::host::Host;
use crate::receipt::firewalld::Place;

/// The policy's name, which is that of its file.
pub(super) const NAME: &str = "kubeferry-pods";

/// What firewalld has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// This firewalld does not know policies.
    Unknown,
    /// It has none of that name.
    Missing,
    /// It has one.
    Found { target: String, from: Vec<String>, to: Vec<String> },
}

impl Policy {
    /// Asks firewalld in each place.
    pub(super) fn in_each(host: &Host, places: &[Place]) -> anyhow::Result<Vec<Self>> {
        let told = each(places, places.len(), |place| match place {
            Place::Work => at_work(host),
            Place::Files => in_files(host),
            Place::FilesOfStopped => of_stopped(host),
        });
        told.into_iter().collect()
    }

    /// Whether it lets everything through from any zone to this one.
    pub(super) fn forwards_to(&self, zone: &str) -> bool {
        let Self::Found { target, from, to } = self else { return false };
        target == "ACCEPT"
            && from.iter().any(|one| one == "ANY")
            && to.iter().any(|one| one == zone)
    }

    /// Reads settings that came over D-Bus (firewalld.dbus(5), `getPolicySettings`).
    fn of_settings(question: &Command, settings: &Value) -> anyhow::Result<Self> {
        let words = |key| settings.entry(key).map(Value::words).unwrap_or_default();
        let target = settings.entry("target").and_then(Value::word);
        let target = target.ok_or_else(|| bus::strange(question))?.to_owned();
        Ok(Self::Found { target, from: words("ingress_zones"), to: words("egress_zones") })
    }

    /// Reads what `firewall-offline-cmd --info-policy` prints.
    fn of_list(list: &str) -> Self {
        let words = |key: &str| -> Vec<String> {
            let line = list.lines().find_map(|line| line.trim().strip_prefix(key));
            line.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
        };
        let target = words("target:").join(" ");
        Self::Found { target, from: words("ingress-zones:"), to: words("egress-zones:") }
    }
}

fn at_work(host: &Host) -> anyhow::Result<Policy> {
    let question = bus::question_of(AT_WORK, ".policy", "getPolicySettings", NAME);
    let said = host.answer(&question)?;
    match absence(&question, &said)? {
        Some(absence) => Ok(absence),
        None => Policy::of_settings(&question, &bus::read(&question, &said)?),
    }
}

fn in_files(host: &Host) -> anyhow::Result<Policy> {
    let question = bus::question_of(IN_FILES, ".config", "getPolicyByName", NAME);
    let said = host.answer(&question)?;
    if let Some(absence) = absence(&question, &said)? {
        return Ok(absence);
    }
    let object = bus::read(&question, &said)?;
    let object = object.word().unwrap_or_default();
    let question = bus::question(object, ".config.policy", "getSettings");
    Policy::of_settings(&question, &bus::answer(host, &question)?)
}

fn of_stopped(host: &Host) -> anyhow::Result<Policy> {
    let question = Place::FilesOfStopped.command_of(&format!("--info-policy={NAME}"));
    let said = host.answer(&question)?;
    Ok(absence(&question, &said)?.unwrap_or_else(|| Policy::of_list(&said.stdout)))
}

/// Why there is no such policy; none if there is one.
fn absence(question: &Command, said: &Output) -> anyhow::Result<Option<Policy>> {
    match said.status {
        Some(0) => Ok(None),
        // The status of Python's programs for an option that they do not know.
        Some(2) => Ok(Some(Policy::Unknown)),
        _ if bus::is_too_old(said) => Ok(Some(Policy::Unknown)),
        _ if said.stderr.contains("INVALID_POLICY") => Ok(Some(Policy::Missing)),
        _ => Err(unanswered(question, said).into()),
    }
}
