//! Reading a join file. If somebody edited it, all mistakes are reported at once, and
//! never the token.

use std::path::Path;

use bundle_format::recognise;
use bundle_format::yaml::{Format, Problem};
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Mistakes};
use crate::masked::is_token;

const CURE: &str = "make one on a master with `installer token`, and copy it here";

/// Keys that only join files have. A file with two of them is meant as a join file.
const OWN: [&str; 5] = ["token", "expires", "caCertHash", "master", "masterAddress"];

/// Reads the text of a file at `path`, in this format.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    format: &Format,
) -> anyhow::Result<T> {
    if !is_meant(text) {
        let is = match recognise::what(text.as_bytes()) {
            "a join file" | "a text of another kind" => "is not a join file".to_owned(),
            other => format!("is {other}, not a join file"),
        };
        return Err(Failure::new(format!("{} {is}", path.display()), CURE).into());
    }
    let (value, problems) = match format.read::<T>(text) {
        Ok(Some(read)) => (read.value, read.problems),
        Ok(None) => (None, Vec::new()),
        Err(problem) => (None, vec![problem]),
    };
    if let (Some(join), true) = (value, problems.is_empty()) {
        return Ok(join);
    }
    let secrets = secrets(text);
    let mut problems: Vec<Problem> =
        problems.into_iter().map(|problem| without_secrets(problem, &secrets)).collect();
    problems.sort();
    problems.dedup();
    let lines = problems.iter().map(|problem| problem.line(path)).collect();
    Err(Mistakes::new(lines, CURE).into())
}

fn is_meant(text: &str) -> bool {
    let has = |key: &&&str| {
        let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.any(|word| word == **key)
    };
    recognise::what(text.as_bytes()) == "a join file" || OWN.iter().filter(has).count() > 1
}

/// Words that may be a token or a key: any value of such a setting, and anything
/// elsewhere that looks like one.
fn secrets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_behind_key = false;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let lower = line.to_ascii_lowercase();
        let name = ["tok", "certificatek"].into_iter().find_map(|name| lower.find(name));
        let value = match name {
            Some(at) => line.get(at..).and_then(|rest| rest.split_once([':', '='])),
            None => is_behind_key.then_some(("", line)),
        };
        let value = value.map_or("", |(_, value)| value);
        is_behind_key = name.is_some() && value.trim().is_empty();
        let word = |c: char| !c.is_ascii_alphanumeric() && c != '.';
        found.extend(value.split(word).filter(|word| word.len() > 3).map(str::to_owned));
        let is_key = |word: &str| is_certificate_key(word) && !lower.contains("sha256");
        let is_secret = |word: &&str| is_token(word) || is_key(word);
        found.extend(line.split(word).filter(is_secret).map(str::to_owned));
    }
    found
}

/// Whether it looks like the key of `kubeadm init phase upload-certs`: 32 bytes in hex.
fn is_certificate_key(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn without_secrets(problem: Problem, secrets: &[String]) -> Problem {
    if !secrets.iter().any(|secret| problem.message.contains(secret.as_str())) {
        return problem;
    }
    let words = "this is not understood, and not shown, since it may be a secret: write it as \
                 `installer token` does";
    Problem::new(problem.place, words)
}
