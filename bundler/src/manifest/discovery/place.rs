//! The place of a node in a manifest, and what may be there.

use super::naming::{is_an_image, is_of_something_else, names_an_image, names_images, words};

/// The place of a node.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// `spec.template.spec.containers[0].image`.
    pub(super) path: String,
    /// The key of the node, or of the sequence that it is in. For the value of a
    /// variable or flag, the name of that.
    pub(super) key: String,
    /// Whether it is a container. Then its `image` is an image in any form.
    pub(super) container: bool,
    /// Whether it is in a command line.
    pub(super) in_command: bool,
    /// Whether the resource around it names images without pulling them.
    pub(super) unpulled: bool,
    /// The `version` of the mapping around it.
    pub(super) version: Option<String>,
    within: Within,
}

/// What the place is inside of.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Anything,
    /// A mapping with a key such as `image`.
    Image,
    /// A key such as `images`, at any depth.
    Images,
}

impl Place {
    /// The place of the value of `key`.
    pub(super) fn child(&self, key: &str) -> Self {
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let within = if self.within == Within::Images || names_images(&self.key) {
            Within::Images
        } else if is_an_image(&self.key) {
            Within::Image
        } else {
            Within::Anything
        };
        let container = is_container(key);
        Self { path, key: key.to_owned(), container, within, ..self.clone() }
    }

    /// The place of the item with number `index`.
    pub(super) fn item(&self, index: usize) -> Self {
        let path = format!("{}[{index}]", self.path);
        let container = is_list_of_containers(&self.key);
        let in_command = self.in_command || self.is_command();
        Self { path, container, in_command, ..self.clone() }
    }

    /// The same place, as the value of the variable or flag `name`.
    pub(super) fn called(self, name: &str) -> Self {
        Self { key: name.to_owned(), within: Within::Anything, ..self }
    }

    /// Whether an image is expected here.
    pub(super) fn is_for_an_image(&self) -> bool {
        let by_what_is_around = match self.within {
            Within::Anything => false,
            Within::Image => {
                matches!(self.key.as_str(), "name" | "value" | "default" | "options" | "ref")
            }
            Within::Images => !is_of_something_else(&self.key),
        };
        names_an_image(&self.key) || by_what_is_around
    }

    /// Whether the text here is for people.
    pub(super) fn is_prose(&self) -> bool {
        words(&self.key).last().is_some_and(|word| {
            matches!(word.as_str(), "description" | "summary" | "message" | "title" | "comment")
        })
    }

    /// Whether the words of a command line are here.
    pub(super) fn is_command(&self) -> bool {
        words(&self.key)
            .last()
            .is_some_and(|word| matches!(word.as_str(), "args" | "command" | "arguments"))
    }
}

/// Whether the key is that of a list of containers, in a pod or in an object that
/// becomes one: Tekton's steps, a custom resource's sidecars.
fn is_list_of_containers(key: &str) -> bool {
    words(key)
        .last()
        .is_some_and(|word| matches!(word.as_str(), "containers" | "sidecars" | "steps"))
}

/// Whether the key is that of a single container: in Argo's templates, in many custom
/// resources.
fn is_container(key: &str) -> bool {
    key == "script" || words(key).last().is_some_and(|word| word == "container")
}

/// Whether the mapping of `key` has labels, annotations or the like: notes about a
/// resource, or a choice of resources.
pub(super) fn holds_labels(key: &str) -> bool {
    words(key).last().is_some_and(|word| matches!(word.as_str(), "labels" | "annotations"))
        || key == "nodeSelector"
}

/// Whether a resource only talks about images that others pull, such as policies and
/// watchers of registries.
pub(super) fn pulls_nothing(api_version: &str, kind: &str) -> bool {
    let group = api_version.split('/').next().unwrap_or(api_version);
    match group {
        "image.toolkit.fluxcd.io" | "policy.sigstore.dev" => true,
        "operator.tigera.io" => kind == "ImageSet",
        _ => group == "kyverno.io" || group.ends_with(".kyverno.io"),
    }
}
