use bundler::libyaml::document::read;
use bundler::manifest::check::{self, Provided, Subject};
use bundler::manifest::discovery::discover_in;
use bundler::manifest::expectation::expectations;
use bundler::manifest::passes::passes;

use super::{READ, outcome, text};

/// A manifest: its images, what it expects, in which passes it is applied, and what a
/// cluster would refuse of it.
pub(super) fn discovery(bytes: &[u8]) -> String {
    let text = text(bytes);
    let file = match read("odd.yaml", &text) {
        Ok(file) => file,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    let found = discover_in(&file).images().len();
    assert!(found <= text.len());
    expectations(&file);
    for pass in passes(&file, &text) {
        drop(pass);
    }
    let subject = Subject { name: "odd", file: &file };
    let problems = check::problems(&[subject], 30, &Provided::default());
    let first = problems.first().map_or("", String::as_str);
    format!("{READ}: {} images, {first}", found.min(3))
}
