//! `bundler images`: which images manifests need.

use std::collections::BTreeSet;
use std::io::Read;

use anyhow::{Context, bail};
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
                    let text: String = guess.text.chars().take(200).collect();
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
    let mut text = String::new();
    let reader: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(file).with_context(|| format!("opening {file}"))?),
    };
    reader
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("reading {file}"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
