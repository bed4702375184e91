//! The installer on a node, and what it is told there.

use std::io::Write;

use super::FOLDER;
use super::carried::{Place, config};
use super::connection::Connection;
use super::machine::Machine;
use super::script;
use crate::exec::Output;
use crate::receipt::StepName;
use crate::role::Role;

/// The join file that a node is given.
#[derive(Clone, Copy)]
pub enum Join<'a> {
    /// None: it is the first master.
    None,
    /// This text, which goes through standard input and is never a file there.
    Text(&'a str),
    /// The one that it keeps itself, as a further master that has joined.
    Own,
}

/// The join file that each master keeps.
pub(super) const KEPT: &str = "/opt/kubernetes/join.yaml";

/// A node's installer.
pub struct Far<'a> {
    /// How the node is reached.
    pub connection: &'a Connection<'a>,
    /// The machine.
    pub machine: &'a Machine,
    /// Where it has everything.
    pub place: &'a Place,
}

impl Far<'_> {
    /// The words of a command that is told what the node is to be.
    fn words(&self, command: &[&str], join: Join<'_>) -> Vec<String> {
        let Machine { address, role, .. } = self.machine;
        let mut words = vec![self.place.program.clone()];
        words.extend(command.iter().map(|word| (*word).to_owned()));
        let mut option = |name: &str, value: &str| {
            words.extend([name.to_owned(), value.to_owned()]);
        };
        option("--role", &role.to_string());
        option("--config", &config());
        option("--address", &address.to_string());
        match join {
            Join::None => {}
            Join::Text(_) => option("--join", "/dev/stdin"),
            Join::Own => option("--join", KEPT),
        }
        words.extend(self.place.options().into_iter().map(str::to_owned));
        words
    }

    /// Runs it, with the join file at its standard input.
    fn run(
        &self,
        command: &[&str],
        join: Join<'_>,
        each: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Output> {
        let words = self.words(command, join);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match join {
            Join::Text(text) => {
                let mut input = |pipe: &mut dyn Write| pipe.write_all(text.as_bytes());
                self.connection.follow(script::RUN, &words, Some(&mut input), each)
            }
            _ => self.connection.follow(script::RUN, &words, None, each),
        }
    }

    /// Asks it for something that it prints as JSON.
    pub fn ask(&self, command: &str, join: Join<'_>) -> anyhow::Result<Output> {
        self.run(&[command, "--json"], join, &|_| ())
    }

    /// Has it make the node, and tells of each line.
    pub fn make(&self, join: Join<'_>, each: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Output> {
        self.run(&["--yes"], join, each)
    }

    /// Has it take only these steps, and tells of each line.
    pub fn take(
        &self,
        steps: &[StepName],
        join: Join<'_>,
        each: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Output> {
        let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let only = names.iter().flat_map(|name| ["--only", name]);
        let command: Vec<&str> = std::iter::once("--yes").chain(only).collect();
        self.run(&command, join, each)
    }

    /// Runs its upgrade to the bundle, with these options, and tells of each line. The node's
    /// settings stay as they are.
    pub fn upgrade(
        &self,
        options: &[&str],
        each: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Output> {
        let mut words = vec![self.place.program.as_str(), "upgrade"];
        words.extend(options);
        words.extend(self.place.options());
        self.connection.follow(script::RUN, &words, None, each)
    }

    /// Asks it what is wrong with the node.
    pub fn doctor(&self) -> anyhow::Result<Output> {
        self.connection.run(script::RUN, &[&self.place.program, "doctor"], None)
    }

    /// Has it take everything back, and removes it then, with all else of our folder.
    pub fn reset(&self, each: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Output> {
        let words = [self.place.program.as_str(), "reset", "--yes"];
        let output = self.connection.follow(script::RUN, &words, None, each)?;
        if output.succeeded() {
            self.connection.answer(script::LEAVE, &[FOLDER])?;
        }
        Ok(output)
    }

    /// Has a master make a join file. Nothing of it is told or kept.
    pub fn token(&self, role: Role) -> anyhow::Result<String> {
        let role = role.to_string();
        self.connection.secret(script::RUN, &[&self.place.program, "token", "--for", &role])
    }

    /// The join file that a master keeps, whose token may have expired.
    pub fn kept(&self) -> anyhow::Result<String> {
        self.connection.secret(r#"cat "$1""#, &[KEPT])
    }
}
