//! What README.md and docs/ show: their commands run, and print what is shown
//! but for numbers; their YAML is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundler::spec::SpecFile;

use crate::support::demo::{BUNDLER, Demo};

/// The programs whose lines are run; others need what a test has not.
const RUN: [&str; 2] = ["bundler ", "sha256sum "];

fn documents() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut paths = vec![root.join("README.md")];
    paths.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    paths
}

/// The fenced blocks of a document, those marked with `language`.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<(bool, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut block) {
            (Some(marked), None) => block = Some((marked == language, String::new())),
            (Some(_), Some(_)) => {
                blocks.extend(block.take().filter(|(wanted, _)| *wanted).map(|(_, text)| text));
            }
            (None, Some((_, text))) => text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    blocks
}

/// What stays the same from day to day: digits, digests and units are masked.
fn steady(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let word = match word.split_once("sha256:") {
            Some((before, _)) => format!("{before}sha256:#"),
            None => word.replace(|c: char| c.is_ascii_digit(), "#"),
        };
        let mut masked = word.replace("KiB", "MiB");
        while masked.contains("##") {
            masked = masked.replace("##", "#");
        }
        masked
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Runs a line of a document in the demo's folder; gives all that it printed.
fn run(demo: &Demo, line: &str) -> String {
    let programs = Path::new(BUNDLER).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &line.replace("URL/", &format!("{}/", demo.upstream.url()))])
        .current_dir(demo.folder.path())
        .env("PATH", path)
        .env("XDG_CACHE_HOME", demo.path("cache"))
        .env("HOME", demo.folder.path())
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8(printed).unwrap();
    assert!(output.status.success(), "{line}: {printed}");
    printed
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let mut count = 0;
    for document in documents() {
        let demo = Demo::start();
        let spec = fs::read_to_string(demo.path("bundle.yaml")).unwrap();
        for block in blocks(&fs::read_to_string(&document).unwrap(), "") {
            let session = block.lines().any(|line| line.starts_with("$ "));
            let mut printed = String::new();
            for line in block.lines() {
                let command = line.strip_prefix("$ ").unwrap_or(line);
                let is_command = !session || line.starts_with("$ ");
                if is_command && RUN.iter().any(|program| command.starts_with(program)) {
                    if command.starts_with("bundler init") {
                        fs::remove_file(demo.path("bundle.yaml")).unwrap();
                    }
                    printed = run(&demo, command);
                    if command.starts_with("bundler init") {
                        // It names the real upstreams, which no test can reach.
                        SpecFile::read(&demo.path("bundle.yaml")).unwrap();
                        fs::write(demo.path("bundle.yaml"), &spec).unwrap();
                    }
                    count += 1;
                } else if session {
                    assert!(
                        printed.lines().any(|own| steady(own) == steady(line)),
                        "{}: {line}\nwas printed as\n{printed}",
                        document.display()
                    );
                }
            }
        }
    }
    assert!(count >= 9, "only {count} commands were found");
}

#[test]
fn subcommands_and_options_in_prose_exist() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap().replace('\n', " ");
        for code in text.split('`').filter_map(|code| code.strip_prefix("bundler ")) {
            let mut words = code.split_whitespace();
            let Some(subcommand) = words.next() else { continue };
            let help = Command::new(BUNDLER).args([subcommand, "--help"]).output().unwrap();
            assert!(help.status.success(), "{}: bundler {code}", document.display());
            let help = String::from_utf8(help.stdout).unwrap();
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{}: bundler {code}", document.display());
            }
        }
    }
}

#[test]
fn yaml_is_read() {
    let head = "name: demo\nkubernetes: {version: 1.28.2}\ntargets:\n- family: el9\n  \
                architecture: x86_64\n  repositories:\n  - {id: os, baseUrl: 'https://example.com/', \
                keys: [key.asc]}\n";
    let mut count = 0;
    // What installing has is the cluster's file, which the installer's own test reads.
    for document in documents().into_iter().filter(|path| !path.ends_with("install.md")) {
        for block in blocks(&fs::read_to_string(&document).unwrap(), "yaml") {
            let of_target = || format!("{head}  {}", block.replace('\n', "\n  "));
            let text = match block.starts_with("patches:") {
                _ if block.starts_with("match:") => of_target(),
                true => format!(
                    "{head}manifests:\n- name: a\n  file: a.yaml\n  {}",
                    block.replace('\n', "\n  ")
                ),
                false => format!("{head}{block}"),
            };
            SpecFile::parse(&document, text.into_bytes()).unwrap_or_else(|error| panic!("{error}"));
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} blocks were found");
}
