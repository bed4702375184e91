//! firewalld's zones, asked for in the place where they are: a running firewalld tells them
//! over D-Bus, and a stopped one's files are read by firewalld's own program.

use bundle_format::parallel::each;

use super::bus::{self, AT_WORK, IN_FILES, unanswered};
use super::zone::Zone;
use super::zones::Zones;
use crate::exec::Command;
use crate::host::Host;
use crate::receipt::firewalld::Place;

/// firewalld's own settings.
const CONFIGURATION: &str = "/etc/firewalld/firewalld.conf";
/// How many zones are asked for at a time. firewalld answers one question at a time.
const AT_A_TIME: usize = 2;

impl Zones {
    /// Asks firewalld.
    pub(crate) fn ask(host: &Host, place: Place) -> anyhow::Result<Self> {
        match place {
            Place::Work => at_work(host),
            Place::Files => in_files(host),
            Place::FilesOfStopped => of_stopped(host),
        }
    }
}

fn at_work(host: &Host) -> anyhow::Result<Zones> {
    let names = bus::question(AT_WORK, ".zone", "getZones");
    let names = bus::answer(host, &names)?.words();
    // Since 0.9, `getZoneSettings` tells a zone's ports from its file if the last one at work was
    // removed. The same holds for its services and so on. `getZoneSettings2`, also since 0.9, tells
    // what is at work.
    let newer = |name: &String| bus::question_of(AT_WORK, ".zone", "getZoneSettings2", name);
    let first = names.first().map(|name| host.answer(&newer(name))).transpose()?;
    if first.is_some_and(|said| bus::is_too_old(&said)) {
        return told(&names, |name| {
            let question = bus::question_of(AT_WORK, "", "getZoneSettings", name);
            by_settings(host, name, &question)
        });
    }
    told(&names, |name| {
        let question = newer(name);
        let entries = bus::answer(host, &question)?;
        Ok(Zone::of_entries(name, &entries).ok_or_else(|| bus::strange(&question))?)
    })
}

fn in_files(host: &Host) -> anyhow::Result<Zones> {
    let names = bus::question(IN_FILES, ".config", "getZoneNames");
    let names = bus::answer(host, &names)?.words();
    told(&names, |name| {
        let object = bus::question_of(IN_FILES, ".config", "getZoneByName", name);
        let object = bus::answer(host, &object)?;
        let object = object.word().unwrap_or_default();
        by_settings(host, name, &bus::question(object, ".config.zone", "getSettings"))
    })
}

fn told(
    names: &[String],
    ask: impl Fn(&String) -> anyhow::Result<Zone> + Sync,
) -> anyhow::Result<Zones> {
    let zones = each(names, AT_A_TIME, ask).into_iter().collect::<anyhow::Result<_>>()?;
    Ok(Zones::new(zones))
}

fn by_settings(host: &Host, name: &str, question: &Command) -> anyhow::Result<Zone> {
    let settings = bus::answer(host, question)?;
    Ok(Zone::of_settings(name, &settings).ok_or_else(|| bus::strange(question))?)
}

fn of_stopped(host: &Host) -> anyhow::Result<Zones> {
    let question = Place::FilesOfStopped.command_of("--list-all-zones");
    let said = host.answer(&question)?;
    if said.succeeded() {
        return Ok(Zones::new(Zone::all_in(&said.stdout)));
    }
    Err(unanswered(&question, &said).into())
}

/// Whether firewalld runs, by its own word.
pub(crate) fn is_at_work(host: &Host) -> anyhow::Result<bool> {
    let question = Command::of("firewall-cmd --state");
    let said = host.answer(&question)?;
    match said.status {
        Some(0) => Ok(true),
        // NOT_RUNNING (firewall-cmd(1)), or firewalld is not installed.
        Some(252 | 127) => Ok(false),
        _ => Err(unanswered(&question, &said).into()),
    }
}

/// The zone of interfaces that are in no other, as firewalld reads it at its start
/// (firewalld.conf(5)).
pub(crate) fn default_zone(host: &Host) -> anyhow::Result<String> {
    let text = host.text(CONFIGURATION)?.unwrap_or_default();
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "DefaultZone").then(|| value.trim().to_owned())
    };
    let zone = text.lines().find_map(value).filter(|zone| !zone.is_empty());
    Ok(zone.unwrap_or_else(|| "public".to_owned()))
}
