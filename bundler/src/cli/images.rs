//! `bundler images`: which images manifests need.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_YAML;
use bundle_format::input;
use bundle_format::text::{brief, printable};
use clap::Args;

use super::print;
use crate::libyaml::document;
use crate::manifest::check;
use crate::manifest::discovery::{Discovery, Found, discover_in};
use crate::page;

/// Prints the images that manifests need
///
/// One a line, in full and sorted. Text that only looks like an image is reported on
/// standard error, with its line.
#[derive(Args)]
pub(super) struct Arguments {
    /// Kubernetes YAML; `-` for standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Print below each image the places that name it: file, line, object and path
    #[arg(long)]
    why: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut images: BTreeMap<_, Vec<String>> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in &arguments.files {
        match read(file).and_then(|text| images_of(file, &text)) {
            Ok(discovery) => {
                for guess in &discovery.guesses {
                    let text = brief(&guess.text);
                    print::notice(&format!(
                        "guess: {file}:{}: `{text}`: {}; if the site needs it, list it under `images:` in the spec; if not, nothing is to be done",
                        guess.line, guess.why
                    ));
                }
                for found in discovery.found {
                    let Found { image, line, document, path } = found;
                    let place = format!("{file}:{line}: {document}, {path}");
                    images.entry(image).or_default().push(place);
                }
            }
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    let mut lines = String::new();
    for (image, places) in &images {
        lines += &format!("{image}\n");
        let places = places.iter().filter(|_| arguments.why);
        places.for_each(|place| lines += &format!("  {}\n", printable(place)));
    }
    print::data(&lines)
}

/// The images of a file. Fails if the file has anything other than objects: an empty
/// list would then say that a site needs no images.
fn images_of(file: &str, text: &str) -> anyhow::Result<Discovery> {
    let read = document::read(file, text)?;
    let discovery = discover_in(&read);
    if !discovery.found.is_empty() {
        return Ok(discovery);
    }
    let strays = check::strays(&read);
    let words: Vec<String> =
        strays.iter().map(|(line, words)| format!("{file}:{line}: {words}")).collect();
    if !words.is_empty() {
        bail!("{}", words.join("\n"));
    }
    Ok(discovery)
}

fn read(file: &str) -> anyhow::Result<String> {
    let bytes = match file {
        "-" => input::bounded(std::io::stdin(), MAX_YAML),
        _ => input::named(Path::new(file), MAX_YAML),
    };
    let bytes = bytes.with_context(|| format!("reading {file}"))?;
    page::refuse(file, &bytes)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
