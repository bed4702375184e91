//! dnf as the measure of our closures: repositories written for a test, and
//! what dnf says of them.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use bundle_format::{Digest, Nevra};
use bundler::fetch::file::FileFetch;
use bundler::rpm::closure::Universe;
use bundler::rpm::repository::{self, Repository};
use url::Url;

/// Where Debian's dnf has its modules.
const PYTHON: &str = "/usr/bin/python3";

/// A small generator of numbers: the same for a seed on every machine.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Puts `items` into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.below(place + 1));
        }
    }
}

/// The seeds of the worlds that a test makes: `count` from 0 on, or what
/// `KUBEFERRY_SEEDS` and `KUBEFERRY_FIRST_SEED` say.
pub(crate) fn seeds(count: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("KUBEFERRY_FIRST_SEED").unwrap_or(0);
    first..first + number("KUBEFERRY_SEEDS").unwrap_or(count)
}

/// Whether `set` has a package of which the metadata has a newer version.
pub(crate) fn gave_up_a_newest(universe: &Universe<'_>, set: &str) -> bool {
    let newer = |text: &str| {
        let taken: Nevra = text.parse().unwrap();
        let mut named = universe.ids().map(|id| &universe.package(id).nevra);
        named.any(|other| other.name == taken.name && other.evr > taken.evr)
    };
    set.split(' ').any(newer)
}

/// One line of provides, requires and the like.
pub(crate) fn entry(text: &mut String, name: &str, relation: Option<(&str, (u32, &str, &str))>) {
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

/// One entry of `primary.xml`.
pub(crate) fn write_package(
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

/// The whole `primary.xml` around entries of [`write_package`].
pub(crate) fn primary(packages: &str) -> String {
    let count = packages.matches("<package ").count();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{count}\">\n{packages}</metadata>\n"
    )
}

/// Writes a repository's metadata, with `modules.yaml` where there is one.
pub(crate) fn write_repository(folder: &Path, primary: &str, modules: Option<&str>) {
    fs::create_dir_all(folder.join("repodata")).unwrap();
    let filelists = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"0\"></filelists>\n";
    let mut records = String::new();
    let files = [("primary", Some(primary)), ("filelists", Some(filelists)), ("modules", modules)];
    for (kind, text) in files {
        let Some(text) = text else { continue };
        let name = if kind == "modules" { "modules.yaml" } else { &format!("{kind}.xml") };
        fs::write(folder.join("repodata").join(name), text).unwrap();
        let digest = Digest::of(text.as_bytes()).hex();
        let size = text.len();
        write!(
            records,
            "<data type=\"{kind}\"><checksum type=\"sha256\">{digest}</checksum>\
             <open-checksum type=\"sha256\">{digest}</open-checksum>\
             <location href=\"repodata/{name}\"/><timestamp>1</timestamp>\
             <size>{size}</size><open-size>{size}</open-size></data>"
        )
        .unwrap();
    }
    let repomd = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\
         <revision>1600000000000000</revision>{records}</repomd>\n"
    );
    fs::write(folder.join("repodata/repomd.xml"), repomd).unwrap();
}

/// A repository of a [`Case`], in the folder `r0`, `r1`, … of the case's.
pub(crate) struct Offered {
    pub(crate) priority: u32,
    pub(crate) module_hotfixes: bool,
}

/// What dnf is asked about one set of repositories.
pub(crate) struct Case<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) repositories: &'a [Offered],
    /// Names to install together, separated by spaces; `*` for all that it sees,
    /// which it answers with `contradictory` where default streams exclude one
    /// another.
    pub(crate) requests: &'a [String],
}

/// dnf's answers, case by case and request by request: sorted packages, or
/// `unsolvable`. None, with a word on it, where there is no dnf.
pub(crate) fn ask_dnf(cases: &[Case<'_>]) -> Option<Vec<String>> {
    let found = Command::new(PYTHON).args(["-c", "import dnf"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped: python3-dnf is not installed");
        return None;
    }
    let mut lines = String::new();
    for case in cases {
        let repositories: Vec<String> = case
            .repositories
            .iter()
            .map(|one| format!("{} {}", one.priority, u8::from(one.module_hotfixes)))
            .collect();
        writeln!(
            lines,
            "{}\t{}\t{}",
            case.folder.display(),
            repositories.join(";"),
            case.requests.join(";")
        )
        .unwrap();
    }
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(list.path(), lines).unwrap();
    let output = Command::new(PYTHON).args(["-c", ORACLE]).arg(list.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

/// Asks dnf for every case in one process.
const ORACLE: &str = r#"
import sys, dnf
def names(packages): return " ".join(sorted("%s-%s%s-%s.%s" % (p.name, str(p.epoch) + ":" if p.epoch else "", p.version, p.release, p.arch) for p in packages))
for case in open(sys.argv[1]):
    folder, repositories, requests = case.rstrip("\n").split("\t")
    base = dnf.Base()
    conf = base.conf
    conf.installroot = folder + "/root"; conf.cachedir = folder + "/dnf"; conf.reposdir = []
    conf.install_weak_deps = False; conf.best = True; conf.plugins = False; conf.gpgcheck = False
    conf.module_platform_id = "platform:el8"
    for key in ("arch", "basearch"): conf.substitutions[key] = "x86_64"
    conf.substitutions["releasever"] = "8"
    for number, repository in enumerate(repositories.split(";")):
        priority, hotfixes = repository.split(" ")
        base.repos.add_new_repo("r%d" % number, conf, baseurl=["file://%s/r%d" % (folder, number)],
                                priority=int(priority), module_hotfixes=hotfixes == "1")
    base.fill_sack(load_system_repo=False)
    for request in requests.split(";"):
        if request == "*":
            hotfixes = [r.id for r in base.repos.iter_enabled() if r.module_hotfixes]
            problems = any(base.sack.filter_modules(base._moduleContainer, hotfixes, conf.installroot,
                                                conf.module_platform_id, update_only=True, debugsolver=False))
            print("contradictory" if problems else names(base.sack.query().available()))
            continue
        base.reset(goal=True)
        try:
            for name in request.split(" "): base.install(name)
            base.resolve()
            print(names(base.transaction.install_set))
        except dnf.exceptions.Error:
            print("unsolvable")
    base.close()
"#;

/// A repository of a case as we read it.
pub(crate) fn load(folder: &Path, id: &str, priority: u32) -> Repository {
    let url = repository::folder(&Url::from_file_path(folder).unwrap());
    let repomd = fs::read(folder.join("repodata/repomd.xml")).unwrap();
    Repository::load(&FileFetch, id, &url, priority, &repomd).unwrap()
}
