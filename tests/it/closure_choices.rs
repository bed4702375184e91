//! Which of several packages is taken for one capability: libsolv's choice, and
//! the same in whichever order metadata lists them. Repositories are generated,
//! written in shuffled orders, and dnf is asked about each.

use std::collections::BTreeSet;
use std::path::Path;

use bundle_format::{Architecture, Nevra};
use bundler::rpm::closure::{self, Id, Installed, Request, Universe};
use bundler::rpm::dependency::{Capability, Dependency};
use bundler::rpm::package::Package;

use crate::support::dnf::{
    self, Case, Numbers, Offered, ask_dnf, entry, gave_up_a_newest, load, write_package,
    write_repository,
};
use crate::support::shared_data;

const NAMES: [&str; 12] =
    ["A", "Asplit", "B", "a-x", "a1", "b", "c-lib", "c_lib", "d", "d-x", "e", "zz"];
const VERSIONS: [(u32, &str, &str); 5] =
    [(0, "1.0~rc1", "1"), (0, "1.0", "1"), (0, "1.0", "2"), (0, "2.0", "1"), (1, "0.5", "1")];
/// How many orders of one world dnf is asked about.
const ORDERS: usize = 3;

fn pick<'a>(numbers: &mut Numbers, from: &[&'a str]) -> &'a str {
    from[numbers.below(from.len())]
}

fn capability(numbers: &mut Numbers) -> String {
    match numbers.below(4) {
        0 => pick(numbers, &NAMES).to_owned(),
        _ => format!("cap{}", numbers.below(5)),
    }
}

/// The packages of one repository, each an element of `primary.xml`.
fn packages(numbers: &mut Numbers, repository: usize) -> Vec<String> {
    let mut packages = Vec::new();
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let name = pick(numbers, &NAMES);
        let (epoch, version, release) = VERSIONS[numbers.below(VERSIONS.len())];
        // The same package with other contents is a thing that repositories do
        // not have.
        let release = &format!("{release}.{repository}");
        let evr = (epoch, version, release.as_str());
        if !seen.insert((name, evr.0, evr.1, release.clone())) {
            continue;
        }
        let archs: &[&str] = match numbers.below(6) {
            0 | 1 => &["noarch"],
            2 => &["x86_64", "i686"],
            3 => &["i686"],
            _ => &["x86_64"],
        };
        for arch in archs {
            let mut text = String::new();
            write_package(&mut text, name, arch, evr, &relations(numbers, name, evr));
            packages.push(text);
        }
    }
    packages
}

fn relations(numbers: &mut Numbers, name: &str, evr: (u32, &str, &str)) -> String {
    let mut format = String::from("<rpm:provides>\n");
    entry(&mut format, name, Some(("EQ", evr)));
    for _ in 0..numbers.below(3) {
        let version = VERSIONS[numbers.below(VERSIONS.len())];
        let relation = match numbers.below(8) {
            0 | 1 => Some(("EQ", version)),
            2 => Some(("EQ", evr)),
            3 => Some(("LE", version)),
            4 => Some(("EQ", (0, "2", ""))),
            _ => None,
        };
        entry(&mut format, &format!("cap{}", numbers.below(5)), relation);
    }
    format.push_str("</rpm:provides>\n<rpm:requires>\n");
    for _ in 0..numbers.below(3) {
        let flags = ["EQ", "GE", "LE", "GT", "LT"][numbers.below(5)];
        let relation = numbers.chance(20).then(|| (flags, VERSIONS[numbers.below(VERSIONS.len())]));
        let wanted = capability(numbers);
        entry(&mut format, &wanted, relation);
    }
    format.push_str("</rpm:requires>\n");
    let kinds = [
        ("conflicts", 6),
        ("obsoletes", 8),
        ("recommends", 6),
        ("suggests", 6),
        ("supplements", 6),
        ("enhances", 6),
    ];
    for (kind, chance) in kinds {
        if numbers.chance(chance) {
            format.push_str(&format!("<rpm:{kind}>\n"));
            let wanted = match kind {
                "obsoletes" => pick(numbers, &NAMES).to_owned(),
                _ => capability(numbers),
            };
            entry(&mut format, &wanted, None);
            format.push_str(&format!("</rpm:{kind}>\n"));
        }
    }
    format
}

fn ours(universe: &Universe<'_>, request: &str) -> (String, Vec<Id>) {
    let requests: Vec<Request> =
        request.split(' ').map(|text| Request::parse(text).unwrap()).collect();
    match closure::solve(universe, &requests, &Installed::default()) {
        Ok(solution) => {
            let nevra = |id: &Id| universe.package(*id).nevra.to_string();
            let mut names: Vec<String> = solution.packages.iter().map(nevra).collect();
            names.sort();
            (names.join(" "), solution.packages)
        }
        Err(_) => ("unsolvable".to_owned(), Vec::new()),
    }
}

