//! Hooks in what `helm` printed. Helm runs each at its own time, and kubectl all at once.

use crate::libyaml::document::{self, File, YamlError};
use crate::manifest::check::hook;
use crate::manifest::object::{Object, objects};

/// The text without the hooks that are not for an installation, and these.
pub(super) fn for_installation(name: &str, text: &str) -> Result<(String, Vec<String>), YamlError> {
    let file = document::read(name, text)?;
    let objects = objects(&file).0;
    // Helm looks at documents only. What a List has inside is no hook to it.
    let count = |index: usize| objects.iter().filter(|other| other.document == index).count();
    let is_for_later = |object: &&Object| {
        hook::events(object).is_some_and(|events| !hook::is_for_installation(events))
            && count(object.document) == 1
    };
    let later: Vec<&Object> = objects.iter().filter(is_for_later).collect();
    if later.is_empty() {
        return Ok((text.to_owned(), Vec::new()));
    }
    let kept = file
        .documents
        .iter()
        .enumerate()
        .filter(|(index, _)| !later.iter().any(|object| object.document == *index));
    let texts = kept.filter_map(|(_, document)| text.get(document.text.clone()));
    // The mark before the first document is a part of it.
    let texts = texts.map(|text| text.strip_prefix("---\n").unwrap_or(text));
    let kept: String = texts.map(|text| format!("---\n{}\n", text.trim_end())).collect();
    Ok((kept, later.into_iter().map(title).collect()))
}

/// A warning about the hooks that stayed, if there are any.
pub(super) fn remark(name: &str, file: &File) -> Option<String> {
    let objects = objects(file).0;
    // Other kinds do nothing when they are applied.
    let runs = |object: &&Object| matches!(object.kind(), "Job" | "Pod");
    let hooks = objects.iter().filter(runs).filter(|object| hook::events(object).is_some());
    let hooks: Vec<String> = hooks.map(title).collect();
    (!hooks.is_empty()).then(|| {
        format!(
            "manifest {name} has hooks of Helm: {}; the installer applies them together with all \
             other objects, waits for none and deletes none",
            hooks.join(", ")
        )
    })
}

/// `Job web/migrate (pre-install)`
fn title(object: &Object) -> String {
    format!("{} ({})", object.title(), hook::events(object).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_for_another_time_are_left_out() {
        let object = |name: &str, hook: &str| {
            format!(
                "---\n# Source: a/{name}.yaml\napiVersion: v1\nkind: Pod\nmetadata: {{name: \
                 {name}{hook}}}\n"
            )
        };
        let hook = |events: &str| format!(", annotations: {{helm.sh/hook: \"{events}\"}}");
        let (plain, now) = (object("a", ""), object("b", &hook("pre-install, pre-upgrade")));
        let later = object("c", &hook("pre-delete")) + &object("d", &hook("post-upgrade"));
        let (text, left_out) = for_installation("x", &format!("{plain}{later}{now}")).unwrap();
        assert_eq!(text, format!("{plain}{now}"));
        assert_eq!(left_out, ["Pod c (pre-delete)", "Pod d (post-upgrade)"]);
        assert_eq!(for_installation("x", &plain).unwrap(), (plain.clone(), Vec::new()));
        let (_, left_out) = for_installation("x", &object("e", &hook("Pre-Install"))).unwrap();
        assert_eq!(left_out, [""; 0], "Helm takes any case");
        let list = "kind: List\napiVersion: v1\nitems:\n- {kind: ConfigMap, apiVersion: v1, metadata: \
                    {name: a}}\n- {kind: ConfigMap, apiVersion: v1, metadata: {name: b, annotations: \
                    {helm.sh/hook: pre-delete}}}\n";
        assert_eq!(for_installation("x", list).unwrap(), (list.to_owned(), Vec::new()));
        let remark = |text: &str| remark("x", &document::read("x", text).unwrap());
        assert_eq!(remark(&plain), None);
        assert!(remark(&now).unwrap().contains("Pod b (pre-install, pre-upgrade)"));
    }
}
