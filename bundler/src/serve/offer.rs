//! What the server has: the bundle's images, and its files under their titles.

use std::collections::BTreeMap;

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Descriptor;
use indicatif::HumanBytes;

use super::answer::Answer;
use super::registry::Registry;
use super::request::Request;

/// A bundle that was verified, ready to be served.
pub struct Offer {
    /// The bundle.
    pub(super) bundle: Bundle,
    /// Its images.
    pub(super) registry: Registry,
    /// Its files by title: `rpms/el9-x86_64/repodata/repomd.xml`.
    files: BTreeMap<String, Descriptor>,
}

impl Offer {
    /// All that a bundle has.
    pub fn of(bundle: Bundle) -> Self {
        let files = bundle.contents().iter();
        let files = files.map(|file| (file.path.to_string(), file.descriptor.clone())).collect();
        Self { registry: Registry::of(bundle.lock()), files, bundle }
    }

    /// The answer to a question.
    pub(super) fn answer(&self, request: &Request) -> Answer<'_> {
        if !["GET", "HEAD"].contains(&request.method.as_str()) {
            let refusal = "this server only gives: nothing can be written or deleted here";
            return Answer::refusal(405, "UNSUPPORTED", refusal)
                .with("Allow", "GET, HEAD".to_owned());
        }
        let path = request.path.trim_start_matches('/');
        match path.strip_prefix("v2/").or_else(|| (path == "v2").then_some("")) {
            Some(path) => self.registry.answer(path, request),
            None if path.is_empty() => Answer::text("text/plain; charset=utf-8", self.list()),
            None => match self.files.get(path) {
                Some(file) => Answer::blob("application/octet-stream", file),
                None => Answer::refusal(404, "NOT_FOUND", "the bundle has no file of this title"),
            },
        }
    }

    /// What there is, for a person.
    fn list(&self) -> String {
        let lock = self.bundle.lock();
        let images = lock.hops.iter().flat_map(|hop| &hop.images).chain(&lock.images);
        let mut text = format!("{}\n\nimages, by the registry's protocol:\n", lock.name);
        images.for_each(|image| text += &format!("  {}\n", image.name));
        text += "\nfiles:\n";
        for (title, file) in &self.files {
            text += &format!("  /{title} ({})\n", HumanBytes(file.size));
        }
        text
    }
}
