//! What README.md and docs/ show: their commands run, and print what is shown,
//! except for numbers; their YAML is read; their links lead somewhere; and the
//! Chinese pages show the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_format::archive::reader::Bundle;
use bundle_format::damage::chunk::ChunkSet;
use bundle_format::damage::map::Map;
use bundler::spec::SpecFile;

use crate::real_registry::RealRegistry;
use crate::support::demo::{BUNDLER, Demo};

/// The registry in a document. Where none can be started, the commands for it are left out.
const REGISTRY: &str = "registry.site";

/// The programs whose lines are run; others need what a test has not.
const RUN: [&str; 4] = ["bundler ", "minisign ", "sha256sum ", "tar -xO"];

/// Whether a line of a block is run.
fn is_run(line: &str) -> bool {
    let command = line.strip_prefix("$ ").unwrap_or(line);
    RUN.iter().any(|program| command.starts_with(program))
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut paths = vec![root.join("README.md")];
    paths.extend(pages(&root.join("docs")));
    paths
}

/// The pages in a folder.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

/// The pages that exist in Chinese too, each with its translation.
fn translated() -> Vec<(PathBuf, PathBuf)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut pairs = vec![(root.join("README.md"), root.join("README.zh.md"))];
    for page in pages(&root.join("docs/zh")) {
        pairs.push((root.join("docs").join(page.file_name().unwrap()), page));
    }
    pairs
}

/// The fenced blocks of a document, those marked with `language`.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
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

/// The map of the demo's bundle, as if one of its chunks were lost.
fn map(demo: &Demo) -> String {
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut lost = ChunkSet::default();
    lost.add(7);
    let (bundle, length) = bundle.identity();
    Map::new(bundle, length, &lost).to_string()
}

