//! The interface from which Calico takes a node's address. Applying the bundle's
//! manifest again does not change it, because the manifest does not mention it.

use super::manifests;
use crate::engine::step::Step;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::receipt::{self, Intention, StepName};

/// Calico's variable (docs.tigera.io, "IP autodetection methods").
const VARIABLE: &str = "IP_AUTODETECTION_METHOD";

/// Sets the interface by which Calico finds addresses.
pub struct CniInterface;

impl Step<Intent> for CniInterface {
    fn name(&self) -> StepName {
        StepName::CniInterface
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let interface = node.intent.cluster.cni_interface.as_ref();
        // If the cluster file no longer sets it, it goes, but only if the
        // installer set it.
        if interface.is_none() && !is_from_us(node.host) {
            return Ok(Vec::new());
        }
        let kubectl = format!("{} -n kube-system", kubectl(ADMIN_CONF));
        let now = node.host.query(&format!(
            "{kubectl} --request-timeout 10s get daemonset calico-node -o jsonpath=\
             {{.spec.template.spec.containers[?(@.name==\"calico-node\")]\
             .env[?(@.name==\"{VARIABLE}\")].value}}"
        ));
        if interface.is_none() && !now.succeeded() {
            // "Not found" is an answer. Silence is not.
            let reason = now.reason().unwrap_or("it says nothing");
            if reason.contains("(NotFound)") {
                return Ok(Vec::new());
            }
            return Err(Failure::new(
                format!("kubectl does not say whether calico-node has {VARIABLE}: {reason}"),
                "`installer doctor` says why; fix that, and run this again",
            )
            .into());
        }
        let wanted = interface.map(|name| format!("interface={name}")).unwrap_or_default();
        if now.stdout.trim() == wanted {
            return Ok(Vec::new());
        }
        // A dash at the end removes a variable.
        let setting =
            if wanted.is_empty() { format!("{VARIABLE}-") } else { format!("{VARIABLE}={wanted}") };
        Ok(vec![
            Change::run(&format!(
                "{kubectl} set env daemonset/calico-node --containers=calico-node {setting}"
            ))
            .intended(Intention::SetCniInterface),
        ])
    }
}

fn is_from_us(host: &Host) -> bool {
    receipt::intentions(host.lines()).any(|one| one == Intention::SetCniInterface)
}

/// The failure if the bundle has no Calico, or its Calico sets the interface itself.
pub(crate) fn problem(intent: &Intent) -> Option<Failure> {
    intent.cluster.cni_interface.as_ref()?;
    let read = manifests::wanted(intent).map(|manifest| intent.bundle.read(&manifest.applied));
    let texts = read.map(|read| Ok(String::from_utf8_lossy(&read?).into_owned()));
    let texts: Vec<String> = match texts.collect::<anyhow::Result<_>>() {
        Ok(texts) => texts,
        Err(error) => return Some(Failure::of(&error)),
    };
    if !texts.iter().any(|text| text.contains("name: calico-node")) {
        return Some(Failure::new(
            "cniInterface is for Calico, and no manifest of the bundle has `calico-node`",
            "take cniInterface out of the cluster file, or make a bundle with Calico",
        ));
    }
    texts.iter().any(|text| text.contains(VARIABLE)).then(|| {
        Failure::new(
            format!("cniInterface is given, and the bundle's manifest sets {VARIABLE} itself"),
            "take cniInterface out of the cluster file, or that out of the manifest",
        )
    })
}
