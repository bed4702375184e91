//! `bundler images`: which images manifests need.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::input;
use bundle_format::text::brief;
use clap::Args;

use super::report;
use crate::manifest::discovery::discover;
use crate::manifest::document::MAX_BYTES;

/// Prints the images that manifests need
///
/// One a line, in full and sorted. What merely looks like an image is reported
/// on standard error, with its line.
#[derive(Args)]
pub(super) struct Arguments {
    /// Kubernetes YAML; `-` for standard input
    #[arg(required = true)]
    files: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut images = BTreeSet::new();
    let mut problems = Vec::new();
    for file in &arguments.files {
        match read(file).and_then(|text| Ok(discover(file, &text)?)) {
            Ok(discovery) => {
                for guess in &discovery.guesses {
                    let text = brief(&guess.text);
                    report::notice(&format!(
                        "guess: {file}:{}: `{text}`: {}; if the site needs it, list it under `images:` in the spec",
                        guess.line, guess.why
                    ));
                }
                images.extend(discovery.images().into_keys());
            }
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    let lines: String = images.iter().map(|image| format!("{image}\n")).collect();
    report::data(&lines)
}

fn read(file: &str) -> anyhow::Result<String> {
    let bytes = match file {
        "-" => input::bounded(std::io::stdin(), MAX_BYTES),
        _ => input::named(Path::new(file), MAX_BYTES),
    };
    let bytes = bytes.with_context(|| format!("reading {file}"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
