use bundle_format::lock::Edit;
use bundler::manifest::patch::{PatchError, apply};
use bundler::spec::patch::{Change, ImageRewrite, Patch, PullPolicy, Set, Value, Workload};

use super::{READ, text};

/// A manifest under each kind of patch. Lines that a patch does not name stay as they
/// are.
pub(super) fn patch(bytes: &[u8]) -> String {
    let text = text(bytes);
    let outcomes = changes().into_iter().map(|change| {
        match apply(&[Patch::from(change)], "odd.yaml", &text) {
            Ok((patched, edits)) => {
                assert_others_stay(&text, &patched, &edits);
                READ.to_owned()
            }
            Err(PatchError::Yaml { source, .. }) => source.to_string(),
            Err(PatchError::Nothing { .. }) => "nothing".to_owned(),
        }
    });
    let mut outcomes: Vec<String> = outcomes.collect();
    outcomes.sort_by_key(|one| one != READ);
    outcomes.join(", ")
}

/// One of each kind, or more.
pub(super) fn changes() -> Vec<Change> {
    let (kind, name) = ("DaemonSet".to_owned(), "agent".to_owned());
    let set = |path: &str, value| Set {
        kind: kind.clone(),
        namespace: None,
        name: name.clone(),
        path: path.parse().expect("it is a path"),
        value,
    };
    let container = "spec.template.spec.containers[0]";
    vec![
        Change::HostNetwork(Workload { kind: kind.clone(), namespace: None, name: name.clone() }),
        Change::PoolCidr("10.9.0.0/16".parse().expect("it is a network")),
        Change::PullPolicy(PullPolicy::Never),
        Change::ImageRewrite(ImageRewrite {
            from: "docker.io/site".to_owned(),
            to: "registry.example.com/site".to_owned(),
        }),
        Change::Set(set(&format!("{container}.image"), Value::Text("a.io/b: #c".to_owned()))),
        Change::Set(set(&format!("{container}.args[1]"), Value::Number(-3))),
        Change::Set(set(r#"metadata.annotations["example.com/key"]"#, Value::Bool(true))),
    ]
}

/// The lines before, between and behind the edits are there, in order.
fn assert_others_stay(before: &str, after: &str, edits: &[Edit]) {
    let is_edited = |line: usize| {
        edits.iter().any(|edit| {
            let last = edit.line + edit.from.matches('\n').count();
            (edit.line..=last).contains(&line)
        })
    };
    let mut rest = after.split('\n');
    for (index, line) in before.split('\n').enumerate() {
        if !is_edited(index + 1) {
            assert!(rest.any(|other| other == line), "{line:?} is gone: {edits:?}\n{after}");
        }
    }
}
