//! The closure against dnf on generated repositories: versions with epochs, `~`
//! and `^`, conflicts, obsoletes, files, multilib, priorities, and every
//! operator of boolean dependencies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bundle_format::{Architecture, Nevra};
use bundler::rpm::closure::{self, Installed, Request, Universe};

use crate::support::dnf::{
    self, Case, Numbers, Offered, ask_dnf, entry, gave_up_a_newest, load, write_package,
    write_repository,
};

const VERSIONS: [(u32, &str, &str); 8] = [
    (0, "1.0~rc1", "1"),
    (0, "1.0", "1"),
    (0, "1.0^git1", "1"),
    (0, "1.0", "2"),
    (0, "1.10", "1"),
    (0, "2.0", "1"),
    (1, "0.5", "1"),
    (0, "1.01", "3"),
];

/// A repository's `primary.xml` with packages `p0`…`p15`.
fn primary(numbers: &mut Numbers, repository: usize) -> String {
    let mut packages = String::new();
    let mut seen = BTreeSet::new();
    let count = 24;
    for _ in 0..count {
        // A capability and a file belong to one name each: which of several
        // names is taken for one depends on the order of strings in dnf's cache.
        let number = numbers.below(16);
        let name = format!("p{number}");
        let (epoch, version, release) = VERSIONS[numbers.below(VERSIONS.len())];
        // The same package with other requirements in another repository is a
        // thing that repositories do not do.
        let release = &format!("{release}.{repository}");
        let arch = ["x86_64", "noarch"][numbers.below(2)];
        // One package of a name and a comparable version: which of two equal
        // ones is taken is nobody's promise.
        let comparable = if version == "1.01" { "1.1" } else { version };
        if !seen.insert((name.clone(), epoch, comparable, release.clone())) {
            continue;
        }
        let mut format = String::new();
        format.push_str("<rpm:provides>\n");
        entry(&mut format, &name, Some(("EQ", (epoch, version, release))));
        if numbers.chance(40) {
            let relation =
                numbers.chance(60).then(|| ("EQ", VERSIONS[numbers.below(VERSIONS.len())]));
            entry(&mut format, &format!("c{number}"), relation);
        }
        format.push_str("</rpm:provides>\n<rpm:requires>\n");
        for _ in 0..numbers.below(3) {
            let target = match numbers.below(10) {
                0 => format!("/usr/bin/f{}", numbers.below(5)),
                1..=4 => format!("c{}", numbers.below(6)),
                _ => format!("p{}", numbers.below(16)),
            };
            let flags = ["EQ", "GE", "LE", "GT", "LT"][numbers.below(5)];
            let versioned = numbers.chance(30) && !target.starts_with('/');
            let relation = versioned.then(|| (flags, VERSIONS[numbers.below(VERSIONS.len())]));
            entry(&mut format, &target, relation);
        }
        if numbers.chance(25) {
            let a = format!("p{}", numbers.below(16));
            let b = format!("p{}", numbers.below(16));
            let owner = numbers.below(6);
            let c = format!("c{owner}");
            let rich = match numbers.below(7) {
                0 => format!("({a} or absent)"),
                1 => format!("({a} and {b})"),
                2 => format!("({a} if {b})"),
                3 => format!("({a} if absent else {b})"),
                4 => format!("({c} with p{owner} >= 1.0)"),
                5 => format!("({c} without p{owner} >= 2.0)"),
                _ => format!("(({a} or absent) and {c})"),
            };
            entry(&mut format, &rich, None);
        }
        format.push_str("</rpm:requires>\n");
        if numbers.chance(12) {
            format.push_str("<rpm:conflicts>\n");
            entry(&mut format, &format!("p{}", numbers.below(16)), None);
            format.push_str("</rpm:conflicts>\n");
        }
        if numbers.chance(10) {
            format.push_str("<rpm:obsoletes>\n");
            // One name for each, again: of two that obsolete a third either may come.
            entry(&mut format, &format!("p{}", (number + 1) % 16), None);
            format.push_str("</rpm:obsoletes>\n");
        }
        if (8..13).contains(&number) && numbers.chance(70) {
            writeln!(format, "<file>/usr/bin/f{}</file>", number - 8).unwrap();
        }
        write_package(&mut packages, &name, arch, (epoch, version, release), &format);
        // Its twin for the other half of a multilib system, with a library of
        // its own, which may need another such library.
        if arch == "x86_64" && numbers.chance(35) {
            let mut twin = String::from("<rpm:provides>\n");
            entry(&mut twin, &name, Some(("EQ", (epoch, version, release))));
            entry(&mut twin, &format!("{name}(x86-32)"), Some(("EQ", (epoch, version, release))));
            entry(&mut twin, &format!("lib{number}.so"), None);
            twin.push_str("</rpm:provides>\n<rpm:requires>\n");
            if numbers.chance(40) {
                entry(&mut twin, &format!("lib{}.so", numbers.below(16)), None);
            }
            twin.push_str("</rpm:requires>\n");
            write_package(&mut packages, &name, "i686", (epoch, version, release), &twin);
        }
    }
    dnf::primary(&packages)
}

