//! What firewalld says of its rules. All questions are asked at once, because each starts a
//! Python program, which takes a quarter of a second.

use std::thread;

use super::zones::Zones;
use crate::exec::{Output, joined};
use crate::host::Host;
use crate::receipt::firewalld::Place;

/// The policy by which packets from other nodes are forwarded to pods.
pub(super) const POLICY: &str = "kubeferry-pods";

/// What it says of one place.
pub(super) struct Asked {
    pub(super) place: Place,
    pub(super) zones: Zones,
    /// What it answers when asked for the policy of pods. It fails if there is none.
    pub(super) policy: Output,
}

impl Asked {
    /// Asks for all places.
    pub(super) fn of(host: &Host, places: &[Place]) -> anyhow::Result<Vec<Self>> {
        thread::scope(|scope| {
            let ask = |place: &Place| {
                let place = *place;
                let zones = scope.spawn(move || Zones::ask(host, place));
                let policy = place.command_of(&format!("--info-policy={POLICY}"));
                let policy = scope.spawn(move || host.answer(&policy));
                (place, zones, policy)
            };
            let asking: Vec<_> = places.iter().map(ask).collect();
            let asked = asking.into_iter().map(|(place, zones, policy)| {
                Ok(Self { place, zones: joined(zones)?, policy: joined(policy)? })
            });
            asked.collect()
        })
    }
}
