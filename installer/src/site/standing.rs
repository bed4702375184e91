//! What a node is already, as the installer there says.

use anyhow::{Context, anyhow};
use serde::Deserialize;
use serde_json::Value;

use super::connection::Connection;
use super::script;
use crate::receipt::{Stage, Upgrade};

/// What `installer status --json` says, as far as it is needed here.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Standing {
    /// The role of the last run; none if the installer has not run.
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    node: Registration,
    #[serde(default)]
    kubelet: Option<String>,
    #[serde(default)]
    upgrade: Option<Upgrade>,
    /// All that it says.
    #[serde(skip)]
    pub whole: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct Step {
    name: String,
    progress: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Registration {
    #[serde(default)]
    ready: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

impl Standing {
    /// Asks the installer on a node.
    pub fn ask(connection: &Connection<'_>, program: &str) -> anyhow::Result<Self> {
        let output = connection.ask(script::RUN, &[program, "status", "--json"])?;
        if !output.succeeded() {
            return Err(anyhow!("`installer status` there {}", output.end()));
        }
        let reading = "reading what `installer status` says there";
        let whole: Value = serde_json::from_str(&output.stdout).context(reading)?;
        let standing = serde_json::from_value(whole.clone()).context(reading)?;
        Ok(Self { whole, ..standing })
    }

    /// Whether it is in its cluster.
    pub fn is_in_cluster(&self) -> bool {
        let last = |step: &&Step| matches!(step.name.as_str(), "control-plane" | "join");
        self.steps.iter().filter(last).any(|step| step.progress == "finished")
    }

    /// Whether a run was cut short.
    pub fn is_interrupted(&self) -> bool {
        self.steps.iter().any(|step| step.progress == "interrupted")
    }

    /// Whether it is in the middle of an upgrade, or on its way back from one.
    pub fn is_between(&self) -> bool {
        self.upgrade.as_ref().is_some_and(|open| open.stage != Stage::Made)
    }

    /// On one line, for people.
    pub fn words(&self) -> String {
        let Some(role) = &self.role else {
            return "the installer has not been at work there".to_owned();
        };
        let is = if self.is_in_cluster() { "is" } else { "is not yet" };
        let kubelet = self.kubelet.as_ref().map(|version| format!(", kubelet {version}"));
        let kubelet = kubelet.unwrap_or_default();
        let interrupted = if self.is_interrupted() { ", was interrupted" } else { "" };
        let between = self.upgrade.as_ref().filter(|_| self.is_between());
        let between = between.map(|open| format!(", in the middle of its upgrade {open}"));
        let between = between.unwrap_or_default();
        let node = match (&self.node.ready, &self.node.message, &self.node.error) {
            (Some(ready), _, _) if ready == "True" => "Ready".to_owned(),
            (Some(_), message, _) => {
                format!("not Ready: {}", message.as_deref().unwrap_or("nobody says why"))
            }
            (None, _, error) => error.clone().unwrap_or_default(),
        };
        format!("{is} a {role}{kubelet}{interrupted}{between}, {node}")
    }

    /// Whether it is in its cluster and Ready.
    pub fn is_well(&self) -> bool {
        let is_done = self.is_in_cluster() && !self.is_interrupted() && !self.is_between();
        is_done && self.node.ready.as_deref() == Some("True")
    }
}
