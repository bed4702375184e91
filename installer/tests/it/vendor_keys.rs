//! A vendor's key that a node has in an older copy: by a small node's rpm, and by the
//! rpm of this machine.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, process};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use installer::engine::{reset, run};
use installer::exec::{Command, Exec, Input, Output};
use installer::host::Host;
use installer::install::Steps;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::bundle_with_key;
use crate::node::{Fault, Node, difference, kinds};
use crate::shared_data;

const FINGERPRINT: &str = "FD5706A7F8465FFDD362454D2031B472B8275E56";
const NAME: &str = "gpg-pubkey-b8275e56-65920080";

/// A key, with what its vendor has signed of it last.
fn key(material: u8, signed: &[u8]) -> String {
    let packets = [&[0x98, 40][..], &[4], &[material; 39], signed].concat();
    let body = STANDARD.encode(packets);
    let block = "PGP PUBLIC KEY BLOCK";
    format!("-----BEGIN {block}-----\nComment: {NAME}\n\n{body}\n=AAAA\n-----END {block}-----\n")
}

/// A node whose bundle has the key in its newest copy.
fn small(has: Option<&str>) -> Node {
    let mut node = kinds::bare(Role::Worker);
    node.change = |intent| {
        (intent.bundle, intent.target) = bundle_with_key(&key(7, b"oldnew"), FINGERPRINT);
    };
    let run = node.root().join("run");
    fs::create_dir_all(run.join("key-texts")).unwrap();
    fs::write(run.join("keys"), has.map(|_| format!("{NAME}\n")).unwrap_or_default()).unwrap();
    if let Some(text) = has {
        fs::write(run.join("key-texts").join(NAME), text).unwrap();
    }
    node
}

fn text(node: &Node) -> String {
    fs::read_to_string(node.root().join("run/key-texts").join(NAME)).unwrap_or_default()
}

fn rpms(commands: &[String]) -> Vec<String> {
    let keys = commands.iter().filter(|one| one.starts_with("rpm "));
    keys.cloned().collect()
}

fn assert_is_settled(node: &Node) {
    let plan = node.plan().into_iter().find(|(name, _)| *name == StepName::Repository).unwrap();
    assert_eq!(plan.1, []);
}

#[test]
fn an_older_copy_makes_way_whenever_the_power_is_lost() {
    // The newer copy begins with all that the older one has.
    for own_form in [None, Some(key(7, b"own form"))] {
        for has in [None, Some(key(7, b"old"))] {
            let node = || {
                let node = small(has.as_deref());
                if let Some(text) = &own_form {
                    fs::write(node.root().join("run/own-form"), text).unwrap();
                }
                node
            };
            let whole = node();
            let made = whole.apply(None);
            made.end.unwrap();
            assert_eq!(text(&whole), own_form.clone().unwrap_or_else(|| key(7, b"oldnew")));
            assert_is_settled(&whole);
            let made = made.commands.made();
            assert_eq!(rpms(&made).len(), if has.is_some() { 2 } else { 1 }, "{made:?}");
            for (nth, command) in made.iter().enumerate() {
                if !command.starts_with("rpm ") {
                    continue;
                }
                for fault in [Fault::Refused(nth), Fault::Late(nth), Fault::Killed(nth)] {
                    let node = node();
                    let before = node.tree();
                    let run = || node.apply(Some(fault)).end.is_ok();
                    assert!(!matches!(catch_unwind(AssertUnwindSafe(run)), Ok(true)));
                    node.apply(None).end.unwrap();
                    assert_is_settled(&node);
                    assert_eq!(difference(&node.tree(), &whole.tree()), BTreeSet::new());
                    // rpm would give the old one a form of its own too.
                    drop(fs::remove_file(node.root().join("run/own-form")));
                    let mut before = before;
                    before.remove("run/own-form");
                    node.assert_goes_back(&before, &format!("{fault:?} of {command}"));
                }
            }
        }
    }
}

#[test]
fn a_reset_that_is_cut_short_brings_the_older_copy_back() {
    let old = key(7, b"old");
    let undos = {
        let node = small(Some(&old));
        node.apply(None).end.unwrap();
        let (host, commands) = node.look(None);
        assert_eq!(reset::reset(&mut host.open().unwrap(), &mut |_| ()), [""; 0]);
        commands.made()
    };
    assert_eq!(rpms(&undos).len(), 2, "{undos:?}");
    for (nth, undo) in undos.iter().enumerate() {
        let node = small(Some(&old));
        let before = node.tree();
        node.apply(None).end.unwrap();
        let cut = || {
            let (host, _) = node.look(Some(Fault::Killed(nth)));
            reset::reset(&mut host.open().unwrap(), &mut |_| ());
        };
        assert!(catch_unwind(AssertUnwindSafe(cut)).is_err());
        node.assert_goes_back(&before, &format!("a reset that ended with {undo}"));
    }
    // One that cannot remove a file takes both back again.
    let node = small(Some(&old));
    let before = node.tree();
    node.apply(None).end.unwrap();
    let path = node.root().join("var/lib/kubeferry/dnf.conf");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let (host, _) = node.look(None);
    assert_eq!(reset::reset(&mut host.open().unwrap(), &mut |_| ()).len(), 1);
    assert_eq!(text(&node), old);
    fs::remove_dir(&path).unwrap();
    node.assert_goes_back(&before, "a reset that left a file");
}

