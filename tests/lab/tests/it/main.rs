//! Tests on the lab: real upstreams, real nodes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it expects"
)]

mod access;
mod ansible;
mod application;
mod arguments;
mod backup;
mod charts;
mod cluster;
mod damaged;
mod deed;
mod delta;
mod doctor;
mod firewall;
mod five_nodes;
mod from_registry;
mod guide;
mod hops;
mod leaks;
mod life;
mod masters;
mod masters_lost;
mod nodes;
mod one_master;
mod rehearse;
mod rounds;
mod secrets;
mod served;
mod silence;
mod site_registry;
mod stick;
mod support;
mod terminal;
mod up;
mod up_upgrade;
mod upgrade;
mod upgrade_masters;
mod upgrade_snapshot;
mod upstream;
mod virtual_address;
mod virtual_machine;
