//! Whether the cluster has what manifests say: each object as the API server would make it is
//! compared with the object that is there. `kubectl diff` does the same, but first reads the
//! definitions of all kinds, which takes a second of processor time (1.37.2, November 2026).

use std::path::PathBuf;

use bundle_format::parallel::each;
use serde_json::Value;

use crate::exec::Command;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;

/// What the API server writes by itself, also where nothing changed.
const OF_SERVER: [&str; 3] = ["generation", "managedFields", "resourceVersion"];

/// How often an object is compared before it counts as different. A controller may write to it
/// between the two answers. In a new cluster, controllers write to many objects in a second.
const LOOKS: usize = 3;

/// Whether applying these files with these options would change nothing.
pub(crate) fn is_applied(host: &Host, files: &[PathBuf], options: &str) -> bool {
    let of_files = |words: &str| {
        let command = Command::of(&format!("{} {words} --output=json", kubectl(ADMIN_CONF)));
        let name = |path: &PathBuf| format!("--filename={}", path.display());
        files.iter().map(name).fold(command, Command::with)
    };
    // The definitions of kinds are not read. The files were valid when they were applied, and
    // kubectl itself knows how to merge the lists of Kubernetes' own kinds.
    let would = of_files(&format!(
        "apply{options} --dry-run=server --validate=false --openapi-patch=false"
    ));
    let questions = [would, of_files("get")];
    let mut right = Vec::new();
    for _ in 0..LOOKS {
        let both = each(&questions, 2, |command| objects(host, command));
        let [Some(would), Some(is)] = both.as_slice() else { return false };
        if would.len() != is.len() {
            return false;
        }
        right.resize(would.len(), false);
        for (right, (would, is)) in right.iter_mut().zip(would.iter().zip(is)) {
            *right |= would == is;
        }
        if right.iter().all(|right| *right) {
            return true;
        }
    }
    false
}

/// The objects that kubectl prints; none if one of them is not there.
fn objects(host: &Host, command: &Command) -> Option<Vec<Value>> {
    let said = host.ask(command);
    let mut printed: Value =
        serde_json::from_str(&said.stdout).ok().filter(|_| said.succeeded())?;
    // One object comes without a list.
    let mut objects = match printed.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![printed],
    };
    for object in objects.iter_mut().filter_map(Value::as_object_mut) {
        object.remove("status");
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        if let Some(metadata) = metadata {
            metadata.retain(|key, _| !OF_SERVER.contains(&key.as_str()));
        }
    }
    Some(objects)
}