fn ours(universe: &Universe<'_>, request: &str) -> String {
    let requests: Vec<Request> =
        request.split(' ').map(|text| Request::parse(text).unwrap()).collect();
    match closure::solve(universe, &requests, &Installed::default()) {
        Ok(solution) => {
            let mut names: Vec<String> = solution
                .packages
                .iter()
                .map(|id| universe.package(*id).nevra.to_string())
                .collect();
            names.sort();
            names.join(" ")
        }
        Err(_) => "unsolvable".to_owned(),
    }
}

/// Whether two architectures of a package are there in two versions, which dnf
/// lets pass: yum and the files of real packages do not.
fn has_two_versions(set: &str) -> bool {
    let taken: Vec<Nevra> = set.split(' ').filter_map(|text| text.parse().ok()).collect();
    taken.iter().any(|a| taken.iter().any(|b| a.name == b.name && a.evr != b.evr))
}

#[test]
fn equals_dnf_on_generated_repositories() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = Vec::new();
    for seed in dnf::seeds(40) {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
        let folder = root.path().join(seed.to_string());
        for repository in 0..2 {
            let xml = primary(&mut numbers, repository);
            write_repository(&folder.join(format!("r{repository}")), &xml, None);
        }
        let priority = [99, 50][numbers.below(2)];
        let repositories =
            [99, priority].map(|priority| Offered { priority, module_hotfixes: false });
        let mut requests: Vec<String> = (0..16).map(|number| format!("p{number}")).collect();
        requests.extend([0, 5, 9].map(|number| format!("p{number}.i686")));
        for _ in 0..5 {
            requests.push(format!("p{} p{}", numbers.below(16), numbers.below(16)));
        }
        asked.push((seed, folder, repositories, requests));
    }
    let cases: Vec<Case<'_>> = asked
        .iter()
        .map(|(_, folder, repositories, requests)| Case { folder, repositories, requests })
        .collect();
    let Some(answers) = ask_dnf(&cases) else { return };
    let mut answers = answers.iter().map(String::as_str);
    let mut differences = Vec::new();
    let mut solved = 0;
    for (seed, folder, offered, requests) in &asked {
        let repositories = [
            load(&folder.join("r0"), "r0", offered[0].priority),
            load(&folder.join("r1"), "r1", offered[1].priority),
        ];
        let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
        for request in requests {
            let wanted = answers.next().unwrap();
            let found = ours(&universe, request);
            solved += usize::from(wanted != "unsolvable");
            let solvable = (wanted != "unsolvable", found != "unsolvable");
            // Where the newest of everything do not go together, dnf gives up
            // one of them and so do we; which one is a choice.
            if wanted != found
                && !has_two_versions(wanted)
                && !(solvable == (true, true) && gave_up_a_newest(&universe, wanted))
            {
                differences
                    .push(format!("seed {seed}, {request}:\n  dnf  {wanted}\n  ours {found}"));
            }
        }
    }
    assert!(solved > asked.len() * 4, "only {solved} requests can be solved at all");
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        asked.len() * 24,
        differences.join("\n")
    );
}
