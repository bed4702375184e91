//! Walks through the documents of a manifest, node by node.

use std::collections::{HashMap, HashSet};

use bundle_format::ImageReference;

use super::found::{Discovery, Found, Guess};
use super::naming::{is_an_image, names_an_image};
use super::parts::{Context, Whole, join};
use super::place::{Place, holds_labels, pulls_nothing};
use super::shape::{Shape, judge};
use crate::libyaml::document::{self, File, YamlError};
use crate::libyaml::node::{self, Data, Node, ScalarStyle, entries, items, merged, scalar, text};

mod text;

/// A field of a mapping, or a variable with its value.
type Field<'a, 'b> = (&'a str, &'a Node);

/// Finds the images in the manifest `text`. Errors call it `file`.
pub fn discover(file: &str, text: &str) -> Result<Discovery, YamlError> {
    Ok(discover_in(&document::read(file, text)?))
}

/// The same, for a manifest that was already parsed.
pub fn discover_in(file: &File) -> Discovery {
    let mut walk = Walk::default();
    for document in &file.documents {
        walk.node(&document.node, &Place::default());
    }
    let Walk { mut discovery, .. } = walk;
    // The walk may see a place twice: through an alias, or as a field of its own.
    let found: HashSet<(usize, &ImageReference)> =
        discovery.found.iter().map(|found| (found.line, &found.image)).collect();
    let is_found = |guess: &Guess| {
        guess.text.parse().is_ok_and(|image: ImageReference| found.contains(&(guess.line, &image)))
    };
    let guesses = std::mem::take(&mut discovery.guesses);
    discovery.guesses = guesses.into_iter().filter(|guess| !is_found(guess)).collect();
    discovery
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
    fn node(&mut self, node: &Node, place: &Place) {
        match &node.data {
            Data::Sequence(_) if place.is_command() => self.command(items(node), place),
            Data::Sequence(_) => self.sequence(items(node), place),
            Data::Mapping(_) if node::is_template(node) => self.template(node, place),
            Data::Mapping(_) => self.mapping(node, place),
            _ => self.scalar(node, place),
        }
    }

    fn sequence(&mut self, items: &[Node], place: &Place) {
        let variables: Vec<Field<'_, '_>> = items.iter().filter_map(variable).collect();
        let taken = self.joined(&variables, Context::Variables, place);
        for (index, item) in items.iter().enumerate() {
            if !variable(item).is_some_and(|(name, _)| taken.contains(name)) {
                self.node(item, &place.item(index));
            }
        }
    }

    fn mapping(&mut self, node: &Node, place: &Place) {
        // What is merged counts too: it decides whether there are images below.
        let fields = merged(node);
        let text_of = |name: &str| {
            let value = fields.iter().find(|(key, _)| *key == name)?.1;
            scalar(value).map(|(text, _)| text)
        };
        let kind = text_of("kind").zip(text_of("apiVersion"));
        if kind.is_some_and(|(kind, _)| kind == "CustomResourceDefinition") {
            return;
        }
        let outer = self.document.clone();
        let mut place = place.clone();
        if let Some((kind, api_version)) = kind {
            self.document = describe(kind, node);
            place.unpulled |= pulls_nothing(api_version, kind);
        }
        let has = |names: &[&str]| fields.iter().any(|(key, _)| names.contains(key));
        place.container |= has(&["command", "args", "volumeMounts"]);
        let context = if is_an_image(&place.key) { Context::Image } else { Context::Mapping };
        let taken = self.joined(&fields, context, &place);
        let variable = variable(node);
        if let Some(version) = text_of("version").filter(|version| !version.is_empty()) {
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
                    if let Some(annotations) = node::get(value, "annotations") {
                        self.annotations(annotations);
                    }
                }
                "status" if kind.is_some() => {}
                // The ConfigMaps of Knative and Tekton have their
                // manual here.
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

    /// The `image` of a container. Any reference counts, whatever its form.
    fn container(&mut self, value: &Node, place: &Place) {
        let Some((text, style)) = scalar(value) else { return self.node(value, place) };
        match (text, text.parse()) {
            ("" | "~" | "null" | "Null" | "NULL", _) if style == ScalarStyle::Plain => {}
            ("", _) => {}
            ("auto", _) => self.guess(text, value, "Istio puts the image of its proxy there"),
            (_, Ok(image)) => self.found(image, value, place),
            (_, Err(_)) => self.guess(text, value, "it is a template or no image reference"),
        }
    }

    /// `image: {{ .Values.image }}`, which a renderer should have filled in.
    fn template(&mut self, node: &Node, place: &Place) {
        if place.is_for_an_image() {
            self.guess("{{ … }}", node, "it is a template that nobody filled in");
        }
    }

    /// Reads the images that are written in parts. Returns the fields that were
    /// read.
    fn joined<'a>(
        &mut self,
        fields: &[Field<'a, '_>],
        context: Context,
        place: &Place,
    ) -> HashSet<&'a str> {
        let texts: Vec<(&str, &str)> =
            fields.iter().filter_map(|(key, value)| Some((*key, scalar(value)?.0))).collect();
        let nodes: HashMap<&str, &Node> = fields.iter().copied().collect();
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

    /// Only an annotation whose name says image can have one. Others, such as
    /// `last-applied-configuration`, repeat an earlier state.
    fn annotations(&mut self, annotations: &Node) {
        for (key, value) in entries(annotations) {
            let Some((text, _)) = scalar(value) else { continue };
            let name = key.rsplit('/').next().unwrap_or(key);
            if names_an_image(name) && judge(text).0 == Shape::Full {
                self.guess(text, value, "an annotation names it");
            }
        }
    }

    fn line(&self, node: &Node) -> usize {
        // The text of a block scalar begins on the line after its sign.
        let is_block = scalar(node)
            .is_some_and(|(_, style)| matches!(style, ScalarStyle::Literal | ScalarStyle::Folded));
        node.line + usize::from(is_block) + self.line_offset
    }

    fn found(&mut self, image: ImageReference, node: &Node, place: &Place) {
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

    fn guess(&mut self, text: &str, node: &Node, why: &'static str) {
        self.guess_at(text, self.line(node), why);
    }

    fn guess_at(&mut self, text: &str, line: usize, why: &'static str) {
        let guess = Guess { text: text.to_owned(), line, why };
        if self.guessed.insert(guess.clone()) {
            self.discovery.guesses.push(guess);
        }
    }
}

/// The name and value of `{name: CSI_IMAGE, value: …}`, as in a container's `env`.
/// The default of a parameter counts as its value.
fn variable<'a, 'b>(node: &'a Node) -> Option<Field<'a, 'b>> {
    let value = node::get(node, "value").or_else(|| node::get(node, "default"))?;
    Some((text(node, "name")?, value))
}

/// `DaemonSet kube-system/calico-node`.
fn describe(kind: &str, node: &Node) -> String {
    let metadata = node::get(node, "metadata");
    let part = |key| metadata.and_then(|metadata| text(metadata, key));
    match (part("namespace"), part("name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        _ => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_what_it_means() {
        for (text, images) in [
            ("{containers: [{? !!binary aW1hZ2U= : a.io/b:c}]}", &["a.io/b:c"][..]),
            ("containers: [{image: !!binary YS5pby9iOmM=}]", &["a.io/b:c"]),
            ("{y: {image: a.io/b:c}, 'y': {image: a.io/d:e}}", &["a.io/b:c", "a.io/d:e"]),
            ("{'y': {image: a.io/b:c}, <<: {y: {image: a.io/d:e}}}", &["a.io/b:c", "a.io/d:e"]),
            ("{y: {image: a.io/b:c}, <<: {yes: {image: a.io/d:e}}}", &["a.io/d:e"]),
        ] {
            let found = discover("x", text).unwrap();
            let found: Vec<String> = found.images().keys().map(ToString::to_string).collect();
            assert_eq!(found, images, "{text}");
        }
    }
}
