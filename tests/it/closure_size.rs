//! Repositories in which much is of one kind: many versions of a package, many
//! providers of a capability. The work grows as they do, and no faster.

use std::fs;

use bundle_format::Architecture;
use bundler::rpm::closure::{self, Installed, Request, Universe};

use crate::support::dnf::{self, entry, load, write_package, write_repository};

/// An element, a name, and a version where one is said.
type Relation = (&'static str, String, Option<(&'static str, usize)>);

/// A package in the making.
struct Package {
    name: String,
    arch: &'static str,
    version: usize,
    relations: Vec<Relation>,
}

fn package(name: impl Into<String>, version: usize) -> Package {
    Package { name: name.into(), arch: "x86_64", version, relations: Vec::new() }
}

impl Package {
    fn with(mut self, kind: &'static str, name: impl Into<String>) -> Self {
        self.relations.push((kind, name.into(), None));
        self
    }

    fn ranged(
        mut self,
        kind: &'static str,
        name: impl Into<String>,
        flags: &'static str,
        version: usize,
    ) -> Self {
        self.relations.push((kind, name.into(), Some((flags, version))));
        self
    }

    fn of(mut self, arch: &'static str) -> Self {
        self.arch = arch;
        self
    }

    fn write(&self, text: &mut String) {
        let version = self.version.to_string();
        let mut format = String::from("<rpm:provides>");
        entry(&mut format, &self.name, Some(("EQ", (0, &version, "1"))));
        format.push_str("</rpm:provides>");
        for (kind, name, range) in &self.relations {
            if *kind == "file" {
                format.push_str(&format!("<file>{name}</file>"));
                continue;
            }
            let end = range.map(|(flags, version)| (flags, version.to_string()));
            let range = end.as_ref().map(|(flags, version)| (*flags, (0, version.as_str(), "1")));
            format.push_str(&format!("<rpm:{kind}>"));
            entry(&mut format, name, range);
            format.push_str(&format!("</rpm:{kind}>"));
        }
        write_package(text, &self.name, self.arch, (0, &version, "1"), &format);
    }
}

type World = (&'static str, &'static str, fn(usize) -> Vec<Package>);

fn versions(name: &str, count: usize) -> impl Iterator<Item = Package> + use<'_> {
    (1..=count).map(move |version| package(name, version))
}

const WORLDS: &[World] = &[
    ("many versions", "root", |n| {
        let mut all: Vec<Package> = versions("a", n).collect();
        all.push(package("root", 1).with("requires", "a"));
        all
    }),
    ("many versions of two providers", "root", |n| {
        let a = versions("a", n).map(|one| one.with("provides", "cap"));
        let b = versions("b", n).map(|one| one.with("provides", "cap"));
        let mut all: Vec<Package> = a.chain(b).collect();
        all.push(package("root", 1).with("requires", "cap"));
        all
    }),
    ("each version needs one of many", "root", |n| {
        let a = versions("a", n).map(|one| one.with("requires", "b"));
        let mut all: Vec<Package> = a.chain(versions("b", n)).collect();
        all.push(package("root", 1).with("requires", "a"));
        all
    }),
    ("each version obsoletes many, which are asked for", "b", |n| {
        let a = versions("a", n).map(|one| one.with("obsoletes", "b"));
        a.chain(versions("b", n)).collect()
    }),
    ("each version obsoletes a range of its own", "b", |n| {
        let a = versions("a", n).map(|one| {
            let version = one.version;
            one.ranged("obsoletes", "b", "LT", version)
        });
        a.chain(versions("b", n)).collect()
    }),
    ("each version obsoletes many", "root", |n| {
        let a = versions("a", n).map(|one| one.with("obsoletes", "b"));
        let mut all: Vec<Package> = a.chain(versions("b", n)).collect();
        all.push(package("root", 1).with("requires", "b"));
        all
    }),
    ("each version conflicts with many", "root", |n| {
        let a = versions("a", n).map(|one| one.with("conflicts", "b"));
        let mut all: Vec<Package> = a.chain(versions("b", n)).collect();
        all.push(package("root", 1).with("requires", "b").with("requires", "c"));
        all.push(package("c", 1).with("requires", "a"));
        all.push(package("c", 2));
        all
    }),
    ("many names provide one thing", "root", |n| {
        let mut all: Vec<Package> =
            (0..n).map(|i| package(format!("p{i}"), 1).with("provides", "cap")).collect();
        all.push(package("root", 1).with("requires", "cap"));
        all
    }),
    ("many names provide one thing in versions", "root", |n| {
        let mut all: Vec<Package> = (0..n)
            .map(|i| package(format!("p{i}"), 1).ranged("provides", "cap", "EQ", i))
            .collect();
        all.push(package("root", 1).with("requires", "cap"));
        all
    }),
    ("many names have one file", "root", |n| {
        let mut all: Vec<Package> =
            (0..n).map(|i| package(format!("p{i}"), 1).with("file", "/usr/bin/x")).collect();
        all.push(package("root", 1).with("requires", "/usr/bin/x"));
        all
    }),
    ("two architectures in many versions", "a.i686", |n| {
        versions("a", n).chain(versions("a", n).map(|one| one.of("i686"))).collect()
    }),
    ("a chain", "p0", |n| {
        (0..n)
            .map(|i| package(format!("p{i}"), 1).with("requires", format!("p{}", i + 1)))
            .chain([package(format!("p{n}"), 1)])
            .collect()
    }),
    ("a chain of choices", "p0", |n| {
        let link = |i: usize, kind: &str| {
            package(format!("{kind}{i}"), 1)
                .with("provides", format!("link{i}"))
                .with("requires", format!("link{}", i + 1))
        };
        let mut all: Vec<Package> = (0..n / 2).flat_map(|i| [link(i, "p"), link(i, "q")]).collect();
        all.push(package("end", 1).with("provides", format!("link{}", n / 2)));
        all
    }),
    ("one needs many", "root", |n| {
        let mut root = package("root", 1);
        for i in 0..n {
            root = root.with("requires", format!("p{i}"));
        }
        let mut all: Vec<Package> = (0..n).map(|i| package(format!("p{i}"), 1)).collect();
        all.push(root);
        all
    }),
    ("many need the same ones of many", "root", |n| {
        let mut root = package("root", 1);
        for i in 0..n {
            root = root.with("requires", format!("p{i}"));
        }
        let mut all: Vec<Package> = (0..n)
            .map(|i| package(format!("p{i}"), 1).with("requires", "cap").with("provides", "cap"))
            .collect();
        all.push(root);
        all
    }),
    ("old versions that cannot be had", "root", |n| {
        let mut all: Vec<Package> = versions("a", n)
            .map(|one| if one.version > 1 { one.with("requires", "nothing") } else { one })
            .collect();
        all.push(package("root", 1).with("requires", "a"));
        all
    }),
    ("many suggest and recommend", "root", |n| {
        let mut all: Vec<Package> = versions("a", n)
            .map(|one| one.with("recommends", "b").with("suggests", "b").with("supplements", "b"))
            .collect();
        all.extend(versions("b", n));
        all.push(package("root", 1).with("requires", "a").with("requires", "b"));
        all
    }),
];

