//! The closure against dnf on generated repositories: versions with epochs, `~`
//! and `^`, conflicts, obsoletes, files, multilib, priorities, and every
//! operator of boolean dependencies.
#![allow(clippy::unwrap_used, reason = "a test ends where it finds something unexpected")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use bundle_format::{Architecture, Digest, Nevra};
use bundler::fetch::file::FileFetch;
use bundler::rpm::closure::{self, Installed, Request, Universe};
use bundler::rpm::repository::{self, Repository};
use url::Url;

/// A small generator of numbers: the same for a seed on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

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

fn entry(text: &mut String, name: &str, relation: Option<(&str, (u32, &str, &str))>) {
    let name = name.replace('<', "&lt;").replace('>', "&gt;");
    match relation {
        None => writeln!(text, "<rpm:entry name=\"{name}\"/>").unwrap(),
        Some((flags, (epoch, version, release))) => writeln!(
            text,
            "<rpm:entry name=\"{name}\" flags=\"{flags}\" epoch=\"{epoch}\" ver=\"{version}\" rel=\"{release}\"/>"
        )
        .unwrap(),
    }
}

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
        if !seen.insert((name.clone(), epoch, comparable, arch)) {
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
    let count = packages.matches("<package ").count();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{count}\">\n{packages}</metadata>\n"
    )
}

/// One entry of `primary.xml`.
fn write_package(
    packages: &mut String,
    name: &str,
    arch: &str,
    (epoch, version, release): (u32, &str, &str),
    format: &str,
) {
    let id = Digest::of(format!("{name}-{epoch}:{version}-{release}.{arch}").as_bytes()).hex();
    write!(
        packages,
        "<package type=\"rpm\"><name>{name}</name><arch>{arch}</arch>\
         <version epoch=\"{epoch}\" ver=\"{version}\" rel=\"{release}\"/>\
         <checksum type=\"sha256\" pkgid=\"YES\">{id}</checksum><summary/><description/>\
         <packager/><url/><time file=\"1\" build=\"1\"/>\
         <size package=\"1\" installed=\"1\" archive=\"1\"/>\
         <location href=\"{id}.rpm\"/><format><rpm:license/><rpm:vendor/><rpm:group/>\
         <rpm:buildhost/><rpm:sourcerpm/><rpm:header-range start=\"1\" end=\"2\"/>\n{format}</format></package>\n"
    )
    .unwrap();
}

fn write_repository(folder: &Path, xml: &str) {
    fs::create_dir_all(folder.join("repodata")).unwrap();
    fs::write(folder.join("repodata/primary.xml"), xml).unwrap();
    let filelists = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"0\"></filelists>\n";
    fs::write(folder.join("repodata/filelists.xml"), filelists).unwrap();
    let record = |kind: &str, text: &str| {
        let digest = Digest::of(text.as_bytes()).hex();
        let size = text.len();
        format!(
            "<data type=\"{kind}\"><checksum type=\"sha256\">{digest}</checksum>\
             <open-checksum type=\"sha256\">{digest}</open-checksum>\
             <location href=\"repodata/{kind}.xml\"/><timestamp>1</timestamp>\
             <size>{size}</size><open-size>{size}</open-size></data>"
        )
    };
    let repomd = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\
         <revision>1600000000000000</revision>{}{}</repomd>\n",
        record("primary", xml),
        record("filelists", filelists)
    );
    fs::write(folder.join("repodata/repomd.xml"), repomd).unwrap();
}

/// Asks dnf for every case in one process. Answers `unsolvable` or the set.
const ORACLE: &str = r#"
import sys, dnf
for case in open(sys.argv[1]):
    folder, requests = case.rstrip("\n").split("\t")
    base = dnf.Base()
    conf = base.conf
    conf.installroot = folder + "/root"; conf.cachedir = folder + "/dnf"; conf.reposdir = []
    conf.install_weak_deps = False; conf.best = True; conf.plugins = False; conf.gpgcheck = False
    conf.module_platform_id = "platform:el9"
    for key in ("arch", "basearch"): conf.substitutions[key] = "x86_64"
    conf.substitutions["releasever"] = "9"
    for number, priority in ((0, 99), (1, int(open(folder + "/priority").read()))):
        base.repos.add_new_repo("r%d" % number, conf, baseurl=["file://%s/r%d" % (folder, number)], priority=priority)
    base.fill_sack(load_system_repo=False)
    for request in requests.split(";"):
        base.reset(goal=True)
        try:
            for name in request.split(" "): base.install(name)
            base.resolve()
            print(" ".join(sorted("%s-%s%s-%s.%s" % (p.name, str(p.epoch) + ":" if p.epoch else "", p.version, p.release, p.arch) for p in base.transaction.install_set)))
        except dnf.exceptions.Error:
            print("unsolvable")
    base.close()
"#;

fn load(folder: &Path, id: &str, priority: u32) -> Repository {
    let url = repository::folder(&Url::from_file_path(folder).unwrap());
    let repomd = fs::read(folder.join("repodata/repomd.xml")).unwrap();
    Repository::load(&FileFetch, id, &url, priority, &repomd).unwrap()
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

/// Whether a newer package of some name was left.
fn gave_up_a_newest(universe: &Universe<'_>, set: &str) -> bool {
    let newer = |text: &str| {
        let taken: Nevra = text.parse().unwrap();
        let mut named = universe.ids().map(|id| &universe.package(id).nevra);
        named.any(|other| other.name == taken.name && other.evr > taken.evr)
    };
    set.split(' ').any(newer)
}

#[test]
fn equals_dnf_on_generated_repositories() {
    let python = "/usr/bin/python3";
    let has_dnf = Command::new(python)
        .args(["-c", "import dnf"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_dnf {
        println!("skipped: python3-dnf is not installed");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let seeds: u64 =
        std::env::var("KUBEFERRY_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let first: u64 =
        std::env::var("KUBEFERRY_FIRST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut cases = String::new();
    let mut asked = Vec::new();
    for seed in first..first + seeds {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
        let folder = root.path().join(seed.to_string());
        for repository in 0..2 {
            write_repository(
                &folder.join(format!("r{repository}")),
                &primary(&mut numbers, repository),
            );
        }
        let priority = [99, 50][numbers.below(2)];
        fs::write(folder.join("priority"), priority.to_string()).unwrap();
        let mut requests: Vec<String> = (0..16).map(|number| format!("p{number}")).collect();
        requests.extend([0, 5, 9].map(|number| format!("p{number}.i686")));
        for _ in 0..5 {
            requests.push(format!("p{} p{}", numbers.below(16), numbers.below(16)));
        }
        writeln!(cases, "{}\t{}", folder.display(), requests.join(";")).unwrap();
        asked.push((seed, folder, priority, requests));
    }
    let list = root.path().join("cases");
    fs::write(&list, cases).unwrap();
    let output = Command::new(python).args(["-c", ORACLE]).arg(&list).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut answers = text.lines();
    let mut differences = Vec::new();
    let mut solved = 0;
    for (seed, folder, priority, requests) in &asked {
        let repositories =
            [load(&folder.join("r0"), "r0", 99), load(&folder.join("r1"), "r1", *priority)];
        let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
        for request in requests {
            let wanted = answers.next().unwrap();
            let found = ours(&universe, request);
            solved += usize::from(wanted != "unsolvable");
            let solvable = (wanted != "unsolvable", found != "unsolvable");
            // Where the newest of everything do not go together, dnf gives up
            // one of them and so do we; which one is a choice.
            if wanted != found && !(solvable == (true, true) && gave_up_a_newest(&universe, wanted))
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
