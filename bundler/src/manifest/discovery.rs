//! Which images a manifest needs.
//!
//! What stands in a known place is a find: the `image` of a container; a field,
//! variable or flag whose name says image; a text with host, path and tag as an
//! argument, a variable or a value of a custom resource. YAML inside a
//! ConfigMap is read like the rest. The schemas of CustomResourceDefinitions,
//! labels and annotations are not places where images stand. Whatever else
//! looks like an image is a guess, for a person to judge.

use std::collections::BTreeMap;

use bundle_format::ImageReference;
use saphyr::{MarkedYaml, YamlData};

use super::document::{self, YamlError, entries, items, scalar, text};
use super::shape::{Shape, judge, names_an_image};

/// How many levels of YAML in YAML are read.
const MAX_NESTING: usize = 3;

/// All that a manifest says of images.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The images it needs.
    pub found: Vec<Found>,
    /// What looks like an image outside a known place.
    pub guesses: Vec<Guess>,
    /// The lines, from 1, of `imagePullPolicy: Always`, which breaks a node
    /// that cannot reach a registry.
    pub pulls_always: Vec<usize>,
}

/// An image, and where the manifest names it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The image.
    pub image: ImageReference,
    /// The line, from 1.
    pub line: usize,
    /// `DaemonSet kube-system/calico-node`.
    pub document: String,
    /// The path in the document: `spec.template.spec.containers[0].image`.
    pub path: String,
}

/// A text that may be an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The text.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
    /// Why it is not taken for one.
    pub why: &'static str,
}

impl Discovery {
    /// The images, sorted, each once, with the places that name it.
    pub fn images(&self) -> BTreeMap<ImageReference, Vec<&Found>> {
        let mut images: BTreeMap<ImageReference, Vec<&Found>> = BTreeMap::new();
        for found in &self.found {
            images.entry(found.image.clone()).or_default().push(found);
        }
        images
    }
}

/// Finds the images that the manifest `text`, called `file` in errors, needs.
pub fn discover(file: &str, text: &str) -> Result<Discovery, YamlError> {
    let mut walk = Walk {
        discovery: Discovery::default(),
        document: String::new(),
        nesting: 0,
        line_offset: 0,
    };
    for document in document::documents(file, text)? {
        walk.node(&document, &Place::default());
    }
    let Discovery { found, guesses, .. } = &mut walk.discovery;
    // The value of a flag is an argument too, and was looked at as such.
    guesses.retain(|guess| {
        let image = guess.text.parse().ok();
        !found.iter().any(|found| found.line == guess.line && Some(&found.image) == image.as_ref())
    });
    Ok(walk.discovery)
}

/// Where a node stands.
#[derive(Clone, Default)]
struct Place {
    path: String,
    /// The key that the node, or the sequence that it is in, stands behind.
    key: String,
    /// Whether it is an item of `containers` or its siblings.
    container: bool,
    /// Whether it is in the `data` of a ConfigMap or Secret.
    data: bool,
}

impl Place {
    fn child(&self, key: &str) -> Self {
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { path, key: key.to_owned(), container: false, data: self.data }
    }

    fn item(&self, index: usize) -> Self {
        let container =
            matches!(self.key.as_str(), "containers" | "initContainers" | "ephemeralContainers");
        Self { path: format!("{}[{index}]", self.path), container, ..self.clone() }
    }
}

struct Walk {
    discovery: Discovery,
    document: String,
    nesting: usize,
    line_offset: usize,
}

impl Walk {
    fn node(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        match &node.data {
            YamlData::Tagged(_, inner) => self.node(inner, place),
            YamlData::Sequence(_) => {
                for (index, item) in items(node).iter().enumerate() {
                    self.node(item, &place.item(index));
                }
                if matches!(place.key.as_str(), "args" | "command") {
                    self.flags_and_values(items(node), place);
                }
            }
            YamlData::Mapping(_) => self.mapping(node, place),
            _ => self.scalar(node, place),
        }
    }