/// A command with the registry that runs, which has no TLS.
fn at_registry(command: &str, registry: Option<&RealRegistry>) -> String {
    match registry {
        Some(registry) if command.contains(REGISTRY) => {
            format!("{} --plain-http", command.replace(REGISTRY, &registry.host()))
        }
        _ => command.to_owned(),
    }
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let mut count = 0;
    // These pages have tests of their own.
    let others = ["verify-by-hand.md", "serve.md", "charts.md", "kustomize.md"];
    let is_here = |path: &PathBuf| !others.iter().any(|other| path.ends_with(other));
    for document in documents().into_iter().filter(is_here) {
        let blocks = blocks(&fs::read_to_string(&document).unwrap(), "");
        if !blocks.iter().flat_map(|block| block.lines()).any(is_run) {
            continue;
        }
        let demo = Demo::start();
        let spec = fs::read_to_string(demo.path("bundle.yaml")).unwrap();
        let needs_registry = blocks.iter().any(|block| block.contains(REGISTRY));
        let registry = needs_registry.then(RealRegistry::plain).flatten();
        if needs_registry && registry.is_none() {
            continue;
        }
        for block in blocks {
            let session = block.lines().any(|line| line.starts_with("$ "));
            let mut printed = String::new();
            for line in block.lines() {
                let command = line.strip_prefix("$ ").unwrap_or(line);
                let is_command = !session || line.starts_with("$ ");
                if is_command && is_run(line) {
                    if command.starts_with("bundler init") {
                        fs::remove_file(demo.path("bundle.yaml")).unwrap();
                    }
                    if command.starts_with("bundler patch") {
                        // On site, the installer prints it.
                        fs::write(demo.path("map.txt"), map(&demo)).unwrap();
                    }
                    printed = run(&demo, &at_registry(command, registry.as_ref()));
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
    // The sample of a cluster file has a test of its own.
    for document in documents().into_iter().filter(|path| !path.ends_with("cluster-file.md")) {
        for block in blocks(&fs::read_to_string(&document).unwrap(), "yaml") {
            let indented = block.replace('\n', "\n  ");
            let text = match block.split(':').next() {
                // A whole spec.
                Some("name") => block,
                Some("match") => format!("{head}  {indented}"),
                Some("kubelet" | "endpoint" | "backup" | "controlPlane") => {
                    format!("{head}cluster:\n  {indented}")
                }
                Some("patches") => {
                    format!("{head}manifests:\n- name: a\n  file: a.yaml\n  {indented}")
                }
                _ => format!("{head}{block}"),
            };
            SpecFile::parse(&document, text.into_bytes()).unwrap_or_else(|error| panic!("{error}"));
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} blocks were found");
}

/// The parts of a page, in order: each fenced block as it is; and of each heading,
/// paragraph, item of a list and row of a table what kind it is, and what stands in
/// backquotes there. That is sorted, because each language orders its words in its own way.
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut is_fenced = false;
    let mut end = |part: &mut String| {
        let whole = std::mem::take(part);
        let mut names: Vec<&str> = whole.split('`').skip(1).step_by(2).collect();
        names.sort_unstable();
        let kind = match whole.split(' ').next().unwrap_or_default() {
            "" => return,
            _ if whole.starts_with("```") => return parts.push(whole),
            "|" => format!("row of {} cells", whole.matches('|').count() - 1),
            word if is_mark(word) => word.to_owned(),
            _ => "paragraph".to_owned(),
        };
        parts.push(format!("{kind} {names:?}"));
    };
    for line in text.lines() {
        let fence = line.starts_with("```");
        let begins = line.trim_start().split(' ').next().unwrap_or_default();
        if !is_fenced && (fence || begins == "|" || begins.is_empty() || is_mark(begins)) {
            end(&mut part);
        }
        is_fenced ^= fence;
        match is_fenced || fence {
            true => part += &format!("{line}\n"),
            false if part.is_empty() => part += line.trim_start(),
            false => part += &format!(" {line}"),
        }
        if fence && !is_fenced {
            end(&mut part);
        }
    }
    end(&mut part);
    parts
}

/// Whether a line with this first word begins a heading or an item of a list.
fn is_mark(word: &str) -> bool {
    let is_number = |number: &str| number.parse::<u8>().is_ok();
    word == "-"
        || word.strip_suffix('.').is_some_and(is_number)
        || (word.starts_with('#') && word.trim_matches('#').is_empty())
}

#[test]
fn a_translation_has_the_same_commands_and_names() {
    let read = |path: &Path| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    for (page, translation) in translated() {
        let (own, other) = (parts(&read(&page)), parts(&read(&translation)));
        let end = "the end".to_owned();
        for at in 0..own.len().max(other.len()) {
            let (own, other) = (own.get(at).unwrap_or(&end), other.get(at).unwrap_or(&end));
            assert_eq!(own, other, "{}, {}", page.display(), translation.display());
        }
    }
}

#[test]
fn each_page_for_an_operator_is_translated() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
    let index = fs::read_to_string(root.join("install.md")).unwrap();
    let (index, _) = index.split_once("\n## ").unwrap();
    let names = index.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut wanted: Vec<String> = names.skip(1).map(|name| format!("{name}.md")).collect();
    // These are not read at a node, so the installer does not have them.
    wanted.extend(["install.md", "rehearse.md", "verify-by-hand.md"].map(str::to_owned));
    wanted.sort_unstable();
    let mut there: Vec<String> = pages(&root.join("zh"))
        .iter()
        .map(|page| page.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    there.sort_unstable();
    assert_eq!(there, wanted);
}

/// The places in a page that a link may name: its headings, as forges name them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|sign| sign.is_alphanumeric() || "-_".contains(*sign)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut documents = documents();
    documents.extend(translated().into_iter().map(|(_, translation)| translation));
    documents.extend(pages(root));
    documents.push(root.join("tests/lab/README.md"));
    let mut count = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("https:")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            let place = format!("{}: {link}", document.display());
            assert!(target.exists(), "{place}");
            if !anchor.is_empty() {
                let known = anchors(&fs::read_to_string(&target).unwrap());
                assert!(known.iter().any(|one| one == anchor), "{place}: {known:?}");
            }
            count += 1;
        }
    }
    assert!(count >= 80, "only {count} links were found");
}
