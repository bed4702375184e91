//! Modularity against dnf: which packages a node of el8 sees that was never
//! told to enable a stream.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use bundle_format::Architecture;
use bundler::fetch::file::FileFetch;
use bundler::rpm::closure::Request;
use bundler::rpm::modules::{Documents, Modules};
use bundler::rpm::repository::Repository;
use bundler::rpm::resolve::{Baseline, Goal, resolve};

use crate::support::dnf::{
    self, Case, Numbers, Offered, ask_dnf, load, write_package, write_repository,
};

const VERSIONS: [&str; 3] = ["1.0", "2.0", "3.0"];

/// An entry of `primary.xml`: a package with what it provides and requires.
fn package(text: &mut String, name: &str, version: &str, provides: &[String], requires: &[&str]) {
    let mut format = format!(
        "<rpm:provides><rpm:entry name=\"{name}\" flags=\"EQ\" epoch=\"0\" ver=\"{version}\" rel=\"1\"/>"
    );
    for name in provides {
        write!(format, "<rpm:entry name=\"{name}\"/>").unwrap();
    }
    format.push_str("</rpm:provides><rpm:requires>");
    for name in requires {
        write!(format, "<rpm:entry name=\"{name}\"/>").unwrap();
    }
    format.push_str("</rpm:requires>");
    write_package(text, name, "x86_64", (0, version, "1"), &format);
}

fn stream(module: &str, name: &str, version: usize, context: &str, rest: &str) -> String {
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {module}\n  stream: {name}\n  \
         version: {version}\n  context: {context}\n  arch: x86_64\n  summary: s\n  description: d\n  \
         license: {{module: [MIT]}}\n{rest}...\n"
    )
}

fn default(module: &str, stream: &str) -> String {
    format!(
        "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: {module}\n  stream: {stream}\n...\n"
    )
}

/// What we show of some repositories, as [`ask_dnf`] answers to `*`.
fn shown(repositories: &[Repository]) -> String {
    let modules = modules(repositories);
    let hidden = |repository: &Repository, package: &_| {
        !repository.module_hotfixes && modules.hidden_by(package).is_some()
    };
    let names: BTreeSet<String> = repositories
        .iter()
        .flat_map(|repository| {
            repository
                .packages
                .iter()
                .filter(|package| !hidden(repository, package))
                .map(|package| package.nevra.to_string())
        })
        .collect();
    names.into_iter().collect::<Vec<_>>().join(" ")
}

fn modules(repositories: &[Repository]) -> Modules {
    let mut documents = Documents::default();
    for repository in repositories {
        if let Some(document) = repository.document(&FileFetch, "modules").unwrap() {
            documents.add(&document).unwrap();
        }
    }
    documents.modules(Some("el8"), "x86_64")
}

fn load_all(folder: &Path, offered: &[Offered]) -> Vec<Repository> {
    let load = |(number, one): (usize, &Offered)| {
        let id = format!("r{number}");
        let mut repository = load(&folder.join(&id), &id, one.priority);
        repository.module_hotfixes = one.module_hotfixes;
        repository
    };
    offered.iter().enumerate().map(load).collect()
}

/// Two repositories with packages `p0`…`p7` and modules `m0`…`m2`, of which the
/// last has no default stream.
fn world(numbers: &mut Numbers, folder: &Path) {
    let mut built = Vec::new();
    for repository in 0..2 {
        let mut packages = String::new();
        for number in 0..8 {
            for version in VERSIONS {
                if numbers.chance(40) {
                    let version = format!("{version}.{repository}");
                    // Some provide the name of another, as a replacement does.
                    let other = format!("p{}", numbers.below(8));
                    let provides = if numbers.chance(15) { vec![other] } else { Vec::new() };
                    package(&mut packages, &format!("p{number}"), &version, &provides, &[]);
                    built.push(format!("p{number}-0:{version}-1.x86_64"));
                }
            }
        }
        let mut yaml = String::new();
        for module in 0..3 {
            for name in 1..3 {
                if numbers.chance(30) {
                    continue;
                }
                let version = 10 * (repository + 1) + numbers.below(3);
                for context in 0..1 + numbers.below(2) {
                    let mut rest = String::from("  dependencies:\n  - requires:\n");
                    let platform = ["[el8]", "[el8]", "[el8]", "[el9]", "[-el9]", "[]"];
                    writeln!(rest, "      platform: {}", platform[numbers.below(6)]).unwrap();
                    // Downwards, so that nothing waits for itself, and for one
                    // stream: which of two is taken is nobody's promise.
                    if module < 2 && numbers.chance(30) {
                        let need = module + 1 + numbers.below(2 - module);
                        let streams = ["[\"1\"]", "[\"2\"]"][numbers.below(2)];
                        writeln!(rest, "      m{need}: {streams}").unwrap();
                    }
                    if numbers.chance(10) {
                        writeln!(rest, "  demodularized:\n    rpms: [p{}]", numbers.below(8))
                            .unwrap();
                    }
                    let mut rpms: Vec<String> =
                        built.iter().filter(|_| numbers.chance(12)).cloned().collect();
                    if numbers.chance(20) {
                        rpms.push(format!("p{}-0:9-1.src", numbers.below(8)));
                    }
                    if numbers.chance(20) {
                        rpms.push(format!("p{}-0:9-1.noarch", numbers.below(8)));
                    }
                    writeln!(rest, "  artifacts:\n    rpms: [{}]", rpms.join(", ")).unwrap();
                    yaml.push_str(&stream(
                        &format!("m{module}"),
                        &format!("\"{name}\""),
                        version,
                        &format!("c{context}"),
                        &rest,
                    ));
                }
            }
            if module < 2 && numbers.chance(60) {
                yaml.push_str(&default(&format!("m{module}"), &(1 + numbers.below(2)).to_string()));
            }
        }
        let primary = dnf::primary(&packages);
        let yaml = numbers.chance(90).then_some(yaml).filter(|yaml| !yaml.is_empty());
        write_repository(&folder.join(format!("r{repository}")), &primary, yaml.as_deref());
    }
}

