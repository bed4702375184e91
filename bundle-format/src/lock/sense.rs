//! Whether a lock makes sense in itself, before anything else is known. One
//! may have been edited by hand, and that of a bundle is a stranger's.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::hash::Hash;

use serde_json::Value;
use url::Url;

use super::{FileKind, Lock, LockedImage};
use crate::architecture::Architecture;
use crate::image::{is_index, is_manifest};
use crate::{layout, title};

/// Fields whose texts may have several lines: those of a spec's or a manifest's.
const OF_LINES: [&str; 4] = ["from", "to", "reason", "warnings"];

impl Lock {
    /// All that contradicts itself; empty for a lock that makes sense.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let value = serde_json::to_value(self).unwrap_or_default();
        control_characters(&value, "", &mut problems);
        if !problems.is_empty() {
            // What follows shows the lock's own words.
            return problems;
        }
        if !is_name(&self.name) {
            problems.push(format!("the name `{}` is none of a bundle", self.name));
        }
        self.packages(&mut problems);
        self.images(&mut problems);
        self.files(&mut problems);
        let conflicts = self.cluster.conflicts();
        problems.extend(conflicts.iter().map(|conflict| format!("its cluster: {conflict}")));
        if self.bytes().is_none() {
            problems.push("its sizes are more than any disk holds".to_owned());
        }
        problems
    }

    fn packages(&self, problems: &mut Vec<String>) {
        unique("target", self.targets.iter().map(|target| &target.id), problems);
        for target in &self.targets {
            if target.id != format!("{}-{}", target.family, target.architecture)
                || target.id.contains('/')
            {
                problems.push(format!("the target `{}` is called otherwise", target.id));
            }
        }
        let names = self.rpms.iter().map(|rpm| format!("{} for {}", rpm.package, rpm.target));
        unique("package", names, problems);
        for rpm in &self.rpms {
            let target = self.targets.iter().find(|target| target.id == rpm.target);
            let repository = target.and_then(|target| {
                target.repositories.iter().find(|repository| repository.id == rpm.repository)
            });
            if repository.is_none() {
                problems.push(format!(
                    "package {}: no repository `{}` of a target `{}`",
                    rpm.package, rpm.repository, rpm.target
                ));
            }
            if rpm.package.file_name().contains('/') {
                problems.push(format!("package {}: its name is none", rpm.package));
            }
            no_password(&rpm.package, rpm.source.as_str(), problems);
        }
        for repository in self.targets.iter().flat_map(|target| &target.repositories) {
            no_password(&repository.id, repository.base_url.as_str(), problems);
        }
    }

    fn images(&self, problems: &mut Vec<String>) {
        unique("image", self.images.iter().map(|image| &image.name), problems);
        let wanted: BTreeSet<Architecture> =
            self.targets.iter().map(|target| target.architecture).collect();
        for image in &self.images {
            if let Some(words) = what_is_wrong(image, &wanted) {
                problems.push(format!("image {}: {words}", image.name));
            }
        }
        let names: BTreeSet<_> = self.images.iter().map(|image| &image.name).collect();
        if let Some(sandbox) = self.sandbox_image.as_ref().filter(|name| !names.contains(name)) {
            problems.push(format!("the sandbox image {sandbox} is none of its images"));
        }
        for manifest in &self.manifests {
            for image in manifest.images.iter().filter(|image| !names.contains(image)) {
                problems.push(format!(
                    "manifest {} names {image}, which is none of its images",
                    manifest.name
                ));
            }
        }
    }

    fn files(&self, problems: &mut Vec<String>) {
        unique("manifest", self.manifests.iter().map(|manifest| &manifest.name), problems);
        for manifest in &self.manifests {
            if !is_name(&manifest.name) {
                problems.push(format!("the name `{}` is none of a manifest", manifest.name));
            }
            no_password(&manifest.name, &manifest.source, problems);
        }
        for file in &self.files {
            let folder = match file.kind {
                FileKind::Key => "keys/",
                FileKind::Installer => "installers/",
                FileKind::Config => "config/",
            };
            if !file.title.starts_with(folder) {
                problems.push(format!("the file `{}` does not lie in {folder}", file.title));
            }
            no_password(&file.title, &file.source, problems);
        }
        let contents = layout::contents(self, &[]);
        problems.extend(title::problems(contents.iter().map(|content| content.title.as_str())));
    }

    /// The sum of all sizes, blobs that are named twice counted twice; none if
    /// it is more than a file can have.
    fn bytes(&self) -> Option<u64> {
        let images = self.images.iter().flat_map(|image| {
            let platforms = image.platforms.iter().flat_map(|platform| {
                [&platform.manifest, &platform.config].into_iter().chain(&platform.layers)
            });
            std::iter::once(&image.root).chain(platforms)
        });
        let manifests = self.manifests.iter().flat_map(|manifest| {
            let passes = manifest.passes.iter().map(|pass| &pass.content);
            [&manifest.upstream, &manifest.applied].into_iter().chain(passes)
        });
        let files = self.files.iter().map(|file| &file.content);
        let sizes = images.chain(manifests).chain(files).map(|blob| blob.size);
        sizes
            .chain(self.rpms.iter().map(|rpm| rpm.size))
            .try_fold(0_u64, u64::checked_add)
            .filter(|sum| *sum < 1 << 62)
    }
}

/// What is wrong with an image on nodes of the architectures `wanted`.
fn what_is_wrong(image: &LockedImage, wanted: &BTreeSet<Architecture>) -> Option<String> {
    let media_type = &image.root.media_type;
    if !is_index(media_type) && !is_manifest(media_type) {
        return Some(format!("its root is of the type `{media_type}`"));
    }
    let platforms = &image.platforms;
    let architectures: BTreeSet<Architecture> =
        platforms.iter().map(|platform| platform.architecture).collect();
    if architectures != *wanted || platforms.len() != wanted.len() {
        return Some("its platforms are not those of the targets, each once".to_owned());
    }
    for platform in platforms {
        let alone = is_manifest(media_type);
        if !is_manifest(&platform.manifest.media_type) || alone && platform.manifest != image.root {
            return Some(format!("{} is not its manifest", platform.manifest.digest));
        }
    }
    None
}

/// A name that the spec could have: see its own check.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
}

fn unique<T: Eq + Hash + Display>(
    what: &str,
    names: impl Iterator<Item = T>,
    problems: &mut Vec<String>,
) {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        let words = format!("{what} {name} stands there twice");
        if !seen.insert(name) {
            problems.push(words);
        }
    }
}

/// A password in a source would travel with the bundle.
fn no_password(what: &impl Display, source: &str, problems: &mut Vec<String>) {
    let url = Url::parse(source).ok().filter(Url::has_host);
    if url.is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
        problems.push(format!("{what}: its source holds a user or a password"));
    }
}

fn control_characters(value: &Value, field: &str, problems: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let lines = OF_LINES.contains(&field);
            let bad = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'));
            if text.contains(bad) {
                problems.push(format!("its {field} {text:?} holds a control character"));
            }
        }
        Value::Array(values) => {
            for value in values {
                control_characters(value, field, problems);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                control_characters(value, field, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
