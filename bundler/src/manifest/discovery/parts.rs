//! Images that are written in parts: `{repository: …, tag: …}`, `{repository: …,
//! image: …, version: …}`, `proxyImage` beside `proxyImageVersion`.

use std::collections::BTreeMap;

use bundle_format::ImageReference;

use super::naming::words;
use super::shape::{Shape, has_host, is_pinned, judge};

/// An image that several fields name together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joined<'a> {
    /// The fields with the parts of its name, without the version.
    pub(super) keys: Vec<&'a str>,
    pub(super) whole: Whole,
}

/// What the parts make together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Image(ImageReference),
    /// A name without a version. A program adds the version.
    WithoutVersion(String),
}

/// The place of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// A mapping that is an image, so that its `name` is the image's name.
    Image,
    /// Any other mapping.
    Mapping,
    /// The variables of a container. Some variables of a single word, such as
    /// `VERSION`, are about the program itself.
    Variables,
}

/// Joins the images in `fields`. `enclosing` is the version of the resource around
/// them, which belongs to each `baseImage` in it.
pub(super) fn join<'a>(
    fields: &[(&'a str, &'a str)],
    context: Context,
    enclosing: Option<&str>,
) -> Vec<Joined<'a>> {
    let is_chart = fields.iter().any(|(key, _)| key.starts_with("chart"));
    let mut images: BTreeMap<Vec<String>, Parts<'a>> = BTreeMap::new();
    for (key, text) in fields {
        let Some((role, stem)) = Role::of(key, context) else { continue };
        let is_about_the_program = context == Context::Variables
            && matches!(role, Role::Registry | Role::Repository | Role::Version)
            && words(key).len() == 1;
        if is_about_the_program || (is_chart && role == Role::Repository) {
            continue;
        }
        let parts = images.entry(stem).or_default();
        // If two fields have the same role, such as `image` and `baseImage`,
        // one of them is empty.
        let part = parts.0.entry(role).or_insert((key, text));
        if part.1.is_empty() {
            *part = (key, text);
        }
    }
    images.into_values().filter_map(|parts| parts.join(context, enclosing)).collect()
}

/// The part of an image that a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Registry,
    Repository,
    Image,
    Tag,
    Version,
    Digest,
}

impl Role {
    /// The role that `key` says, and the words before it. These tell apart
    /// several images in one mapping.
    fn of(key: &str, context: Context) -> Option<(Self, Vec<String>)> {
        let mut words = words(key);
        let last = words.pop()?;
        let of_image = words.last().is_some_and(|word| word == "image");
        let role = match last.as_str() {
            "registry" | "hub" => Self::Registry,
            "repository" | "repo" => Self::Repository,
            "image" => Self::Image,
            "name" if of_image || (words.is_empty() && context == Context::Image) => Self::Image,
            "tag" => Self::Tag,
            "version" => Self::Version,
            "digest" | "sha" | "sha256" => Self::Digest,
            _ => return None,
        };
        for word in ["image", "base", "default"] {
            if words.last().is_some_and(|last| last == word) {
                words.pop();
            }
        }
        Some((role, words))
    }
}

/// The parts of one image: each role's field and text.
#[derive(Default)]
struct Parts<'a>(BTreeMap<Role, (&'a str, &'a str)>);

impl<'a> Parts<'a> {
    fn get(&self, role: Role) -> Option<(&'a str, &'a str)> {
        self.0.get(&role).copied().filter(|(_, text)| !text.is_empty())
    }

