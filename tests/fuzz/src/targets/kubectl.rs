use std::cell::RefCell;
use std::collections::BTreeSet;

use bundle_format::ImageReference;
use bundler::libyaml::document::documents;
use bundler::libyaml::value;
use bundler::manifest::discovery::discover;
use bundler::manifest::patch::apply;
use bundler::spec::patch::Patch;
use serde::Deserialize;
use serde_json::Value;

use super::patch::changes;
use super::{READ, SKIPPED, text};
use crate::judge::Judge;
use crate::patched;

thread_local! {
    static JUDGE: RefCell<Option<Judge>> = RefCell::new(Judge::start("kubectl-reader"));
}

/// What is refused here on purpose, although kubectl takes it.
const DELIBERATE: [&str; 7] = [
    "it nests deeper than ",
    "it has more than ",
    "it uses all characters, ",
    "a tag is right before a comma",
    // Behind the end of a document, with a `\/`.
    "did not find expected <document start>",
    "kubectl takes this byte order mark for a part of ",
    // In a mapping that another one replaces, that would be good.
    "kubectl takes any of them",
];

/// Why there is nothing to compare with.
#[derive(Debug)]
enum Unread {
    /// kubectl refuses it.
    Refused(String),
    /// Its JSON nests deeper than serde reads.
    Deep,
    /// Nobody was asked.
    NoJudge,
}

/// Compares with kubectl's own reader. Both read the same values and images, and a patch changes
/// only what it is for.
pub(super) fn kubectl(bytes: &[u8]) -> String {
    let text = text(bytes);
    let before = match (own(&text), judged(&text)) {
        (_, Err(Unread::NoJudge)) => {
            return format!("{SKIPPED}there is no kubectl-reader; see `scripts/tools --judges`");
        }
        (Ok(own), Ok(judged)) => {
            assert_eq!(rounded(&own), rounded(&judged), "kubectl reads other values");
            judged
        }
        (Ok(_), Err(Unread::Refused(refusal))) => panic!("kubectl refuses it: {refusal}"),
        (Err(refusal), Ok(_) | Err(Unread::Deep)) => {
            let is_deliberate = DELIBERATE.iter().any(|words| refusal.contains(words));
            assert!(is_deliberate, "kubectl takes it: {refusal}");
            return refusal;
        }
        (Err(refusal), Err(_)) => return refusal,
        (Ok(_), Err(Unread::Deep)) => return format!("{READ}: it nests deep"),
    };
    // Only objects can be applied, and what is applied has images.
    if before.iter().all(Value::is_object) {
        let meant = before.iter().flat_map(|document| images(&document.to_string()));
        let meant: BTreeSet<ImageReference> = meant.collect();
        assert_eq!(images(&text), meant, "images are found by how they are written");
    }
    let mut effects = 0;
    for change in changes() {
        let patch = Patch::from(change);
        let applied = apply(std::slice::from_ref(&patch), "odd.yaml", &text);
        let Ok((patched, _)) = applied else { continue };
        match judged(&patched) {
            Ok(after) => patched::check(&patch.change, &rounded(&before), &rounded(&after)),
            Err(other) => panic!("{} left what kubectl cannot read: {other:?}\n{patched}", patch.change),
        }
        effects += 1;
    }
    format!("{READ}: {} documents, {effects} patches", before.len())
}

#[derive(Deserialize)]
struct Answer {
    documents: Option<Vec<Value>>,
    refused: Option<String>,
}

/// What kubectl makes of a file.
fn judged(text: &str) -> Result<Vec<Value>, Unread> {
    let question = Value::from(text).to_string();
    let answer = JUDGE.with_borrow_mut(|judge| Some(judge.as_mut()?.ask(&question)));
    let answer = answer.ok_or(Unread::NoJudge)?;
    let Answer { documents, refused } = match serde_json::from_str(&answer) {
        Err(error) if error.to_string().contains("recursion limit") => return Err(Unread::Deep),
        answer => answer.expect("the judge answers in JSON"),
    };
    refused.map_or(Ok(documents.unwrap_or_default()), |refusal| Err(Unread::Refused(refusal)))
}

fn own(text: &str) -> Result<Vec<Value>, String> {
    let documents = documents("odd.yaml", text).map_err(|error| error.to_string())?;
    let value = |node| value::json(node).map_err(|error| error.to_string());
    documents.iter().map(value).collect()
}

/// The images that a text names, without those that may be numbers or words such as `yes`:
/// no cluster takes them.
fn images(text: &str) -> BTreeSet<ImageReference> {
    let found = discover("odd.yaml", text).expect("it was read before");
    let is_plain = |image: &ImageReference| image.repository().starts_with("library/");
    found.images().into_keys().filter(|image| !is_plain(image)).collect()
}

/// Numbers as floats: Go writes large ones with other digits.
fn rounded(value: &[Value]) -> Vec<Value> {
    let one = |value: &Value| match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => rounded(items).into(),
        Value::Object(map) => {
            let values = map.values().cloned().collect::<Vec<_>>();
            map.keys().cloned().zip(rounded(&values)).collect()
        }
        other => other.clone(),
    };
    value.iter().map(one).collect()
}
