//! The patch that sets the network of pods in Calico's and flannel's manifests.

use super::splice::{self, Splice};
use super::target::{object, objects};
use crate::libyaml::node::{Node, get, items, text as field};
use crate::spec::network::Network;

const VARIABLE: &str = "CALICO_IPV4POOL_CIDR";

pub(super) fn splices(
    documents: &[Node],
    text: &str,
    network: &Network,
) -> Result<Vec<Splice>, String> {
    let value = format!("\"{network}\"");
    if let Ok((path, calico)) = object(documents, "DaemonSet", None, "calico-node") {
        let pod = ["spec", "template", "spec"].iter().try_fold(calico, |node, key| get(node, key));
        let containers = pod.and_then(|pod| get(pod, "containers")).map(items).unwrap_or_default();
        for (index, container) in containers.iter().enumerate() {
            let variables = get(container, "env").map(items).unwrap_or_default();
            for (number, variable) in variables.iter().enumerate() {
                if field(variable, "name") == Some(VARIABLE)
                    && let Some(node) = get(variable, "value")
                {
                    let path = format!(
                        "{path}.spec.template.spec.containers[{index}].env[{number}].value"
                    );
                    return Ok(vec![splice::replace(text, node, &value, &path)?]);
                }
            }
        }
        return uncomment(text, &value);
    }
    flannel(documents, text, network)
}

/// Calico publishes the variable commented out:
/// ```yaml
///             # - name: CALICO_IPV4POOL_CIDR
///             #   value: "192.168.0.0/16"
/// ```
fn uncomment(text: &str, value: &str) -> Result<Vec<Splice>, String> {
    let fail = || format!("calico-node has no {VARIABLE}, not even commented out: use `set`");
    let name = format!("# - name: {VARIABLE}");
    let start = text.find(&name).ok_or_else(fail)?;
    let next = start + text.get(start..).and_then(|rest| rest.find('\n')).ok_or_else(fail)? + 1;
    let line_end =
        text.get(next..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| next + end);
    let line = text.get(next..line_end).unwrap_or_default();
    let hash = next + line.find('#').ok_or_else(fail)?;
    let written = next + line.find("value:").ok_or_else(fail)? + "value:".len();
    let end = next + line.trim_end().len();
    let splice = |start, end, to: &str| Splice { start, end, to: to.to_owned(), sets: None };
    Ok(vec![
        splice(start, start + 2, ""),
        splice(hash, hash + 2, ""),
        splice(written, end, &format!(" {value}")),
    ])
}

/// Sets it in flannel's ConfigMap, which has it as JSON.
fn flannel(documents: &[Node], text: &str, network: &Network) -> Result<Vec<Splice>, String> {
    let fail = || {
        "the manifest has neither Calico's DaemonSet calico-node nor flannel's net-conf.json"
            .to_owned()
    };
    let holds =
        |node: &Node| get(node, "data").is_some_and(|data| get(data, "net-conf.json").is_some());
    if !objects(documents).iter().any(|(_, node)| holds(node)) {
        return Err(fail());
    }
    let after = text.find("net-conf.json").ok_or_else(fail)?;
    let key = "\"Network\":";
    let place =
        after + text.get(after..).and_then(|rest| rest.find(key)).ok_or_else(fail)? + key.len();
    let rest = text.get(place..).unwrap_or_default();
    let mut quotes = rest.match_indices('"').map(|(quote, _)| place + quote);
    let (Some(start), Some(end)) = (quotes.next(), quotes.next()) else { return Err(fail()) };
    Ok(vec![Splice { start: start + 1, end, to: network.to_string(), sets: None }])
}
