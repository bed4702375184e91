//! The patch that renames images wherever a manifest names them: in fields, in
//! arguments, and in YAML inside of a ConfigMap.

use std::collections::BTreeSet;

use bundle_format::ImageReference;

use super::splice::Splice;
use crate::manifest::discovery::discover;
use crate::spec::patch::ImageRewrite;
use crate::spec::prefix;

pub(super) fn splices(text: &str, rewrite: &ImageRewrite) -> Result<Vec<Splice>, String> {
    let discovery = discover("", text).map_err(|error| error.to_string())?;
    let images: BTreeSet<ImageReference> = discovery.images().into_keys().collect();
    let from = rewrite.from.trim_end_matches('/');
    let moved = |image: &ImageReference| prefix::moved(image, from, &rewrite.to);
    if !images.iter().any(|image| moved(image).is_some()) {
        let names: Vec<String> = images.iter().map(ToString::to_string).collect();
        return Err(format!(
            "no image of the manifest begins with {from}; it names {}",
            names.join(", ")
        ));
    }
    let mut splices = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.find(" #").map_or(line, |end| line.get(..end).unwrap_or(line));
        if !code.trim_start().starts_with('#') {
            for (start, token) in tokens(code) {
                let Some(to) = token
                    .parse()
                    .ok()
                    .filter(|image| images.contains(image))
                    .as_ref()
                    .and_then(moved)
                else {
                    continue;
                };
                let start = line_start + start;
                splices.push(Splice { start, end: start + token.len(), to, sets: None });
            }
        }
        line_start += line.len();
    }
    if splices.is_empty() {
        return Err("its images are written in parts, which only `set` can change".to_owned());
    }
    Ok(splices)
}

/// The words of a line that only have characters of image references.
fn tokens(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let outside = |c: char| !(c.is_ascii_alphanumeric() || "._-:/@".contains(c));
    let mut start = 0;
    line.split(outside).map(move |token| {
        let place = start;
        // Every separator that counts is one byte; a wider one holds no token.
        start += token.len()
            + line
                .get(place + token.len()..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
        (place, token)
    })
}
