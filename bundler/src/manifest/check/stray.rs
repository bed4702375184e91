//! What a manifest has that is not an object. The words tell a person what to do.

use serde_json::Value;

use crate::manifest::object::Stray;

/// Why the value cannot be applied, and what to do.
pub(super) fn words(stray: &Stray) -> String {
    if let Some(reason) = &stray.reason {
        let template = reason.contains("a key that is a mapping");
        return match template {
            true => format!("{reason}: it may be a template, so {RENDER}"),
            false => format!("kubectl refuses {reason}"),
        };
    }
    let has = |key: &str| stray.json.get(key).is_some_and(|value| !value.is_null());
    let text = |key: &str| stray.json.get(key).and_then(Value::as_str).unwrap_or_default();
    match &stray.json {
        Value::Object(map) if is_kustomization(map) => BUILD.to_owned(),
        Value::Object(_) if has("services") && !has("apiVersion") => {
            "this looks like a file of Docker Compose, which Kubernetes does not know: write \
             Kubernetes' own objects, as `kompose convert` makes them"
                .to_owned()
        }
        Value::Object(_) if text("apiVersion") == "v2" && has("version") && !has("kind") => {
            format!("this is the Chart.yaml of a Helm chart: {RENDER}")
        }
        Value::Object(map) => {
            let missing: Vec<&str> =
                ["apiVersion", "kind"].into_iter().filter(|key| text(key).is_empty()).collect();
            let what = match missing.as_slice() {
                [one] => format!("it has no {one}"),
                _ => "it has no apiVersion and no kind".to_owned(),
            };
            if let Some(message) = message(map) {
                return format!("this is an error that a server answered: {message}: {OPEN}");
            }
            match missing.len() {
                1 => format!("{what}, so kubectl refuses it: write it"),
                _ => format!(
                    "{what}, so it is not a Kubernetes object: if these are values of a Helm \
                     chart, {RENDER}"
                ),
            }
        }
        Value::Array(_) => "this is a list, but kubectl needs objects: put a line `---` between \
                            them, or write them as the `items` of `{apiVersion: v1, kind: List}`"
            .to_owned(),
        other => format!(
            "this is not a Kubernetes object, but the text `{}`: {OPEN}",
            shown(&other.to_string())
        ),
    }
}

/// What to do with a template.
pub const RENDER: &str = "name its chart under `chart` of the manifest, or render it into a file \
                          with `helm template NAME CHART --namespace NAMESPACE --no-hooks > \
                          FILE`, and name that file";
/// What to do with a Kustomization.
pub(super) const BUILD: &str = "this is a Kustomization, from which `kustomize` makes objects: \
                                name its folder under `kustomize` of the manifest, or write \
                                them into a file with `kustomize build DIR > FILE`, and name \
                                that file";
/// What to do if a server sent something else instead of the file.
pub(super) const OPEN: &str = "open its URL in a browser, and write a URL that gives the file \
                               itself";

/// Lists in a Kustomization, which may have neither kind nor apiVersion. Values of a
/// Helm chart often have `resources` too, but not as a list.
const KUSTOMIZE: [&str; 9] = [
    "resources",
    "bases",
    "components",
    "generators",
    "patches",
    "patchesStrategicMerge",
    "configMapGenerator",
    "secretGenerator",
    "helmCharts",
];

fn is_kustomization(map: &serde_json::Map<String, Value>) -> bool {
    match map.get("kind").and_then(Value::as_str) {
        Some(kind) => ["Kustomization", "Component"].contains(&kind),
        None => KUSTOMIZE.iter().any(|key| map.get(*key).is_some_and(Value::is_array)),
    }
}

/// The message in an answer such as `{"message": "Not Found"}` or `404: Not Found`.
fn message(map: &serde_json::Map<String, Value>) -> Option<String> {
    if let Some((key, Value::String(text))) = map.iter().next().filter(|_| map.len() == 1)
        && key.len() == 3
        && key.starts_with(['4', '5'])
    {
        return Some(format!("{key} {}", shown(text)));
    }
    let found = ["message", "error", "errors", "detail"].iter().find_map(|key| map.get(*key))?;
    Some(match found {
        Value::String(text) => shown(text),
        other => shown(&other.to_string()),
    })
}

fn shown(text: &str) -> String {
    let mut short: String =
        text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}
