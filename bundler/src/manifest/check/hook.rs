//! Hooks of Helm. `helm template` prints all of them, but Helm runs each at its own
//! time.

use serde_json::Value;

use crate::manifest::object::Object;

/// Hooks that Helm runs at an install. A manifest may have these.
const INSTALL: [&str; 3] = ["pre-install", "post-install", "crd-install"];
/// Hooks that Helm runs at other times. They must not be applied when a cluster is
/// set up.
const OTHER: [&str; 7] = [
    "pre-delete",
    "post-delete",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
    "test-failure",
];

/// The events that a hook is for: `pre-install, pre-upgrade`. None if it is no hook.
pub fn events(object: &Object) -> Option<&str> {
    object.json.pointer("/metadata/annotations")?.get("helm.sh/hook").and_then(Value::as_str)
}

/// Whether one of these events is an installation. Helm takes them in any case.
pub fn is_for_installation(events: &str) -> bool {
    each(events).any(|event| INSTALL.contains(&event.as_str()))
}

fn each(events: &str) -> impl Iterator<Item = String> {
    events.split(',').map(|event| event.trim().to_ascii_lowercase())
}

/// The problem of an object that Helm applies only at another time.
pub(super) fn problem(object: &Object) -> Option<String> {
    let events = events(object)?;
    if is_for_installation(events) {
        return None;
    }
    let event = each(events).find(|event| OTHER.contains(&event.as_str()))?;
    let when = match event.as_str() {
        "pre-delete" | "post-delete" => "when a chart is uninstalled",
        "pre-rollback" | "post-rollback" => "when a chart is rolled back",
        _ => "to test a chart",
    };
    Some(format!(
        "it is a hook (`helm.sh/hook: {event}`), which Helm runs {when}, but kubectl would run at \
         once: take this document out, or render the chart with `helm template … --no-hooks` if it \
         needs none of its other hooks"
    ))
}