/// The processor time of this thread, in nanoseconds: others do not count.
fn cpu() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// How long it takes, and the first packages of the answer.
fn solve(world: &World, size: usize) -> (u64, String) {
    let (_, request, make) = world;
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for package in make(size) {
        package.write(&mut text);
    }
    write_repository(folder.path(), &dnf::primary(&text), None);
    let repositories = [load(folder.path(), "r", 99)];
    let before = cpu();
    let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
    let requests = [Request::parse(request).unwrap()];
    let solution = closure::solve(&universe, &requests, &Installed::default());
    let time = cpu() - before;
    let words = match solution {
        Ok(solution) => {
            let names = solution.packages.iter().take(3);
            let names = names.map(|id| universe.package(*id).nevra.to_string());
            names.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    };
    (time, words)
}

#[test]
fn the_work_grows_as_the_repositories_do() {
    const SMALL: usize = 125;
    const TIMES: u64 = 16;
    // What takes less is not measured well.
    const LEAST: u64 = 8_000_000;
    let mut wrong = Vec::new();
    for world in WORLDS {
        let (small, _) = solve(world, SMALL);
        let (large, words) = solve(world, SMALL * TIMES as usize);
        assert!(!words.is_empty() && !words.contains("cannot"), "{}: {words}", world.0);
        println!("{:55} {:6} ms, {:6} ms", world.0, small / 1_000_000, large / 1_000_000);
        // Work that grew with the square would be 256 times as much.
        if large > small.max(LEAST) * TIMES * 6 {
            wrong.push(format!("{}: {small} and {large} ns", world.0));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who provides what is another set for each version, so that all of them together
/// would be too many.
#[test]
fn what_is_too_much_for_a_draft_is_solved_without() {
    let world: World = ("", "root", |size| {
        let a = versions("a", size).map(|one| {
            let version = one.version;
            one.ranged("requires", "b", "GE", version)
        });
        let mut all: Vec<Package> = a.chain(versions("b", size)).collect();
        all.push(package("root", 1).with("requires", "a"));
        all
    });
    for size in [40, 4500] {
        let (_, words) = solve(&world, size);
        assert_eq!(words, format!("a-{size}-1.x86_64 b-{size}-1.x86_64 root-1-1.x86_64"));
    }
}

/// A thousand packages that each need one of a thousand have a million reasons.
#[test]
fn reasons_without_end_are_refused() {
    let world: World = ("", "root", |size| {
        let mut root = package("root", 1);
        let mut all = Vec::new();
        for number in 0..size {
            root =
                root.with("requires", format!("p{number}")).with("requires", format!("q{number}"));
            all.push(package(format!("p{number}"), 1).with("requires", "cap"));
            all.push(package(format!("q{number}"), 1).with("provides", "cap"));
        }
        all.push(root);
        all
    });
    assert_eq!(solve(&world, 100).1, "p0-1-1.x86_64 p1-1-1.x86_64 p10-1-1.x86_64");
    let (_, words) = solve(&world, 1100);
    assert!(words.contains("in more ways than those of any real repository"), "{words}");
}
