//! Packages of a bundle on a node that has a site's own, by the dnf and the rpm of
//! this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io, process};

use installer::engine::reset::{self, Told};
use installer::engine::run;
use installer::exec::{Command, Exec, Input, Output};
use installer::host::Host;
use installer::install::Steps;
use installer::intent::Intent;
use installer::preflight;
use installer::receipt::{Deed, Line, Receipt, StepName};
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::{Rpm, bundle_with_packages};
use crate::node::{Node, kinds};

const CONFIGURATION: &str = "var/lib/kubeferry/dnf.conf";
const OWN: &str = "/var/lib/kubeferry/packages";

const KUBELET: Rpm = Rpm { nevra: "kubelet-1.28.2-1.noarch", is_requested: true, needed: &[] };
const SOCAT: Rpm = Rpm { nevra: "socat-1.7-1.noarch", is_requested: true, needed: &[] };
const LIBX: Rpm = Rpm {
    nevra: "libx-1-1.noarch",
    is_requested: false,
    needed: &[("kubelet-1.28.2-1.noarch", "libx >= 1")],
};
/// What the bundle's packages need of one another: name and version, a line of the
/// spec, …
const BUNDLE: [(&str, &str, &str); 3] =
    [("kubelet", "1.28.2", "Requires: socat, libx >= 1"), ("socat", "1.7", ""), ("libx", "1", "")];

/// rpm and dnf, told which node is meant.
struct Tools(PathBuf);

impl Exec for Tools {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        let (program, words) = command.words().split_first().unwrap();
        let root = self.0.to_str().unwrap();
        let mut process = process::Command::new(program);
        process.env("LC_ALL", "C").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        match program.as_str() {
            "rpm" => process.args(["--root", root]).args(words),
            "dnf" => {
                // Paths in dnf's settings are this machine's, not those of the root.
                let text = fs::read_to_string(self.0.join(CONFIGURATION)).unwrap();
                let own = self.0.join("told.conf");
                let url = format!("file://{OWN}");
                fs::write(&own, text.replace(&url, &format!("file://{root}{OWN}"))).unwrap();
                let words = words.iter().map(|word| match word.ends_with("/dnf.conf") {
                    true => own.to_str().unwrap(),
                    false => word,
                });
                let root = format!("--installroot={root}");
                process.args([root.as_str(), "--releasever=9"]).args(words)
            }
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        let output = process.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        // What Debian's rpm says first of Debian.
        let stderr = stderr.lines().filter(|line| !line.starts_with("rpm: "));
        let stderr = stderr.map(|line| format!("{line}\n")).collect();
        Ok(Output { status: output.status.code(), stdout, stderr })
    }

    fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
        self.run(command, None)
    }
}

/// A node with rpm's database, and the bundle's packages where the step
/// `repository` would have laid them.
struct Site {
    node: Node,
    intent: Intent,
    made: tempfile::TempDir,
}