fn provides(package: &Package, wanted: &Capability) -> bool {
    let mut provided = package.provides.iter();
    provided.any(|has| has.name == wanted.name && wanted.accepts(has.range.as_ref()))
}

/// What is wrong with a set of packages, as rpm would find it.
fn faults(packages: &[&Package]) -> Vec<String> {
    let mut faults = Vec::new();
    let capability = |wanted: &Dependency| match wanted {
        Dependency::Capability(capability) => capability.clone(),
        other => panic!("not generated: {other}"),
    };
    for package in packages {
        for wanted in package.requires.iter().map(capability) {
            if !packages.iter().any(|other| provides(other, &wanted)) {
                faults.push(format!("{} lacks {wanted}", package.nevra));
            }
        }
        for banned in package.conflicts.iter().map(capability) {
            let others = packages.iter().filter(|other| other.nevra.name != package.nevra.name);
            if others.filter(|other| provides(other, &banned)).count() > 0 {
                faults.push(format!("{} conflicts with {banned}", package.nevra));
            }
        }
        let same = |other: &&&Package| {
            other.nevra.name == package.nevra.name && other.nevra.evr != package.nevra.evr
        };
        if packages.iter().filter(same).count() > 0 {
            faults.push(format!("two versions of {}", package.nevra.name));
        }
    }
    faults
}

/// Whether two architectures of a package are there in two versions, which dnf
/// lets pass: yum and the files of real packages do not.
fn has_two_versions(set: &str) -> bool {
    let taken: Vec<Nevra> = set.split(' ').filter_map(|text| text.parse().ok()).collect();
    taken.iter().any(|a| taken.iter().any(|b| a.name == b.name && a.evr != b.evr))
}

/// Whether a package of the other architecture is there without its namesake of
/// the node's own: dnf lets that pass where nothing leads to the namesake.
fn has_lonely_foreigner(universe: &Universe<'_>, set: &str) -> bool {
    let taken: Vec<Nevra> = set.split(' ').filter_map(|text| text.parse().ok()).collect();
    let native = |all: &[Nevra], name: &str| {
        all.iter().any(|nevra| nevra.name == name && nevra.arch == "x86_64")
    };
    let all: Vec<Nevra> = universe.ids().map(|id| universe.package(id).nevra.clone()).collect();
    taken.iter().any(|nevra| {
        nevra.arch == "i686" && native(&all, &nevra.name) && !native(&taken, &nevra.name)
    })
}

