//! firewalld's zones, asked for in the place where they are: a running firewalld tells them
//! over D-Bus, and a stopped one's files are read by firewalld's own program.

use bundle_format::parallel::each;

use super::bus::{self, AT_WORK, IN_FILES, unanswered};
use super::zone::Zone;
use super::zones::Zones;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::receipt::firewalld::Place;

/// firewalld's own settings.
const CONFIGURATION: &str = "/etc/firewalld/firewalld.conf";
/// How many zones are asked for at a time. firewalld answers one question at a time.
const AT_A_TIME: usize = 2;

impl Zones {
    /// Asks firewalld.
    pub(crate) fn ask(host: &Host, place: Place) -> anyhow::Result<Self> {
        let names = match place {
            Place::Work => bus::question(AT_WORK, ".zone", "getZones"),
            Place::Files => bus::question(IN_FILES, ".config", "getZoneNames"),
            Place::FilesOfStopped => return of_stopped(host),
        };
        let names = bus::answer(host, &names)?.words();
        let told = each(&names, AT_A_TIME, |name| told(host, place, name));
        Ok(Self::new(told.into_iter().collect::<anyhow::Result<_>>()?))
    }
}

/// A zone, as a running firewalld tells it.
fn told(host: &Host, place: Place, name: &str) -> anyhow::Result<Zone> {
    let question = if place == Place::Work {
        bus::question_of(AT_WORK, "", "getZoneSettings", name)
    } else {
        let object = bus::question_of(IN_FILES, ".config", "getZoneByName", name);
        let object = bus::answer(host, &object)?;
        bus::question(object.word().unwrap_or_default(), ".config.zone", "getSettings")
    };
    let settings = bus::answer(host, &question)?;
    let strange = || {
        Failure::new(
            format!("`{question}` tells no settings of a zone: {settings:?}"),
            "this installer does not know this version of firewalld: set `firewall: leave` in \
             the cluster file, and open the ports yourself",
        )
    };
    Ok(Zone::of_settings(name, &settings).ok_or_else(strange)?)
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