    fn mapping(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        let kind = text(node, "kind").filter(|_| text(node, "apiVersion").is_some());
        let outer = self.document.clone();
        let mut place = place.clone();
        if let Some(kind) = kind {
            if kind == "CustomResourceDefinition" {
                return;
            }
            self.document = describe(kind, node);
            place.data = matches!(kind, "ConfigMap" | "Secret");
        }
        self.joined(node, &place);
        self.variable(node, &place);
        for (key, value) in entries(node) {
            let child = place.child(key);
            match key {
                "metadata" if kind.is_some() || place.key == "template" => self.annotations(value),
                "status" if kind.is_some() => {}
                // Knative's and Tekton's ConfigMaps carry their manual there.
                "_example" => {}
                "image" if place.container => self.container(value, &child),
                "imagePullPolicy" if scalar(value).is_some_and(|(text, _)| text == "Always") => {
                    self.discovery.pulls_always.push(self.line(value));
                }
                _ => self.node(value, &child),
            }
        }
        self.document = outer;
    }

    /// `image` of a container: any reference counts, whatever its shape.
    fn container(&mut self, value: &MarkedYaml<'_>, place: &Place) {
        let Some((text, _)) = scalar(value) else { return self.node(value, place) };
        match text.parse() {
            Ok(image) => self.found(image, value, place),
            Err(_) if text.is_empty() => {}
            Err(_) => self.guess(text, value, "it is a template or no image reference"),
        }
    }

    /// `{registry: …, repository: …, tag: …}`, and `image: {name: …, version: …}`.
    fn joined(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        let is_image = names_an_image(&place.key);
        let named = text(node, "name").filter(|_| is_image);
        let Some(repository) = text(node, "repository").or(named).filter(|text| !text.is_empty())
        else {
            return;
        };
        let version = text(node, "tag")
            .or(text(node, "version").filter(|_| is_image))
            .map(|tag| format!(":{tag}"));
        let digest = text(node, "digest")
            .or(text(node, "sha"))
            .filter(|digest| digest.starts_with("sha256:"));
        if version.is_none() && digest.is_none() {
            return;
        }
        let mut full = match text(node, "registry").filter(|registry| !registry.is_empty()) {
            Some(registry) => format!("{registry}/{repository}"),
            None => repository.to_owned(),
        };
        full.push_str(version.as_deref().filter(|version| version.len() > 1).unwrap_or_default());
        if let Some(digest) = digest {
            full.push('@');
            full.push_str(digest);
        }
        let (shape, image) = judge(&full);
        if let Some(image) = image.filter(|_| shape >= Shape::Path) {
            self.found(image, node, &place.child("repository"));
        }
    }

    /// `{name: CSI_IMAGE, value: …}`, as in a container's `env`.
    fn variable(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        let (Some(name), Some(value)) = (text(node, "name"), document::get(node, "value")) else {
            return;
        };
        let Some((value_text, _)) = scalar(value) else { return };
        if !names_an_image(name) {
            return;
        }
        // A full reference is found by its own shape, in `scalar`.
        match judge(value_text) {
            (Shape::Path, Some(image)) => self.found(image, value, &place.child("value")),
            (Shape::Word, Some(_)) => {
                self.guess(value_text, value, "a variable named for an image holds a single word");
            }
            _ => {}
        }
    }

