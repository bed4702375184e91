//! What rpm of this machine does about a package that is there in two versions, because its
//! transaction was cut short: the commands of an upgrade and of the way back leave one version,
//! with its own files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A database of rpm's, and the folder of the packages' only file.
struct Database(TempDir);

impl Database {
    /// None, with a word on it, where a tool is not there.
    fn new() -> Option<Self> {
        for tool in ["rpm", "rpmbuild"] {
            if !Path::new("/usr/bin").join(tool).exists() {
                println!("skipped: {tool} is not installed");
                return None;
            }
        }
        Some(Self(tempfile::tempdir().unwrap()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("tree/file")
    }

    /// A package whose file has its version. While there is the file `cut`, it cuts off who
    /// erases it, before that: the new files are there then.
    fn package(&self, version: &str) -> String {
        let (folder, top) = (self.path("tree"), self.path("top"));
        let (folder, cut) = (folder.display(), self.path("cut"));
        let cut = cut.display();
        let spec = format!(
            "Name: thing\nVersion: {version}\nRelease: 1\nSummary: A thing\nLicense: MIT\n\
             BuildArch: noarch\nProvides: /bin/sh\n%description\nA thing.\n%install\nmkdir -p %{{buildroot}}{folder}\n\
             echo {version} >%{{buildroot}}{folder}/file\n%preun\n\
             test ! -e {cut} || kill -9 $PPID\n%files\n{folder}/file\n"
        );
        let path = self.path("thing.spec");
        fs::write(&path, spec).unwrap();
        let mut build = Command::new("rpmbuild");
        build.arg("--define").arg(format!("_topdir {}", top.display())).args(["--quiet", "-bb"]);
        let output = build.arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("{}/RPMS/noarch/thing-{version}-1.noarch.rpm", top.display())
    }

    fn rpm(&self, words: &str) -> Output {
        let mut rpm = Command::new("rpm");
        rpm.arg("--dbpath").arg(self.path("db")).args(words.split(' '));
        rpm.output().unwrap()
    }

    fn ok(&self, words: &str) -> String {
        let output = self.rpm(words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn versions(&self) -> Vec<String> {
        let said = self.ok("-q thing --qf %{VERSION}\\n");
        said.lines().map(str::to_owned).collect()
    }

    /// Only this version is there, with its own file.
    fn assert_is(&self, version: &str) {
        assert_eq!(self.versions(), [version]);
        assert_eq!(fs::read_to_string(self.file()).unwrap().trim(), version);
        self.ok("-V thing");
    }
}

/// Replaces a package, and is cut off before the other one is erased.
fn replace_by_half(database: &Database, words: &str) {
    fs::write(database.path("cut"), "").unwrap();
    assert!(!database.rpm(words).status.success());
    fs::remove_file(database.path("cut")).unwrap();
    assert_eq!(database.versions().len(), 2);
}

#[test]
fn an_upgrade_that_was_cut_short_goes_on_and_back() {
    for goes_on in [true, false] {
        let Some(database) = Database::new() else { return };
        let old = database.package("1");
        database.ok(&format!("--install -- {old}"));
        replace_by_half(&database, &format!("--upgrade -- {}", database.package("2")));
        assert_eq!(fs::read_to_string(database.file()).unwrap(), "2\n");
        if goes_on {
            database.ok("--erase -- thing-1-1.noarch");
            database.assert_is("2");
        } else {
            database.ok(&format!("--upgrade --test --oldpackage --replacepkgs -- {old}"));
            database.ok(&format!("--upgrade --replacepkgs --oldpackage -- {old}"));
            database.assert_is("1");
        }
    }
}

#[test]
fn a_way_back_that_was_cut_short_goes_on() {
    let Some(database) = Database::new() else { return };
    database.ok(&format!("--install -- {}", database.package("2")));
    let old = database.package("1");
    replace_by_half(&database, &format!("--upgrade --oldpackage -- {old}"));
    database.ok(&format!("--upgrade --replacepkgs --oldpackage -- {old}"));
    database.assert_is("1");
}
