//! The way through a manifest's documents, node by node.

use std::collections::{HashMap, HashSet};

use bundle_format::ImageReference;
use saphyr::{MarkedYaml, ScalarStyle, YamlData};

use super::discovery::{Discovery, Found, Guess};
use super::document::{self, YamlError, entries, items, merged, scalar, text};
use super::naming::{is_an_image, names_an_image};
use super::parts::{Context, Whole, join};
use super::place::{Place, holds_labels, pulls_nothing};
use super::shape::{Shape, is_pinned, judge};

/// How many levels of YAML in YAML are read.
const MAX_NESTING: usize = 3;

/// A field of a mapping, or a variable with its value.
type Field<'a, 'b> = (&'a str, &'a MarkedYaml<'b>);

/// Finds the images that the manifest `text`, called `file` in errors, needs.
pub(super) fn discover(file: &str, text: &str) -> Result<Discovery, YamlError> {
    let mut walk = Walk::default();
    for document in document::documents(file, text)? {
        walk.node(&document, &Place::default());
    }
    let Walk { mut discovery, .. } = walk;
    // One place may be come upon twice, by an alias or as a field of its own.
    let found: HashSet<(usize, &ImageReference)> =
        discovery.found.iter().map(|found| (found.line, &found.image)).collect();
    let is_found = |guess: &Guess| {
        guess.text.parse().is_ok_and(|image: ImageReference| found.contains(&(guess.line, &image)))
    };
    let guesses = std::mem::take(&mut discovery.guesses);
    discovery.guesses = guesses.into_iter().filter(|guess| !is_found(guess)).collect();
    Ok(discovery)
}

#[derive(Default)]
struct Walk {
    discovery: Discovery,
    guessed: HashSet<Guess>,
    document: String,
    nesting: usize,
    line_offset: usize,
}

impl Walk {
    fn node(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        match &node.data {
            YamlData::Tagged(_, inner) => self.node(inner, place),
            YamlData::Sequence(_) if place.is_command() => self.command(items(node), place),
            YamlData::Sequence(_) => self.sequence(items(node), place),
            YamlData::Mapping(_) if document::is_template(node) => self.template(node, place),
            YamlData::Mapping(_) => self.mapping(node, place),
            _ => self.scalar(node, place),
        }
    }

    fn sequence(&mut self, items: &[MarkedYaml<'_>], place: &Place) {
        let variables: Vec<Field<'_, '_>> = items.iter().filter_map(variable).collect();
        let taken = self.joined(&variables, Context::Variables, place);
        for (index, item) in items.iter().enumerate() {
            if !variable(item).is_some_and(|(name, _)| taken.contains(name)) {
                self.node(item, &place.item(index));
            }
        }
    }

    fn mapping(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        let kind = text(node, "kind").zip(text(node, "apiVersion"));
        if kind.is_some_and(|(kind, _)| kind == "CustomResourceDefinition") {
            return;
        }
        let outer = self.document.clone();
        let mut place = place.clone();
        if let Some((kind, api_version)) = kind {
            self.document = describe(kind, node);
            place.unpulled |= pulls_nothing(api_version, kind);
        }
        let fields = merged(node);
        let has = |names: &[&str]| fields.iter().any(|(key, _)| names.contains(key));
        place.container |= has(&["command", "args", "volumeMounts"]);
        let context = if is_an_image(&place.key) { Context::Image } else { Context::Mapping };
        let taken = self.joined(&fields, context, &place);
        let variable = variable(node);
        if let Some(version) = text(node, "version").filter(|version| !version.is_empty()) {
            place.version = Some(version.to_owned());
        }
        for (key, value) in fields {
            let mut child = place.child(key);
            if let Some((name, _)) = variable.filter(|(_, held)| std::ptr::eq(*held, value)) {
                child = child.called(name);
            }
            match key {
                _ if taken.contains(key) => {}
                "metadata" if kind.is_some() || place.key == "template" => {
                    if let Some(annotations) = document::get(value, "annotations") {
                        self.annotations(annotations);
                    }
                }
                "status" if kind.is_some() => {}
                // Knative's and Tekton's ConfigMaps carry their manual there.
                "_example" => {}
                _ if holds_labels(key) => self.annotations(value),
                "image" if place.container => self.container(value, &child),
                // A volume that is an image.
                "reference" if place.key == "image" => self.container(value, &child),
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
        let Some((text, style)) = scalar(value) else { return self.node(value, place) };
        match (text, text.parse()) {
            ("" | "~" | "null" | "Null" | "NULL", _) if style == ScalarStyle::Plain => {}
            ("", _) => {}
            ("auto", _) => self.guess(text, value, "Istio puts the image of its proxy there"),
            (_, Ok(image)) => self.found(image, value, place),
            (_, Err(_)) => self.guess(text, value, "it is a template or no image reference"),
        }
    }

    /// `image: {{ .Values.image }}`, which a renderer was to fill in.
    fn template(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        if place.is_for_an_image() {
            self.guess("{{ … }}", node, "it is a template that nobody filled in");
        }
    }

    /// Reads the images that stand in parts; returns the fields read.
    fn joined<'a>(
        &mut self,
        fields: &[Field<'a, '_>],
        context: Context,
        place: &Place,
    ) -> HashSet<&'a str> {
        let texts: Vec<(&str, &str)> =
            fields.iter().filter_map(|(key, value)| Some((*key, scalar(value)?.0))).collect();
        let nodes: HashMap<&str, &MarkedYaml<'_>> = fields.iter().copied().collect();
        let mut taken = HashSet::new();
        for joined in join(&texts, context, place.version.as_deref()) {
            let first = joined.keys.first().and_then(|key| Some((key, nodes.get(key)?)));
            let Some((key, node)) = first else { continue };
            match joined.whole {
                Whole::Image(image) => self.found(image, node, &place.child(key)),
                Whole::WithoutVersion(name) => {
                    self.guess(&name, node, "a program puts the version behind it");
                }
            }
            taken.extend(joined.keys);
        }
        taken
    }

    /// The words of a command line, flags and their values among them.
    fn command(&mut self, items: &[MarkedYaml<'_>], place: &Place) {
        let mut flag: Option<&str> = None;
        for (index, item) in items.iter().enumerate() {
            let place = place.item(index);
            let before = flag.take();
            let Some((text, _)) = scalar(item) else {
                self.node(item, &place);
                continue;
            };
            let is_flag = text.starts_with('-');
            match (before, text.split_once(['=', ' '])) {
                _ if text.contains('\n') => self.scalar(item, &place),
                (_, Some((name, value))) if is_flag => {
                    self.text(value, item, &place.called(name));
                }
                (Some(name), _) if !is_flag && names_an_image(name) => {
                    self.text(text, item, &place.called(name));
                }
                _ if is_flag => flag = Some(text),
                _ => self.scalar(item, &place),
            }
        }
    }

    fn scalar(&mut self, node: &MarkedYaml<'_>, place: &Place) {
        if let Some((text, _)) = scalar(node) {
            self.text(text, node, place);
        }
    }

    fn text(&mut self, text: &str, node: &MarkedYaml<'_>, place: &Place) {
        if place.is_prose() {
            return;
        }
        if text.contains('\n') || looks_nested(text) {
            return self.nested(text, node, place);
        }
        self.plain(text, node, place);
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
        let Some(documents) = structured else { return self.plain(text, node, place) };
        let offset = self.line_offset;
        self.line_offset = self.line(node).saturating_sub(1);
        self.nesting += 1;
        for document in &documents {
            self.node(document, place);
        }
        self.nesting -= 1;
        self.line_offset = offset;
    }

    fn plain(&mut self, text: &str, node: &MarkedYaml<'_>, place: &Place) {
        if place.is_for_an_image() {
            self.named(text, node, place);
        } else if text.split([',', ';']).any(|part| part.trim().contains(char::is_whitespace)) {
            self.script(text, node);
        } else {
            self.unnamed(text, node, place);
        }
    }

    /// The images in the value of something named for images: one or a list,
    /// each perhaps with a name of its own in front, `3.6.0=quay.io/…`.
    fn named(&mut self, text: &str, node: &MarkedYaml<'_>, place: &Place) {
        let separator = |c: char| c.is_whitespace() || ",;".contains(c);
        let parts: Vec<&str> = text.split(separator).filter(|part| !part.is_empty()).collect();
        let parts: Vec<&str> = parts
            .into_iter()
            .map(|part| part.rsplit('=').next().unwrap_or(part).trim_matches(['"', '\'']))
            .collect();
        // Words among them make a sentence or a program.
        if parts.len() > 1 && parts.iter().any(|part| judge(part).0 <= Shape::Word) {
            return self.script(text, node);
        }
        for part in parts.iter().copied() {
            match judge(part) {
                (Shape::Full | Shape::Path, Some(image))
                    if is_pinned(part) || place.key == "image" =>
                {
                    self.found(image, node, place);
                }
                (Shape::Path, Some(_)) => self.guess(part, node, "it names no tag"),
                (Shape::Word, Some(_)) if parts.len() == 1 && is_name(part, &place.key) => {
                    self.guess(part, node, "a field named for an image holds a single word");
                }
                _ => {}
            }
        }
    }

    /// A value that nothing says to be an image, but its own shape.
    fn unnamed(&mut self, text: &str, node: &MarkedYaml<'_>, place: &Place) {
        for part in text.split([',', ';']).map(str::trim) {
            let part =
                if part.contains('@') { part } else { part.rsplit('=').next().unwrap_or(part) };
            match judge(part) {
                (Shape::Full, Some(image)) => self.found(image, node, place),
                (Shape::Path, Some(_)) if place.in_command && has_version(part) => {
                    self.guess(part, node, "an argument looks like an image");
                }
                _ => {}
            }
        }
    }

    /// A program text: what looks like an image in it is a guess.
    fn script(&mut self, text: &str, node: &MarkedYaml<'_>) {
        let is_literal = scalar(node).is_some_and(|(_, style)| style == ScalarStyle::Literal);
        for (index, line) in text.lines().enumerate() {
            let place = self.line(node) + if is_literal { index } else { 0 };
            for word in line.split(|c: char| c.is_whitespace() || "\"'`=;,()<>|".contains(c)) {
                if word.contains('/') && judge(word).0 == Shape::Full {
                    self.guess_at(word, place, "a script or a text names it");
                }
            }
            // `image = "ubuntu:22.04"`, as in TOML, properties and shell.
            if let Some((name, value)) = line.split_once('=')
                && names_an_image(
                    name.rsplit([' ', '\t']).find(|word| !word.is_empty()).unwrap_or(""),
                )
            {
                let value = value.trim().trim_matches(['"', '\'']);
                if is_pinned(value) && judge(value).0 >= Shape::Path {
                    self.guess_at(value, place, "a script or a text names it");
                }
            }
        }
    }

    /// Only an annotation that is named for an image can hold one; others, such
    /// as `last-applied-configuration`, repeat what was.
    fn annotations(&mut self, annotations: &MarkedYaml<'_>) {
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
        if place.unpulled {
            let why = "a resource of this kind speaks of images without pulling them";
            return self.guess(&image.to_string(), node, why);
        }
        let found = Found {
            image,
            line: self.line(node),
            document: self.document.clone(),
            path: place.path.clone(),
        };
        self.discovery.found.push(found);
    }

    fn guess(&mut self, text: &str, node: &MarkedYaml<'_>, why: &'static str) {
        self.guess_at(text, self.line(node), why);
    }

    fn guess_at(&mut self, text: &str, line: usize, why: &'static str) {
        let guess = Guess { text: text.to_owned(), line, why };
        if self.guessed.insert(guess.clone()) {
            self.discovery.guesses.push(guess);
        }
    }
}

/// The name and value of `{name: CSI_IMAGE, value: …}`, as in a container's
/// `env`; the default of a parameter is its value too.
fn variable<'a, 'b>(node: &'a MarkedYaml<'b>) -> Option<Field<'a, 'b>> {
    let value = document::get(node, "value").or_else(|| document::get(node, "default"))?;
    Some((text(node, "name")?, value))
}

/// Whether a single word in a place for an image may be one's name.
fn is_name(word: &str, key: &str) -> bool {
    names_an_image(key) && word.parse::<bool>().is_err() && word.parse::<f64>().is_err()
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