    /// A flag named for an image, its value the next item.
    fn flags_and_values(&mut self, items: &[MarkedYaml<'_>], place: &Place) {
        for (index, pair) in items.windows(2).enumerate() {
            let [flag, value] = pair else { continue };
            let (Some((flag, _)), Some((value_text, _))) = (scalar(flag), scalar(value)) else {
                continue;
            };
            let names = flag.starts_with('-') && !flag.contains('=') && names_an_image(flag);
            if !names {
                continue;
            }
            match judge(value_text) {
                (Shape::Path, Some(image)) => self.found(image, value, &place.item(index + 1)),
                (Shape::Word, Some(_)) => self.guess(
                    value_text,
                    value,
                    "a flag named for an image is given a single word",
                ),
                _ => {}
            }
        }
    }

    fn scalar(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        let Some((text, _)) = scalar(node) else { return };
        if text.contains('\n') || (place.data && looks_nested(text)) {
            return self.nested(text, node, place);
        }
        let flag = matches!(place.key.as_str(), "args" | "command");
        let (name, value) = match text.split_once('=') {
            Some((name, value)) if flag && name.starts_with('-') => (name, value),
            _ => (place.key.as_str(), text),
        };
        if matches!(name, "description" | "summary" | "message") {
            return;
        }
        let named = names_an_image(name) && (!flag || name.starts_with('-'));
        for part in value.split(',').map(str::trim) {
            match judge(part) {
                (Shape::Full, Some(image)) => self.found(image, node, place),
                (Shape::Path, Some(image)) if named => self.found(image, node, place),
                (Shape::Word, Some(_))
                    if named && part.parse::<bool>().is_err() && part.parse::<f64>().is_err() =>
                {
                    self.guess(part, node, "a field named for an image holds a single word");
                }
                (Shape::Path, Some(_)) if flag && has_version(part) => {
                    self.guess(part, node, "an argument looks like an image");
                }
                _ => {}
            }
        }
        if flag && text.contains(' ') {
            self.script(text, node);
        }
    }

    /// A text that may hold YAML or JSON of its own.
    fn nested(&mut self, text: &str, node: &MarkedYaml<'_>, place: &Place) {
        let inner =
            (self.nesting < MAX_NESTING).then(|| document::documents("", text).ok()).flatten();
        let structured = inner.filter(|documents| {
            documents
                .iter()
                .any(|inner| entries(inner).next().is_some() || !items(inner).is_empty())
        });
        let Some(documents) = structured else { return self.script(text, node) };
        let offset = self.line_offset;
        self.line_offset = self.line(node);
        self.nesting += 1;
        for document in &documents {
            self.node(document, &Place { data: true, ..place.clone() });
        }
        self.nesting -= 1;
        self.line_offset = offset;
    }

    /// A program text: what looks like an image in it is a guess.
    fn script(&mut self, text: &str, node: &MarkedYaml<'_>) {
        for word in text.split(|c: char| c.is_whitespace() || "\"'`=;,()<>|".contains(c)) {
            if judge(word).0 == Shape::Full {
                self.guess(word, node, "a script or a text names it");
            }
        }
    }

    /// Only an annotation that is named for an image can hold one; others, such
    /// as `last-applied-configuration`, repeat what was.
    fn annotations(&mut self, metadata: &MarkedYaml<'_>) {
        let Some(annotations) = document::get(metadata, "annotations") else { return };
        for (key, value) in entries(annotations) {
            let Some((text, _)) = scalar(value) else { continue };
            let name = key.rsplit('/').next().unwrap_or(key);
            if names_an_image(name) && judge(text).0 == Shape::Full {
                self.guess(text, value, "an annotation names it");
            }
        }
    }

    fn line(&self, node: &MarkedYaml<'_>) -> usize {
        node.span.start.line() + self.line_offset
    }

    fn found(&mut self, image: ImageReference, node: &MarkedYaml<'_>, place: &Place) {
        let found = Found {
            image,
            line: self.line(node),
            document: self.document.clone(),
            path: place.path.clone(),
        };
        self.discovery.found.push(found);
    }

    fn guess(&mut self, text: &str, node: &MarkedYaml<'_>, why: &'static str) {
        let guess = Guess { text: text.to_owned(), line: self.line(node), why };
        if !self.discovery.guesses.contains(&guess) {
            self.discovery.guesses.push(guess);
        }
    }
}

/// Whether a single line is a JSON object or list.
fn looks_nested(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}

/// Whether the tag begins like a version, so that `host:8080` is not meant.
fn has_version(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, tag)| {
        let plain = tag.strip_prefix('v').unwrap_or(tag);
        plain.starts_with(|c: char| c.is_ascii_digit()) && tag.contains(['.', '-', 'v'])
    })
}

/// `DaemonSet kube-system/calico-node`.
fn describe(kind: &str, node: &MarkedYaml<'_>) -> String {
    let metadata = document::get(node, "metadata");
    let part = |key| metadata.and_then(|metadata| text(metadata, key));
    match (part("namespace"), part("name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        _ => kind.to_owned(),
    }
}