#[test]
fn shows_the_packages_that_dnf_shows() {
    let root = tempfile::tempdir().unwrap();
    let everything = ["*".to_owned()];
    let asked: Vec<_> = dnf::seeds(60)
        .map(|seed| {
            let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 7);
            let folder = root.path().join(seed.to_string());
            world(&mut numbers, &folder);
            let offered = [false, numbers.chance(20)]
                .map(|module_hotfixes| Offered { priority: 99, module_hotfixes });
            (seed, folder, offered)
        })
        .collect();
    let cases: Vec<Case<'_>> = asked
        .iter()
        .map(|(_, folder, repositories)| Case { folder, repositories, requests: &everything })
        .collect();
    let Some(answers) = ask_dnf(&cases) else { return };
    let mut differences = Vec::new();
    let mut hidden = 0;
    for ((seed, folder, offered), wanted) in asked.iter().zip(&answers) {
        // Then it gives up one of them; which one is a choice.
        if wanted == "contradictory" {
            continue;
        }
        let repositories = load_all(folder, offered);
        let found = shown(&repositories);
        let all: usize = repositories.iter().map(|one| one.packages.len()).sum();
        hidden += all - wanted.split(' ').count();
        if *wanted != found {
            differences.push(format!("seed {seed}:\n  dnf  {wanted}\n  ours {found}"));
        }
    }
    assert!(hidden > asked.len(), "only {hidden} packages are hidden at all");
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        asked.len(),
        differences.join("\n")
    );
}

/// As on el8, where a default stream has runc, and containerd.io of another
/// repository provides it.
#[test]
fn a_package_that_is_hidden_is_named_and_hotfixes_show_it() {
    let root = tempfile::tempdir().unwrap();
    let mut appstream = String::new();
    package(&mut appstream, "runc", "1.1", &[], &[]);
    package(&mut appstream, "buildah", "1.0", &[], &["runc"]);
    let artifacts =
        "  artifacts:\n    rpms: [\"runc-0:1.1-1.x86_64\", \"buildah-0:1.0-1.x86_64\"]\n";
    let yaml = stream("container-tools", "rhel8", 8, "c", artifacts)
        + &default("container-tools", "rhel8");
    write_repository(&root.path().join("r0"), &dnf::primary(&appstream), Some(&yaml));
    let mut docker = String::new();
    package(&mut docker, "containerd.io", "1.6", &["runc".to_owned()], &[]);
    write_repository(&root.path().join("r1"), &dnf::primary(&docker), None);

    let requests = [Request::parse("containerd.io").unwrap()];
    let goal = Goal {
        architecture: Architecture::X86_64,
        platform: Some("el8"),
        baseline: Baseline::None,
        requests: &requests,
        excluded: &|_, _| false,
    };
    let names = ["containerd.io".to_owned()];
    for (module_hotfixes, wanted) in [(false, "unsolvable"), (true, "containerd.io-1.6-1.x86_64")] {
        let offered = [false, module_hotfixes]
            .map(|module_hotfixes| Offered { priority: 99, module_hotfixes });
        let case = Case { folder: root.path(), repositories: &offered, requests: &names };
        let mut repositories = load_all(root.path(), &offered);
        let found = resolve(&FileFetch, &mut repositories, &goal);
        let answer = match &found {
            Ok(found) => found.packages[0].package.nevra.to_string(),
            Err(error) => {
                let words = "containerd.io-1.6-1.x86_64 of r1 by container-tools:rhel8; to use";
                assert!(error.to_string().contains(words), "{error}");
                "unsolvable".to_owned()
            }
        };
        assert_eq!(answer, wanted);
        if let Some(answers) = ask_dnf(&[case]) {
            assert_eq!(answers, [wanted]);
        }
    }
}