impl Site {
    /// None, with a word on it, where the tools are not there.
    fn new(packages: &[Rpm]) -> Option<Self> {
        for tool in ["rpmbuild", "createrepo_c", "dnf"] {
            if !Path::new("/usr/bin").join(tool).exists() {
                println!("skipped: {tool} is not installed");
                return None;
            }
        }
        if !rustix::process::geteuid().is_root() {
            println!("skipped: rpm and dnf change a root as root only");
            return None;
        }
        let node = kinds::bare(Role::Worker);
        for (path, text) in [("usr/bin/dnf", ""), ("var/lib/rpm/.keep", "")] {
            let path = node.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut intent = node.intent();
        (intent.bundle, intent.target) = bundle_with_packages(packages);
        let site = Self { node, intent, made: tempfile::tempdir().unwrap() };
        // Its settings are the step's own; the packages are real ones.
        let mut host = site.host().open().unwrap();
        run::apply(&mut host, &site.intent, &steps(StepName::Repository), &mut |_, _, _| ())
            .unwrap();
        for package in fs::read_dir(site.node.root().join(&OWN[1..])).unwrap() {
            let path = package.unwrap().path();
            if path.extension().is_some_and(|end| end == "rpm") {
                fs::remove_file(path).unwrap();
            }
        }
        for (name, version, lines) in BUNDLE {
            let made = site.build(name, version, lines);
            let to = site.node.root().join(&OWN[1..]).join(made.file_name().unwrap());
            fs::copy(made, to).unwrap();
        }
        let mut metadata = process::Command::new("createrepo_c");
        succeed(metadata.arg("-q").arg(site.node.root().join(&OWN[1..])));
        Some(site)
    }

    fn host(&self) -> Host {
        let root = self.node.root();
        Host::look(root, Box::new(Tools(root.to_owned()))).unwrap()
    }

    /// Makes a package without a file in it.
    fn build(&self, name: &str, version: &str, lines: &str) -> PathBuf {
        let folder = self.made.path();
        let spec = folder.join("package.spec");
        let text = format!(
            "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: s\nLicense: l\n\
             BuildArch: noarch\n{lines}\n%description\n%files\n"
        );
        fs::write(&spec, text).unwrap();
        let mut build = process::Command::new("rpmbuild");
        build.args(["-bb", "--quiet"]).arg(spec);
        for (key, place) in [("_topdir", folder.to_owned()), ("_rpmdir", folder.join("made"))] {
            build.arg("--define").arg(format!("{key} {}", place.display()));
        }
        build.args(["--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm"]);
        succeed(&mut build);
        folder.join(format!("made/{name}-{version}-1.rpm"))
    }

    /// The site puts in, or takes out, something of its own.
    fn rpm(&self, options: &[&str], package: &Path) {
        let mut rpm = process::Command::new("rpm");
        succeed(rpm.arg("--root").arg(self.node.root()).args(options).arg(package));
    }

    fn has(&self, name: &str, version: &str, lines: &str) {
        self.rpm(&["--upgrade", "--nodeps"], &self.build(name, version, lines));
    }

    fn apply(&self) -> anyhow::Result<usize> {
        let mut host = self.host().open().unwrap();
        run::apply(&mut host, &self.intent, &steps(StepName::Packages), &mut |_, _, _| ())
    }

    fn plan(&self) -> Option<String> {
        let plan = run::plan(&self.host(), &self.intent, &steps(StepName::Packages)).unwrap();
        plan[0].changes.first().map(ToString::to_string)
    }

    /// Gives what is told to stay.
    fn reset(&self) -> Vec<String> {
        let mut stays = Vec::new();
        let left = reset::reset(&mut self.host().open().unwrap(), &mut |told| {
            if let Told::Stays(what) = told {
                stays.push(what.to_owned());
            }
        });
        assert_eq!(left, [""; 0]);
        stays
    }

    fn packages(&self) -> BTreeSet<String> {
        let said = self.host().query("rpm -qa --qf %{NAME}-%{VERSION}\\n");
        assert!(said.succeeded(), "{}", said.stderr);
        said.stdout.lines().map(str::to_owned).collect()
    }
}

fn steps(name: StepName) -> Steps {
    let mut steps = order::steps(Role::Worker);
    steps.retain(|step| step.name() == name);
    steps
}

fn succeed(command: &mut process::Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn a_sites_package_that_provides_a_name_is_not_erased() {
    let Some(site) = Site::new(&[KUBELET, SOCAT, LIBX]) else { return };
    site.apply().unwrap();
    assert_eq!(site.packages(), set(["kubelet-1.28.2", "libx-1", "socat-1.7"]));
    // Others take ours out, and put in their own that provides its name.
    site.has("sitecat", "3", "Provides: socat = 1.7-1");
    site.rpm(&["--erase"], Path::new("socat-1.7-1.noarch"));
    assert_eq!(site.reset(), [""; 0]);
    assert_eq!(site.packages(), set(["sitecat-3"]));
}

#[test]
fn nor_by_the_receipt_of_an_older_version() {
    let Some(site) = Site::new(&[KUBELET]) else { return };
    site.has("sitecat", "3", "Provides: socat = 1.7-1");
    site.has("libx", "1", "");
    let mut receipt = Receipt::open(&site.node.root().join("var/lib/kubeferry")).unwrap();
    let command = "dnf --assumeyes --disablerepo=* --enablerepo=kubeferry install \
                   kubelet-1.28.2-1.noarch socat-1.7-1.noarch libx-1-1.noarch";
    let undo = "dnf --assumeyes --noplugins remove kubelet socat libx";
    let undo = vec![Command::of(undo)];
    let deed = Deed::Ran { command: Command::of(command), undo, intention: None };
    receipt.add(Line::Deed { step: StepName::Packages, deed }).unwrap();
    drop(receipt);
    assert_eq!(site.reset(), [""; 0]);
    assert_eq!(site.packages(), set(["sitecat-3"]));
}

#[test]
fn what_a_site_has_come_to_need_stays_with_what_that_needs() {
    let Some(site) = Site::new(&[KUBELET, SOCAT, LIBX]) else { return };
    site.apply().unwrap();
    site.has("tunnel", "1", "Requires: socat >= 1, (libx if tunnel)");
    let stays = site.reset();
    assert_eq!(site.packages(), set(["libx-1", "socat-1.7", "tunnel-1"]));
    let expected = ["libx", "socat"].map(|name| {
        stays.iter().any(|one| one.starts_with(name) && one.ends_with("tunnel-1-1.noarch needs it"))
    });
    assert_eq!(expected, [true; 2], "{stays:?}");
}

#[test]
fn a_newer_package_stays_and_a_newer_kubernetes_does_not() {
    let Some(site) = Site::new(&[KUBELET, SOCAT, LIBX]) else { return };
    site.has("kubelet", "1.30.0", "");
    site.has("libx", "2", "");
    let plan = "install socat-1.7-1.noarch; downgrade kubelet from 1.30.0-1 to 1.28.2-1";
    assert_eq!(site.plan().as_deref(), Some(plan));
    site.apply().unwrap();
    assert_eq!(site.packages(), set(["kubelet-1.28.2", "libx-2", "socat-1.7"]));
    assert_eq!(site.plan(), None);
}

#[test]
fn nothing_is_made_older_for_the_sake_of_another() {
    const STRICT: Rpm = Rpm {
        nevra: "libx-1-1.noarch",
        is_requested: false,
        needed: &[("kubelet-1.28.2-1.noarch", "libx = 1")],
    };
    let Some(site) = Site::new(&[KUBELET, SOCAT, STRICT]) else { return };
    let strict = site.build("kubelet", "1.28.2", "Requires: libx = 1");
    let folder = site.node.root().join(&OWN[1..]);
    fs::copy(strict, folder.join("kubelet-1.28.2-1.rpm")).unwrap();
    succeed(process::Command::new("createrepo_c").arg("-q").arg(&folder));
    site.has("libx", "2", "");
    let problems = preflight::problems(&site.host(), &site.intent);
    let what =
        "kubelet-1.28.2-1.noarch of the bundle needs libx = 1, and this node has libx-2-1.noarch";
    assert!(problems.iter().any(|one| one.to_string() == what), "{problems:?}");
    // Who goes on past that is stopped by dnf.
    let error = format!("{:#}", site.apply().unwrap_err());
    assert!(error.contains("requires libx = 1"), "{error}");
    assert_eq!(site.packages(), set(["libx-2"]));
}

#[test]
fn a_nodes_own_settings_of_dnf_hold_up_nothing() {
    let Some(site) = Site::new(&[KUBELET, SOCAT, LIBX]) else { return };
    let etc = site.node.root().join("etc/dnf");
    fs::create_dir_all(etc.join("plugins")).unwrap();
    fs::create_dir_all(site.node.root().join("etc/yum.repos.d")).unwrap();
    let text = "[main]\nexcludepkgs=kubelet* socat\nassumeno=1\ncacheonly=1\ntsflags=test\n\
                multilib_policy=all\nstrict=0\nproxy=http://127.0.0.1:9\ninstallroot=/nowhere\n\
                plugins=1\ngpgcheck=1\nbest=0\n";
    fs::write(etc.join("dnf.conf"), text).unwrap();
    let dead = "[dead]\nname=dead\nbaseurl=http://127.0.0.1:9/\n";
    fs::write(site.node.root().join("etc/yum.repos.d/dead.repo"), dead).unwrap();
    site.apply().unwrap();
    assert_eq!(site.packages(), set(["kubelet-1.28.2", "libx-1", "socat-1.7"]));
}

#[test]
fn the_metadata_of_an_earlier_bundle_does_not_count() {
    let Some(site) = Site::new(&[KUBELET, SOCAT, LIBX]) else { return };
    site.apply().unwrap();
    // dnf counts the age of what it keeps in whole seconds.
    let a_minute_ago = SystemTime::now() - Duration::from_secs(60);
    let find = process::Command::new("find")
        .arg(site.node.root())
        .args(["-type", "f", "-path", "*/cache/*"])
        .output()
        .unwrap();
    let kept = String::from_utf8(find.stdout).unwrap();
    assert!(!kept.is_empty(), "dnf keeps metadata elsewhere");
    for file in kept.lines() {
        fs::File::open(file).unwrap().set_modified(a_minute_ago).unwrap();
    }
    // What the next bundle has in the same folder.
    const NEXT: Rpm = Rpm { nevra: "socat-1.8-1.noarch", is_requested: true, needed: &[] };
    let folder = site.node.root().join(&OWN[1..]);
    let next = site.build("socat", "1.8", "");
    fs::copy(next, folder.join("socat-1.8-1.rpm")).unwrap();
    succeed(process::Command::new("createrepo_c").arg("-q").arg(&folder));
    let mut next = site;
    (next.intent.bundle, next.intent.target) = bundle_with_packages(&[NEXT]);
    assert_eq!(next.plan().as_deref(), Some("upgrade socat from 1.7-1 to 1.8-1"));
    next.apply().unwrap();
    assert_eq!(next.packages(), set(["kubelet-1.28.2", "libx-1", "socat-1.8"]));
    // It took the place of one that was ours.
    assert_eq!(next.reset(), [""; 0]);
    assert_eq!(next.packages(), set([]));
}

#[test]
fn a_kernels_package_comes_beside_newer_ones_and_none_goes() {
    const KERNEL: Rpm =
        Rpm { nevra: "kernel-modules-extra-5.1-1.noarch", is_requested: true, needed: &[] };
    let provides = "Provides: installonlypkg(kernel-module)";
    let Some(site) = Site::new(&[KERNEL]) else { return };
    let folder = site.node.root().join(&OWN[1..]);
    let own = site.build("kernel-modules-extra", "5.1", provides);
    fs::copy(own, folder.join("kernel-modules-extra-5.1-1.rpm")).unwrap();
    succeed(process::Command::new("createrepo_c").arg("-q").arg(&folder));
    for version in ["5.2", "5.3", "5.4"] {
        let newer = site.build("kernel-modules-extra", version, provides);
        site.rpm(&["--install"], &newer);
    }
    site.apply().unwrap();
    let versions = ["5.1", "5.2", "5.3", "5.4"];
    let all = versions.map(|version| format!("kernel-modules-extra-{version}"));
    assert_eq!(site.packages(), all.clone().into());
    assert_eq!(site.plan(), None);
    assert_eq!(site.reset(), [""; 0]);
    assert_eq!(site.packages(), all.into_iter().skip(1).collect());
}
