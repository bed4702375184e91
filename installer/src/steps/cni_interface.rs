//! The interface from which Calico takes a node's address, or by which flannel sends.
//! Applying the bundle's manifest again does not change it, because the manifest does
//! not mention it.

use bundle_format::cluster::Interface;
use bundle_format::lock::{Aspect, Expectation};

use super::manifests;
use crate::engine::step::Step;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::receipt::{self, Intention, StepName};

/// A container that is told its interface by a variable.
struct Plugin<'a> {
    namespace: &'a str,
    /// Its DaemonSet.
    name: &'a str,
    container: &'a str,
    variable: &'static str,
    /// What the variable has for an interface.
    value: fn(&Interface) -> String,
}

/// Calico's node program (docs.tigera.io, "IP autodetection methods").
const CALICO: Plugin<'_> = Plugin {
    namespace: "kube-system",
    name: "calico-node",
    container: "calico-node",
    variable: "IP_AUTODETECTION_METHOD",
    value: |interface| format!("interface={interface}"),
};

impl<'a> Plugin<'a> {
    /// flannel, which otherwise takes the interface of the default route. Its expression
    /// matches also parts of names.
    fn flannel(expects: &'a Expectation) -> Self {
        let (_, namespace, name) = expects.object();
        Self {
            namespace: namespace.unwrap_or("default"),
            name,
            container: &expects.value,
            variable: "FLANNELD_IFACE_REGEX",
            value: |interface| format!("^({})$", interface.to_string().replace(',', "|")),
        }
    }

    /// The one that the bundle's manifests have; or why it cannot be told its interface.
    fn of(intent: &'a Intent) -> anyhow::Result<Result<Self, Failure>> {
        let expects = manifests::wanted(intent).flat_map(|manifest| &manifest.expects);
        let mut flannel = expects.filter(|one| one.of == Aspect::DefaultRoute);
        if let Some(flannel) = flannel.next() {
            return Ok(Ok(Self::flannel(flannel)));
        }
        let mut has_calico = false;
        for manifest in manifests::wanted(intent) {
            let bytes = intent.bundle.read(&manifest.applied)?;
            let text = String::from_utf8_lossy(&bytes);
            // A flannel that leaves its interface open was found above.
            if text.contains(CALICO.variable) || text.contains("/flanneld") {
                return Ok(Err(Failure::new(
                    format!(
                        "cniInterface is set, and the bundle's manifest {} names the interface \
                         itself",
                        manifest.name
                    ),
                    "take cniInterface out of the cluster file, or the interface out of the \
                     manifest",
                )));
            }
            has_calico |= text.contains("name: calico-node");
        }
        Ok(has_calico.then_some(CALICO).ok_or_else(|| {
            Failure::new(
                "cniInterface is set, and no manifest that is applied has Calico or flannel",
                "take cniInterface out of the cluster file, or make a bundle with one of these",
            )
        }))
    }
}

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
        let plugin = Plugin::of(node.intent)?.unwrap_or(CALICO);
        let Plugin { namespace, name, container, variable, value } = plugin;
        let kubectl = format!("{} -n {namespace}", kubectl(ADMIN_CONF));
        let now = node.host.query(&format!(
            "{kubectl} --request-timeout 10s get daemonset {name} -o jsonpath=\
             {{.spec.template.spec.containers[?(@.name==\"{container}\")]\
             .env[?(@.name==\"{variable}\")].value}}"
        ));
        if interface.is_none() && !now.succeeded() {
            // "Not found" is an answer. Silence is not.
            let reason = now.reason().unwrap_or("it says nothing");
            if reason.contains("(NotFound)") {
                return Ok(Vec::new());
            }
            return Err(Failure::new(
                format!("kubectl does not say whether {name} has {variable}: {reason}"),
                "`installer doctor` says why; fix that, and run this again",
            )
            .into());
        }
        let wanted = interface.map(value).unwrap_or_default();
        if now.stdout.trim() == wanted {
            return Ok(Vec::new());
        }
        // A dash at the end removes a variable.
        let setting =
            if wanted.is_empty() { format!("{variable}-") } else { format!("{variable}={wanted}") };
        let set = format!("{kubectl} set env daemonset/{name} --containers={container} {setting}");
        Ok(vec![Change::run(&set).intended(Intention::SetCniInterface)])
    }
}

fn is_from_us(host: &Host) -> bool {
    receipt::intentions(host.lines()).any(|one| one == Intention::SetCniInterface)
}

/// The failure if the bundle has nothing that could be told its interface.
pub(crate) fn problem(intent: &Intent) -> Option<Failure> {
    intent.cluster.cni_interface.as_ref()?;
    Plugin::of(intent).unwrap_or_else(|error| Err(Failure::of(&error))).err()
}