    fn text(&self, role: Role) -> Option<&'a str> {
        self.get(role).map(|(_, text)| text)
    }

    fn join(&self, context: Context, enclosing: Option<&str>) -> Option<Joined<'a>> {
        let Name { keys, text: name, is_put_together } = self.name();
        if is_pinned(&name) {
            // If one field has all of it, it is read in its own place.
            return is_put_together.then(|| whole(keys, &name)).flatten();
        }
        let is_base = keys.iter().any(|key| key.ends_with("baseImage"));
        let version = self
            .text(Role::Tag)
            .or(self.text(Role::Version))
            .or(enclosing.filter(|_| is_base && !self.0.contains_key(&Role::Version)));
        let digest = self.text(Role::Digest).and_then(in_full);
        let is_bare = version.is_none() && digest.is_none();
        if is_bare || (digest.is_none() && self.is_vague(&name, context)) {
            let is_left_out =
                self.0.contains_key(&Role::Tag) || self.0.contains_key(&Role::Version);
            let is_known = match is_bare {
                true => is_put_together || is_left_out,
                false => self.get(Role::Image).is_some(),
            };
            return (is_known && judge(&name).0 != Shape::None)
                .then_some(Joined { keys, whole: Whole::WithoutVersion(name) });
        }
        whole(keys, &with_version(name, version, digest))
    }

    /// The name of the image, without tag and digest.
    fn name(&self) -> Name<'a> {
        let image = self.get(Role::Image);
        let mut keys = Vec::new();
        let mut name = String::new();
        if let Some((key, text)) = self.get(Role::Repository)
            && image.is_none_or(|(_, image)| is_below(image, text))
        {
            keys.push(key);
            name.push_str(text);
        }
        if let Some((key, text)) = image {
            keys.push(key);
            name = if name.is_empty() { text.to_owned() } else { format!("{name}/{text}") };
        }
        let registry = self.text(Role::Registry).filter(|_| !name.is_empty() && !has_host(&name));
        if let Some(registry) = registry {
            name = format!("{registry}/{name}");
        }
        let is_put_together = keys.len() > 1 || registry.is_some();
        Name { keys, text: name, is_put_together }
    }

    /// Many other things have the forms `{repository: a/b, version: 1}` and
    /// `{image: a, version: 1}`.
    fn is_vague(&self, name: &str, context: Context) -> bool {
        context == Context::Mapping
            && self.text(Role::Tag).is_none()
            && match self.get(Role::Image) {
                Some(_) => !name.contains('/'),
                None => !has_host(name),
            }
    }
}

/// An image's name, put together from its parts.
struct Name<'a> {
    /// The fields with the parts.
    keys: Vec<&'a str>,
    text: String,
    is_put_together: bool,
}

fn with_version(name: String, version: Option<&str>, digest: Option<String>) -> String {
    let name = match version.map(|version| (version, version.starts_with("sha256:"))) {
        Some((version, true)) => format!("{name}@{version}"),
        Some((version, false)) => format!("{name}:{version}"),
        None => name,
    };
    match digest.filter(|_| !name.contains('@')) {
        Some(digest) => format!("{name}@{digest}"),
        None => name,
    }
}

fn whole<'a>(keys: Vec<&'a str>, name: &str) -> Option<Joined<'a>> {
    let (shape, image) = judge(name);
    let image = image.filter(|_| shape >= Shape::Path)?;
    Some(Joined { keys, whole: Whole::Image(image) })
}

/// Whether `image` continues the name that `repository` begins.
fn is_below(image: &str, repository: &str) -> bool {
    !has_host(image) && (!image.contains('/') || (has_host(repository) && !is_pinned(image)))
}

