//! The cluster file's settings of kubelet, on a node that has already joined: kubeadm
//! writes them only once.

use anyhow::Context;
use serde_json::{Map, Value};

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::paths::KUBELET_CONFIG;
use crate::receipt::StepName;
use crate::steps::file::file_for;

/// Writes kubelet's settings.
pub struct KubeletSettings;

impl Step<Intent> for KubeletSettings {
    fn name(&self) -> StepName {
        StepName::KubeletSettings
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        // kubeadm makes this file, with the settings in it.
        let Some(before) = node.host.text(KUBELET_CONFIG)? else { return Ok(Vec::new()) };
        let text = with_settings(&before, &node.intent.cluster.kubelet)
            .with_context(|| format!("editing {KUBELET_CONFIG}"))?;
        file_for(node.host, self.name(), KUBELET_CONFIG, &text, "systemctl restart kubelet")
    }
}

/// kubelet's file with these settings; unchanged if it has them.
fn with_settings(before: &str, settings: &Map<String, Value>) -> anyhow::Result<String> {
    let old: Map<String, Value> = serde_saphyr::from_str(before)?;
    let mut all = old.clone();
    set(&mut all, settings);
    if all == old { Ok(before.to_owned()) } else { Ok(serde_saphyr::to_string(&all)?) }
}

/// Sets single settings in a group, because kubeadm fills in the others of the group.
fn set(all: &mut Map<String, Value>, settings: &Map<String, Value>) {
    for (key, value) in settings {
        match (all.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => set(old, new),
            _ => drop(all.insert(key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_settings_stay() {
        let before = "# kubeadm's\nauthentication: {x509: {clientCAFile: /ca}}\nmaxPods: 110\n";
        let settings = |text: &str| serde_saphyr::from_str::<Map<_, _>>(text).unwrap();
        assert_eq!(with_settings(before, &settings("maxPods: 110")).unwrap(), before);
        assert_eq!(with_settings(before, &Map::new()).unwrap(), before);
        let partly = "authentication: {anonymous: {enabled: false}}";
        let after = with_settings(before, &settings(partly)).unwrap();
        assert!(after.contains("    clientCAFile: /ca\n  anonymous:\n"), "{after}");
        assert_eq!(with_settings(&after, &settings(partly)).unwrap(), after);
        let after = with_settings(before, &settings("maxPods: 50")).unwrap();
        assert_eq!(after, "authentication:\n  x509:\n    clientCAFile: /ca\nmaxPods: 50\n");
    }
}