#[test]
fn of_several_providers_dnfs_is_taken_in_any_order_of_metadata() {
    let root = tempfile::tempdir().unwrap();
    let seeds = dnf::seeds(12);
    let mut requests: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    requests.extend((0..5).map(|number| format!("cap{number}")));
    requests.extend(["A b", "cap0 zz", "e d-x"].map(str::to_owned));
    let mut worlds = Vec::new();
    for seed in seeds.clone() {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
        let mut repositories = [packages(&mut numbers, 0), packages(&mut numbers, 1)];
        let priority = [99, 99, 50][numbers.below(3)];
        for order in 0..ORDERS {
            let folder = root.path().join(format!("{seed}-{order}"));
            for (place, packages) in repositories.iter_mut().enumerate() {
                numbers.shuffle(packages);
                let xml = dnf::primary(&packages.concat());
                write_repository(&folder.join(format!("r{place}")), &xml, None);
            }
            let offered =
                [99, priority].map(|priority| Offered { priority, module_hotfixes: false });
            worlds.push((seed, folder, offered));
        }
    }
    let cases: Vec<Case<'_>> = worlds
        .iter()
        .map(|(_, folder, repositories)| Case { folder, repositories, requests: &requests })
        .collect();
    let Some(answers) = ask_dnf(&cases) else { return };
    let mut differences = Vec::new();
    let (mut compared, mut unstable, mut excused) = (0, 0, 0);
    for (worlds, answers) in worlds.chunks(ORDERS).zip(answers.chunks(ORDERS * requests.len())) {
        let seed = worlds[0].0;
        let loaded: Vec<_> = worlds
            .iter()
            .map(|(_, folder, offered)| {
                let one = |place: usize| {
                    let id = format!("r{place}");
                    load(&folder.join(&id), &id, offered[place].priority)
                };
                [one(0), one(1)]
            })
            .collect();
        let universes: Vec<Universe<'_>> = loaded
            .iter()
            .map(|repositories| Universe::new(repositories, Architecture::X86_64, |_, _| false))
            .collect();
        for (place, request) in requests.iter().enumerate() {
            let wanted: BTreeSet<&str> =
                answers.chunks(requests.len()).map(|one| one[place].as_str()).collect();
            let found: Vec<(String, Vec<Id>)> =
                universes.iter().map(|universe| ours(universe, request)).collect();
            let distinct: BTreeSet<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
            if distinct.len() > 1 {
                differences.push(format!("seed {seed}, {request}: by order {distinct:#?}"));
                continue;
            }
            let (found, ids) = &found[0];
            let universe = &universes[0];
            let packages: Vec<&Package> = ids.iter().map(|id| universe.package(*id)).collect();
            let faults = faults(&packages);
            if !faults.is_empty() {
                differences.push(format!("seed {seed}, {request}: {found}: {faults:?}"));
                continue;
            }
            let solvable = wanted.iter().any(|answer| *answer != "unsolvable");
            if wanted.len() > 1
                || wanted
                    .iter()
                    .any(|set| has_two_versions(set) || has_lonely_foreigner(universe, set))
            {
                // What dnf itself chooses by the order of metadata.
                unstable += 1;
            } else if solvable
                && found != "unsolvable"
                && wanted.iter().any(|answer| gave_up_a_newest(universe, answer))
                && !wanted.contains(found.as_str())
            {
                excused += 1;
            } else {
                compared += usize::from(solvable);
                if !wanted.contains(found.as_str()) {
                    differences.push(format!(
                        "seed {seed}, {request}:\n  dnf  {wanted:?}\n  ours {found}"
                    ));
                }
            }
        }
    }
    println!("{compared} compared, {unstable} where dnf goes by order, {excused} of old versions");
    assert!(
        compared as u64 > (seeds.end - seeds.start) * 5,
        "only {compared} answers could be compared"
    );
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn published_cases_of_choices() {
    let Some(data) = shared_data::folder() else { return };
    let closure = |case: &str, request: &str| {
        let folder = data.join("field/closure").join(case);
        let repositories = [load(Path::new(&folder.canonicalize().unwrap()), "r", 99)];
        let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
        ours(&universe, request).0
    };
    // libsolv's own tests have them as `choose/default.t` and `choicerules/choice5.t`.
    assert_eq!(closure("choose-default", "X"), "A-1-1.noarch X-1-1.noarch");
    assert_eq!(closure("choice5", "B"), "Asplit-2-1.noarch B-2-1.noarch");
}

/// One repository of the packages in `packages`, each with what stands in its
/// `format`.
fn one(folder: &Path, packages: &[(&str, String)]) -> [bundler::rpm::repository::Repository; 1] {
    let mut text = String::new();
    for (name, format) in packages {
        let mut own = String::from("<rpm:provides>");
        entry(&mut own, name, Some(("EQ", (0, "1", "1"))));
        own.push_str("</rpm:provides>");
        write_package(&mut text, name, "noarch", (0, "1", "1"), &format!("{own}{format}"));
    }
    write_repository(folder, &dnf::primary(&text), None);
    [load(folder, "r", 99)]
}

#[test]
fn long_expressions_and_long_chains_are_solved_and_deep_ones_told() {
    let folder = tempfile::tempdir().unwrap();
    let many = |operator: &str| {
        let names: Vec<String> = (0..20_000).map(|number| format!("n{number}")).collect();
        format!("({})", names.join(&format!(" {operator} ")))
    };
    let requires = |text: &str| {
        let mut format = String::from("<rpm:requires>");
        entry(&mut format, text, None);
        format + "</rpm:requires>"
    };
    let chain: Vec<(String, String)> = (0..3_000)
        .map(|number| (format!("c{number}"), requires(&format!("c{}", number + 1))))
        .chain([("c3000".to_owned(), String::new())])
        .collect();
    let mut packages = vec![
        ("n7", String::new()),
        ("or", requires(&many("or"))),
        ("and", requires(&many("and"))),
        ("if", requires(&format!("(absent if {})", many("and")))),
        ("conflict", requires(&many("or")).replace("requires", "conflicts")),
    ];
    packages.extend(chain.iter().map(|(name, format)| (name.as_str(), format.clone())));
    let repositories = one(folder.path(), &packages);
    let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
    assert_eq!(ours(&universe, "or").0, "n7-1-1.noarch or-1-1.noarch");
    assert_eq!(ours(&universe, "if").0, "if-1-1.noarch");
    assert_eq!(ours(&universe, "c0").1.len(), 3_001);
    // 20,000 things, most of which are not there.
    assert_eq!(ours(&universe, "and").0, "unsolvable");
    assert_eq!(ours(&universe, "conflict n7").0, "unsolvable");
}