#[test]
fn packages_are_checked_by_the_bundles_keys_which_a_reset_takes_back() {
    let node = small(None);
    let before = node.tree();
    node.apply(None).end.unwrap();
    let read = |path: &str| fs::read_to_string(node.root().join(path)).unwrap();
    let settings = read("var/lib/kubeferry/dnf.conf");
    // One repository, and no other settings, repositories or keys.
    let sections = settings.lines().filter(|line| line.starts_with('['));
    assert_eq!(sections.collect::<Vec<_>>(), ["[main]", "[kubeferry]"]);
    let value = |key: &str| {
        let values: Vec<_> = settings.lines().filter_map(|line| line.strip_prefix(key)).collect();
        let [value] = values[..] else { panic!("{key}: {values:?}") };
        value.to_owned()
    };
    assert_eq!((value("gpgcheck="), value("reposdir=")), ("1".to_owned(), "/dev/null".to_owned()));
    assert_eq!(value("baseurl="), "file:///var/lib/kubeferry/packages");
    let keys = value("gpgkey=");
    let paths: Vec<_> = keys.split(' ').filter_map(|url| url.strip_prefix("file:///")).collect();
    assert!(!paths.is_empty() && paths.len() == keys.split(' ').count(), "{keys}");
    for path in paths {
        assert!(path.starts_with("var/lib/kubeferry/packages/keys/"), "{path}");
        assert_eq!(read(path), key(7, b"oldnew"));
    }
    // The receipt has the import, and how it is taken back.
    let receipt = read("var/lib/kubeferry/receipt.jsonl");
    let imports: Vec<_> = receipt.lines().filter(|line| line.contains("\"--import\"")).collect();
    let short = NAME.rsplit_once('-').unwrap().0;
    assert!(imports.len() == 1 && imports[0].contains("\"--erase\""), "{imports:?}");
    assert!(imports[0].contains(short), "{imports:?}");
    assert_eq!(text(&node), key(7, b"oldnew"));
    node.assert_goes_back(&before, "importing keys");
    assert_eq!(text(&node), "");
}

#[test]
fn another_key_of_the_same_name_stays() {
    for has in [key(9, b"old"), key(7, b"oldnew"), String::new()] {
        let node = small(Some(&has));
        let made = node.apply(None);
        made.end.unwrap();
        assert_eq!(rpms(&made.commands.made()), [""; 0]);
        assert_eq!(text(&node), has);
    }
}

#[test]
fn a_key_of_two_repositories_is_erased_once() {
    let node = small(None);
    let made = node.apply(None);
    made.end.unwrap();
    let changes = made.changes.iter().flat_map(|(_, changes)| changes);
    let undo = changes.filter_map(|change| match change {
        installer::engine::change::Change::Run { command, undo, .. }
            if command.to_string().starts_with("rpm --import") =>
        {
            Some(undo.len())
        }
        _ => None,
    });
    assert_eq!(undo.collect::<Vec<_>>(), [1]);
}

/// rpm, told which node is meant.
struct Tools(PathBuf);

impl Exec for Tools {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        let (program, words) = command.words().split_first().unwrap();
        if program != "rpm" {
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut process = process::Command::new(program);
        process.env("LC_ALL", "C").arg("--root").arg(&self.0);
        for word in words {
            match word.strip_prefix("/var/") {
                Some(path) => process.arg(self.0.join("var").join(path)),
                None => process.arg(word),
            };
        }
        let output = process.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Ok(Output { status: output.status.code(), stdout, stderr })
    }

    fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
        self.run(command, None)
    }
}

#[test]
fn an_expired_copy_makes_way_in_the_database_of_rpm() {
    let Some(data) = shared_data::folder() else { return };
    let folder = data.join("field/rpm");
    if !folder.join("renewed.asc").exists() || !Path::new("/usr/bin/rpm").exists() {
        println!("skipped: rpm, or {}, is not there", folder.display());
        return;
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: rpm changes a root as root only");
        return;
    }
    let renewed = fs::read_to_string(folder.join("renewed.asc")).unwrap();
    let node = kinds::bare(Role::Worker);
    let host = || Host::look(node.root(), Box::new(Tools(node.root().to_owned()))).unwrap();
    let stored = || {
        let said = host().query("rpm -qa --qf %{NAME}-%{VERSION}-%{RELEASE}\\n%{DESCRIPTION}\\n");
        said.stdout
    };
    let expired = folder.join("expired.asc");
    let mut import = process::Command::new("rpm");
    import.arg("--root").arg(node.root()).arg("--import").arg(&expired);
    assert!(import.status().unwrap().success());
    let before = stored();
    assert!(before.contains(NAME), "{before}");

    let mut intent = node.intent();
    (intent.bundle, intent.target) = bundle_with_key(&renewed, FINGERPRINT);
    let mut steps: Steps = order::steps(Role::Worker);
    steps.retain(|step| step.name() == StepName::Repository);
    run::apply(&mut host().open().unwrap(), &intent, &steps, &mut |_, _, _| ()).unwrap();
    let after = stored();
    assert_ne!(after, before);
    let body = renewed.lines().skip_while(|line| !line.is_empty()).skip(1);
    let body: Vec<&str> = body.take_while(|line| !line.starts_with('=')).collect();
    let bare = |text: &str| text.lines().collect::<String>();
    assert!(bare(&after).contains(&body.concat()), "{after}");
    assert!(run::plan(&host(), &intent, &steps).unwrap()[0].changes.is_empty());

    assert_eq!(reset::reset(&mut host().open().unwrap(), &mut |_| ()), [""; 0]);
    assert_eq!(stored(), before);
}