/// A digest with its algorithm, which some manifests leave out.
fn in_full(digest: &str) -> Option<String> {
    let is_hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    match digest.strip_prefix("sha256:") {
        Some(_) => Some(digest.to_owned()),
        None => is_hex.then(|| format!("sha256:{digest}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields, the version around them, and the expected images, or names behind
    /// `?`.
    type Case<'a> = (&'a [(&'a str, &'a str)], Context, Option<&'a str>, &'a [&'a str]);

    const HEX: &str = "4a7b9ddce5e2d1f2d04b4f0dea0da0b1a0dd2dc3a1ec1d2cfbe5ef4c1b6a07a1";

    #[test]
    fn parts_are_joined_as_operators_do() {
        use Context::{Image, Mapping, Variables};
        let digest = format!("sha256:{HEX}");
        let pinned = format!("nvcr.io/nvidia/plugin@{digest}");
        let cases: &[Case<'_>] = &[
            (&[("repository", "a/b"), ("tag", "1")], Mapping, None, &["a/b:1"]),
            (&[("repository", "q.io/a/b"), ("version", "1")], Mapping, None, &["q.io/a/b:1"]),
            (&[("repository", "a/b"), ("version", "1")], Mapping, None, &[]),
            (&[("repository", "q.io/a"), ("version", "1"), ("chart", "b")], Mapping, None, &[]),
            (
                &[("repository", "nvcr.io/nvidia"), ("image", "driver"), ("version", "4.6")],
                Mapping,
                None,
                &["nvcr.io/nvidia/driver:4.6"],
            ),
            (
                &[("repository", "nvcr.io/nvidia"), ("image", "plugin"), ("version", &digest)],
                Mapping,
                None,
                &[&pinned],
            ),
            (
                &[("repository", "q.io/a"), ("image", "driver"), ("version", "")],
                Mapping,
                None,
                &["?q.io/a/driver"],
            ),
            (&[("repository", "q.io/a/b"), ("image", "q.io/a/b:1")], Mapping, None, &[]),
            (
                &[("registry", "q.io"), ("image", "a/b"), ("tag", "1")],
                Mapping,
                None,
                &["q.io/a/b:1"],
            ),
            (&[("registry", "q.io"), ("image", "a/b:1")], Mapping, None, &["q.io/a/b:1"]),
            (&[("registry", "q.io"), ("name", "b"), ("tag", "1")], Image, None, &["q.io/b:1"]),
            (&[("name", "b"), ("version", "1")], Mapping, None, &[]),
            (&[("name", "q.io/b"), ("version", "")], Image, None, &["?q.io/b"]),
            (&[("image", "a/b"), ("defaultImageVersion", "1")], Mapping, None, &["a/b:1"]),
            (&[("image", "a/b:2"), ("version", "1")], Mapping, None, &[]),
            (&[("image", "b"), ("version", "1")], Mapping, None, &["?b"]),
            (&[("imageRepository", "a/b"), ("imageTag", "1")], Mapping, None, &["a/b:1"]),
            (&[("trivy.repository", "a/b"), ("trivy.tag", "1")], Mapping, None, &["a/b:1"]),
            (&[("proxyImage", "q.io/a"), ("proxyImageVersion", "")], Mapping, None, &["?q.io/a"]),
            (&[("baseImage", "a/b"), ("version", "1")], Mapping, Some("2"), &["a/b:1"]),
            (&[("baseImage", "a/b")], Mapping, Some("2"), &["a/b:2"]),
            (&[("image", "a/b")], Mapping, Some("2"), &[]),
            (&[("image", ""), ("baseImage", "a/b"), ("tag", "1")], Mapping, None, &["a/b:1"]),
            (&[("X_IMAGE", "a/b"), ("X_VERSION", "1")], Variables, None, &["a/b:1"]),
            (&[("IMAGE", "a/b"), ("VERSION", "1")], Variables, None, &[]),
            (&[("IMAGE", "a/b"), ("TAG", "1")], Variables, None, &["a/b:1"]),
            (&[("image.repository", "a/b"), ("image.tag", "1")], Variables, None, &["a/b:1"]),
            (&[("repository", "{{ .x }}"), ("tag", "1")], Mapping, None, &[]),
        ];
        for (fields, context, enclosing, wanted) in cases {
            let found: Vec<String> = join(fields, *context, *enclosing)
                .into_iter()
                .map(|joined| match joined.whole {
                    Whole::Image(image) => image.to_string(),
                    Whole::WithoutVersion(name) => format!("?{name}"),
                })
                .collect();
            let wanted: Vec<String> = wanted
                .iter()
                .map(|text| match text.parse::<ImageReference>() {
                    Ok(image) => image.to_string(),
                    Err(_) => (*text).to_owned(),
                })
                .collect();
            assert_eq!(found, wanted, "{fields:?}");
        }
        let bare: &[(&str, &str)] = &[("repository", "q.io/b"), ("tag", "1"), ("sha", HEX)];
        let [joined] = join(bare, Mapping, None).try_into().unwrap();
        let whole = format!("q.io/b:1@{digest}").parse().unwrap();
        assert_eq!(joined, Joined { keys: vec!["repository"], whole: Whole::Image(whole) });
    }
}
