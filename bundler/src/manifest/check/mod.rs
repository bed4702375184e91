//! Whether a cluster accepts the manifests of a spec, one after another. What it
//! would refuse on site is reported here, all at once, with what to do.

use std::collections::{BTreeSet, HashMap};

use builtin::Builtin;
use definition::Definition;
use serde_json::Value;

use super::object::{Object, objects};
use crate::libyaml::document::File;

mod builtin;
mod definition;
pub mod hook;
mod identity;
mod pods;
mod same;
mod size;
mod stray;
mod texts;
mod whole;

pub use stray::RENDER;

/// A manifest to check.
pub struct Subject<'a> {
    /// Its name in the spec.
    pub name: &'a str,
    /// Its content.
    pub file: &'a File,
}

/// What the cluster has before the first manifest is applied.
#[derive(Debug, Default)]
pub struct Provided {
    /// Kinds: `Issuer.cert-manager.io`.
    pub kinds: BTreeSet<String>,
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Whether some manifests could not be read. It is not known what these
    /// bring.
    pub is_incomplete: bool,
}

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// What Kubernetes 1.`minor` will refuse in the manifests, in the order in which they
/// are applied.
pub fn problems(subjects: &[Subject<'_>], minor: u32, provided: &Provided) -> Vec<String> {
    let mut check = Check::new(minor, provided);
    let mut all = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let objects = objects(subject.file).0;
        check.subject(subject, minor);
        for (line, words) in strays(subject.file) {
            check.say(subject, line, &words);
        }
        for object in &objects {
            check.learn(subject, index, object);
        }
        all.push(objects);
    }
    for (index, (subject, objects)) in subjects.iter().zip(&all).enumerate() {
        for object in objects {
            for words in check.object(subjects, index, object) {
                check.say(subject, object.line, &format!("{}: {words}", object.title()));
            }
        }
    }
    check.differing(subjects, &all);
    check.problems.sort_by_key(|(place, _)| *place);
    check.problems.into_iter().map(|(_, words)| words).collect()
}

/// The parts of a file that are not objects, each with its line and what to do.
pub fn strays(file: &File) -> Vec<(usize, String)> {
    let (objects, strays) = objects(file);
    let mut found: Vec<(usize, String)> =
        strays.iter().map(|stray| (stray.line, stray::words(stray))).collect();
    if objects.is_empty() && strays.is_empty() {
        found.push((1, format!("it has no object, only comments or nothing: {}", stray::OPEN)));
    }
    found
}

struct Check<'a> {
    minor: u32,
    provided: &'a Provided,
    definitions: Vec<(usize, Definition)>,
    namespaces: HashMap<String, usize>,
    order: HashMap<String, usize>,
    /// The problems, each with the number of its manifest and its line, for
    /// sorting.
    problems: Vec<((usize, usize), String)>,
}

impl<'a> Check<'a> {
    fn new(minor: u32, provided: &'a Provided) -> Self {
        Self {
            minor,
            provided,
            definitions: Vec::new(),
            namespaces: HashMap::new(),
            order: HashMap::new(),
            problems: Vec::new(),
        }
    }

    fn say(&mut self, subject: &Subject<'_>, line: usize, words: &str) {
        let place = self.order.get(subject.name).copied().unwrap_or_default();
        let words = format!("manifest {}:{line}: {words}", subject.name);
        self.problems.push(((place, line), words));
    }

    /// Checks the file as a whole.
    fn subject(&mut self, subject: &Subject<'_>, minor: u32) {
        let place = self.order.len();
        self.order.insert(subject.name.to_owned(), place);
        for line in &subject.file.unread {
            let words = "a document ends above this line, so kubectl ignores everything from here \
                         on: put a line `---` between";
            self.say(subject, *line, words);
        }
        for oddity in subject.file.oddities.iter().filter(|oddity| oddity.since > minor) {
            let words = format!(
                "kubectl before 1.{} reads {} in another way: put each `---` on a line of its own, \
                 and write either YAML or JSON",
                oddity.since, oddity.what
            );
            self.say(subject, oddity.line, &words);
        }
    }

