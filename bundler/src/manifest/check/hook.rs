//! Hooks of Helm, of which `helm template` prints all and Helm runs each at its
//! own time.

use serde_json::Value;

use crate::manifest::object::Object;

/// When Helm would apply the object as a manifest is applied.
const INSTALL: [&str; 3] = ["pre-install", "post-install", "crd-install"];
/// When a cluster must not get it by being set up.
const OTHER: [&str; 7] = [
    "pre-delete",
    "post-delete",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
    "test-failure",
];

/// What an object is not for that Helm applies only on another occasion.
pub(super) fn problem(object: &Object) -> Option<String> {
    let annotations = object.json.pointer("/metadata/annotations")?;
    let hooks = annotations.get("helm.sh/hook").and_then(Value::as_str)?;
    let mut events = hooks.split(',').map(str::trim);
    if events.clone().any(|event| INSTALL.contains(&event)) {
        return None;
    }
    let event = events.find(|event| OTHER.contains(event))?;
    let when = match event {
        "pre-delete" | "post-delete" => "when a chart is uninstalled",
        "pre-rollback" | "post-rollback" => "when a chart is rolled back",
        _ => "to test a chart",
    };
    Some(format!(
        "it is a hook (`helm.sh/hook: {event}`), which Helm runs {when}, and kubectl would run at \
         once: take this document out, or render the chart with `helm template … --no-hooks` if it \
         needs none of its other hooks"
    ))
}
