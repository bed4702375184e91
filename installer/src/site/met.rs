//! The nodes as they are met: reached, asked for facts, given an installer, and asked by that
//! how far they are.

use std::net::IpAddr;

use bundle_format::parallel::each;

use super::carried::{Carried, Place};
use super::connection::{Connection, Sockets, said};
use super::facts::{Facts, Off};
use super::far::Far;
use super::machine::Machine;
use super::problem::Problem;
use super::script;
use super::standing::Standing;
use crate::exec::Exec;
use crate::failure::Failure;
use crate::receipt;
use crate::role::Role;

/// What is to be reached, and how it is told.
pub struct Site<'a> {
    /// Runs `ssh` on this machine.
    pub exec: &'a (dyn Exec + Sync),
    /// Where the connections' sockets are.
    pub sockets: &'a Sockets,
    /// The machines.
    pub machines: &'a [Machine],
    /// The addresses of this machine.
    pub here: &'a [IpAddr],
    /// What they are given.
    pub carried: &'a Carried,
    /// Whether an installer that is at work on a node is waited for.
    pub waits: bool,
    /// How many nodes at a time.
    pub parallel: usize,
    /// Tells a person a line about a node.
    pub tell: &'a (dyn Fn(&Machine, &str) + Sync),
}

/// A node that was reached.
pub struct Met<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// How it is reached.
    pub connection: Connection<'a>,
    /// What it says of itself.
    pub facts: Facts,
    /// Where it has what it was given.
    pub place: Place,
    /// How far it is.
    pub standing: Standing,
}

impl Met<'_> {
    /// Whether it is a further master that has joined, and keeps its join file.
    pub(super) fn has_own_join_file(&self) -> bool {
        self.machine.role == Role::Master && self.facts.has_joined && self.standing.is_in_cluster()
    }

    /// Its address for people. A machine behind a bastion may have the address of a node, so
    /// it is said which node is taken for this machine.
    pub fn address(&self) -> String {
        let here = if self.connection.is_here() { ", this machine" } else { "" };
        format!("{}{here}", self.machine.address)
    }

    /// Its installer.
    pub fn far(&self) -> Far<'_> {
        Far { connection: &self.connection, machine: self.machine, place: &self.place }
    }
}

impl<'a> Site<'a> {
    /// Meets all nodes. A master that is only asked may be away.
    pub fn meet(&self) -> (Vec<Met<'a>>, Vec<Problem>) {
        self.sorted(each(self.machines, self.parallel, |machine| (machine, self.reach(machine))))
    }

    fn reach(&self, machine: &'a Machine) -> anyhow::Result<Met<'a>> {
        let tell = |line: &str| (self.tell)(machine, line);
        let connection = match self.here.contains(&machine.address) {
            true => Connection::here(self.exec),
            false => Connection::open(self.exec, self.sockets, machine.address)?,
        };
        let facts = Facts::ask(&connection)?;
        match facts.is_off {
            Some(Off::Ahead(by)) => tell(&format!("warning: its clock is {by} s ahead of ours")),
            Some(Off::Behind(by)) => tell(&format!("warning: its clock is {by} s behind ours")),
            None => {}
        }
        self.await_other(&connection, &tell)?;
        let place = self.carried.place(&connection, &facts)?;
        self.carried.send_program(&connection, &facts, &tell)?;
        let standing = Standing::ask(&connection, &place.program)?;
        Ok(Met { machine, connection, facts, place, standing })
    }

    fn sorted(
        &self,
        all: Vec<(&'a Machine, anyhow::Result<Met<'a>>)>,
    ) -> (Vec<Met<'a>>, Vec<Problem>) {
        let (mut met, mut problems) = (Vec::new(), Vec::new());
        for (machine, found) in all {
            match found {
                Ok(node) => met.push(node),
                Err(error) if machine.is_meant => problems.push(Problem::of(&machine.name, &error)),
                Err(error) => (self.tell)(machine, &format!("is not asked: {error:#}")),
            }
        }
        (met, problems)
    }

    /// Waits until no other installer works there. An earlier run of this command may have begun
    /// one before it was interrupted.
    fn await_other(&self, connection: &Connection<'_>, tell: &dyn Fn(&str)) -> anyhow::Result<()> {
        let receipt = format!("{}/{}", receipt::FOLDER, receipt::FILE);
        if said(connection.ask(script::BUSY, &[&receipt])?)?.trim() != "busy" {
            return Ok(());
        }
        if !self.waits {
            let cure = "type the same line again when it has ended";
            return Err(Failure::new("an installer is at work there", cure).into());
        }
        tell("an installer is at work there; waiting for its end");
        connection.answer(script::WAIT, &[&receipt]).map(drop).map_err(|_| {
            let cure = "look there with `ps -ef`, and type the same line again when it has ended";
            Failure::new("an installer has been at work there for more than an hour", cure).into()
        })
    }
}