    /// Records what the object brings for other objects.
    fn learn(&mut self, subject: &Subject<'_>, index: usize, object: &Object) {
        if object.kind() == "Namespace" && object.api_version() == "v1" {
            self.namespaces.entry(object.name().to_owned()).or_insert(index);
        }
        match definition::of(object) {
            Some(Ok(definition)) => self.definitions.push((index, definition)),
            Some(Err(words)) => {
                self.say(subject, object.line, &format!("{}: {words}", object.title()));
            }
            None => {}
        }
    }

    /// The problems of an object in the manifest with this number.
    fn object(&self, subjects: &[Subject<'_>], index: usize, object: &Object) -> Vec<String> {
        if object.kind() == "Kustomization" && object.group() == "kustomize.config.k8s.io"
            || object.kind() == "Component" && object.group() == "kustomize.config.k8s.io"
        {
            return vec![stray::BUILD.to_owned()];
        }
        if object.kind() == "Status" && object.api_version() == "v1" {
            let message = object.json.get("message").and_then(Value::as_str).unwrap_or_default();
            return vec![format!(
                "this is an answer of an API server (`{message}`): {}",
                stray::OPEN
            )];
        }
        // The items of a list were put in its place. Only a list without items
        // is left.
        if object.kind().ends_with("List") && builtin::is_group(object.group()) {
            return vec![
                "it has no items: write objects under `items`, or take it out; was the file cut \
                 off?"
                    .to_owned(),
            ];
        }
        let mut problems: Vec<String> = named(object).into_iter().collect();
        let is_namespaced = match self.kind(subjects, index, object) {
            Ok(is_namespaced) => is_namespaced,
            Err(words) => {
                problems.push(words);
                None
            }
        };
        if is_namespaced != Some(false)
            && let Some(namespace) = object.namespace()
        {
            problems.extend(self.namespace(subjects, index, namespace));
        }
        problems.extend(hook::problem(object));
        problems.extend(pods::problem(object));
        problems.extend(identity::problems(object));
        problems.extend(texts::problems(object));
        problems.extend(whole::problems(object));
        problems.extend(size::problem(object));
        problems
    }

    /// Whether objects of this kind are in namespaces. The error says why the
    /// cluster will not serve the kind.
    fn kind(
        &self,
        subjects: &[Subject<'_>],
        index: usize,
        object: &Object,
    ) -> Result<Option<bool>, String> {
        let (group, version, kind) = (object.group(), object.version(), object.kind());
        if self.provided.kinds.contains(&format!("{kind}.{group}")) {
            return Ok(None);
        }
        match builtin::served(group, version, kind, self.minor) {
            Builtin::Served { is_namespaced } => Ok(is_namespaced),
            Builtin::Refused(words) => Err(words),
            Builtin::Foreign => self.defined(subjects, index, object),
        }
    }

    /// The same, for a kind that a manifest has to define.
    fn defined(
        &self,
        subjects: &[Subject<'_>],
        index: usize,
        object: &Object,
    ) -> Result<Option<bool>, String> {
        let (group, version, kind) = (object.group(), object.version(), object.kind());
        let fits = |own: &Definition| {
            own.group == group && own.kind.as_deref().is_none_or(|own| own == kind)
        };
        let known: Vec<&(usize, Definition)> =
            self.definitions.iter().filter(|(_, own)| fits(own)).collect();
        let in_time: Vec<_> = known.iter().filter(|(place, _)| *place <= index).collect();
        if let Some((_, own)) =
            in_time.iter().find(|(_, own)| own.versions.iter().any(|own| own == version))
        {
            return Ok(own.is_namespaced);
        }
        if let Some((_, own)) = in_time.first() {
            let api_versions: Vec<String> =
                own.versions.iter().map(|version| format!("{group}/{version}")).collect();
            return Err(format!(
                "the definition of {kind} serves {}, but not {version}: write a served version in \
                 its apiVersion",
                api_versions.join(", ")
            ));
        }
        if let Some((place, _)) = known.first() {
            let later = subjects.get(*place).map_or("", |subject| subject.name);
            return Err(format!(
                "its kind is defined by the manifest {later}, which is applied later: write \
                 {later} before this one"
            ));
        }
        match self.provided.is_incomplete {
            true => Ok(None),
            false => Err(self.undefined(group, kind)),
        }
    }

    /// What to do about a kind that no manifest defines.
    fn undefined(&self, group: &str, kind: &str) -> String {
        let near = self
            .definitions
            .iter()
            .filter(|(_, own)| own.group == group)
            .filter_map(|(_, own)| own.kind.as_deref())
            .find(|own| strsim::osa_distance(own, kind) <= 2);
        match near {
            Some(near) => format!("{group} has no kind {kind}: did you mean {near}?"),
            None => format!(
                "no manifest brings the definition of this kind, of {group}: put the manifest \
                 with its CustomResourceDefinition before this one, or name `{kind}.{group}` under \
                 `provided.kinds` if an operator makes it or the cluster has it"
            ),
        }
    }

    fn namespace(&self, subjects: &[Subject<'_>], index: usize, namespace: &str) -> Option<String> {
        let is_there =
            NAMESPACES.contains(&namespace) || self.provided.namespaces.contains(namespace);
        match self.namespaces.get(namespace) {
            _ if is_there => None,
            Some(place) if *place <= index => None,
            Some(place) => {
                let later = subjects.get(*place).map_or("", |subject| subject.name);
                Some(format!(
                    "its namespace {namespace} comes with the manifest {later}, which is applied \
                     later: write {later} before this one"
                ))
            }
            None if self.provided.is_incomplete => None,
            None => Some(format!(
                "no manifest brings its namespace {namespace}: add an object `{{apiVersion: v1, \
                 kind: Namespace, metadata: {{name: {namespace}}}}}`, or name it under \
                 `provided.namespaces` if something else makes it"
            )),
        }
    }

    /// Objects that are in the manifests twice, with different content. Each run
    /// would change them to and fro.
    fn differing(&mut self, subjects: &[Subject<'_>], all: &[Vec<Object>]) {
        type Identity<'a> = (&'a str, &'a str, &'a str, &'a str);
        let mut seen: HashMap<Identity<'_>, (usize, &Object)> = HashMap::new();
        for (index, (subject, objects)) in subjects.iter().zip(all).enumerate() {
            for object in objects.iter().filter(|object| !object.name().is_empty()) {
                let namespace = object.namespace().unwrap_or("default");
                let identity = (object.group(), object.kind(), namespace, object.name());
                let first = *seen.entry(identity).or_insert((index, object));
                if !same::is_same(first.1, object) {
                    let before = subjects.get(first.0).map_or("", |subject| subject.name);
                    let words = format!(
                        "{}: it is also at {before}:{}, with another content: each run would \
                         change it to and fro, so take one of them out",
                        object.title(),
                        first.1.line
                    );
                    self.say(subject, object.line, &words);
                }
            }
        }
    }
}

/// The problem of an object's name.
fn named(object: &Object) -> Option<String> {
    let metadata = object.json.get("metadata");
    let name = metadata.and_then(|metadata| metadata.get("name"));
    match name {
        Some(Value::String(name)) if name.contains("{{") => {
            Some(format!("its name is a template: {}", stray::RENDER))
        }
        Some(Value::String(name)) if !name.is_empty() => None,
        // This is reported with the other values that must be texts.
        Some(other) if !other.is_null() && !other.is_string() => None,
        _ => Some(match metadata.and_then(|metadata| metadata.get("generateName")) {
            Some(_) => "`kubectl apply` refuses generateName, because each run would make another \
                        object: give it a name"
                .to_owned(),
            None => "it has no metadata.name: give it one; was the file cut off?".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
