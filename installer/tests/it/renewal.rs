//! New certificates for the control plane of a small master, undisturbed and
//! broken at each command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use installer::credentials::renewal::{self, Renewal};
use installer::doctor::Diagnosis;
use installer::engine::{reset, run};
use installer::failure::describe;
use installer::node::certificates::kept::{Kept, Standing};
use installer::node::certificates::pki;
use installer::receipt::{Before, Deed, Line, StepName};
use installer::role::Role;

use crate::node::kinds::BARE;
use crate::node::member::Member;
use crate::node::{Commands, Fault, Node};

const ADMIN: &str = "etc/kubernetes/admin.conf";
const OWN: &str = "root/.kube/config";
const APISERVER: &str = "etc/kubernetes/pki/apiserver.crt";
const SERVER: &str = "etc/kubernetes/pki/etcd/server.crt";
const CURRENT: &str = "var/lib/kubelet/pki/kubelet-client-current.pem";

/// How often a test renews.
const TIMES: [usize; 2] = [0, 1];

/// A master all of whose certificates have expired, kubelet's as well if it was
/// off for as long.
fn expired(was_off: bool) -> Member {
    expire(Member::new(Role::Master), was_off)
}

/// Has all certificates of a master expire.
pub(crate) fn expire(member: Member, was_off: bool) -> Member {
    let issue = |name: &str, until| member.authority.issue(name, 2020, until);
    for (path, name) in [(APISERVER, "apiserver"), (SERVER, "etcd/server")] {
        member.write(path, &issue(name, 2021));
        member.write(&path.replace(".crt", ".key"), "old key");
        for time in TIMES {
            member.write(&format!("run/renewed/{time}/{path}"), &issue(name, 2090));
        }
    }
    let admin = |until| member.config(Some(&issue("kubernetes-admin", until)));
    let old = admin(2021);
    member.write(ADMIN, &old);
    member.write(OWN, &old);
    for time in TIMES {
        member.write(&format!("run/renewed/{time}/{ADMIN}"), &admin(2090));
    }
    member.write("run/renewed/list", &[APISERVER, SERVER, ADMIN].join("\n"));
    if was_off {
        let name = "system:node:node-1";
        member.write(CURRENT, &issue(name, 2021));
        member.write("run/kubelet.conf", &member.config(Some(&issue(name, 2090))));
        member.remove("run/systemd/active/kubelet");
        member.write("run/tasks", "");
    }
    member
}

/// Renews; gives the changes as they were told, and how it ended.
pub(crate) fn renew(
    member: &Member,
    fault: Option<Fault>,
) -> (Vec<String>, Commands, anyhow::Result<usize>) {
    let (host, commands) = member.node.look(fault);
    let mut told = Vec::new();
    let mut host = host.open().unwrap();
    let end = run::apply(&mut host, &Renewal::default(), &renewal::STEPS, &mut |_, _, changes| {
        told.extend(changes.iter().map(ToString::to_string));
    });
    (told, commands, end.map(|_| pki::of_control_plane(&host).unwrap().len()))
}

/// Everything is new, and in use.
fn assert_renewed(member: &Member, of: &str) {
    let last = member.read("run/renewals").lines().count() - 1;
    for path in [APISERVER, SERVER, ADMIN] {
        let new = member.read(&format!("run/renewed/{last}/{path}"));
        assert_eq!(member.read(path), new, "{path} {of}");
    }
    assert_eq!(member.read(OWN), member.read(ADMIN), "{of}");
    let tasks = member.read("run/tasks");
    assert_eq!(tasks.lines().count(), 4, "{tasks} {of}");
    let pods = fs::read_dir(member.node.root().join("etc/kubernetes/manifests")).unwrap().count();
    assert_eq!(pods, 4, "no pod's file is ever away");
    assert_eq!(member.diagnose(), Diagnosis::default(), "{of}");
}

#[test]
fn all_are_listed_with_what_they_are_for() {
    let member = Member::new(Role::Master);
    member.write(APISERVER, &member.authority.issue("kube-apiserver", 2020, 2021));
    member.write("var/lib/kubelet/pki/kubelet.crt", &member.authority.issue("node-1", 2020, 2021));
    member.write("etc/kubernetes/pki/site/proxy.crt", &member.authority.issue("p", 2090, 2091));
    let (all, unread) = pki::all(&member.node.look(None).0);
    assert_eq!(unread, [""; 0]);
    let now = SystemTime::now();
    let shown = |one: &Kept| (one.path.clone(), one.purpose, one.standing(now));
    let shown: Vec<_> = all.iter().map(shown).collect();
    let of = |path: &str, purpose, standing| (path.to_owned(), purpose, standing);
    let expected = [
        of("/etc/kubernetes/pki/apiserver.crt", "API server to its clients", Standing::Expired),
        of("/etc/kubernetes/pki/ca.crt", "the cluster's authority", Standing::Good),
        of("/etc/kubernetes/pki/etcd/server.crt", "etcd to its clients", Standing::Good),
        of("/etc/kubernetes/pki/site/proxy.crt", "not kubeadm's", Standing::Early),
        of("/etc/kubernetes/admin.conf", "administrator", Standing::Good),
        of("/root/.kube/config", "root's kubectl", Standing::Good),
        of(&format!("/{CURRENT}"), "kubelet to API server", Standing::Good),
        of(
            "/var/lib/kubelet/pki/kubelet.crt",
            "kubelet to its clients; nobody checks it",
            Standing::Expired,
        ),
    ];
    assert_eq!(shown.iter().collect::<Vec<_>>().len(), expected.len(), "{shown:#?}");
    for one in &expected {
        assert!(shown.contains(one), "{one:?} {shown:#?}");
    }
    assert!(all.iter().all(|one| one.certificate.issuer.as_deref() == Some("kubernetes")));
    member.write(ADMIN, "half");
    let (_, unread) = pki::all(&member.node.look(None).0);
    let broken = "reading /etc/kubernetes/admin.conf: it does not have the fields of a kubeconfig";
    assert_eq!(unread, [broken]);
}

#[test]
fn the_plan_is_the_deed_and_renews_what_has_expired() {
    for was_off in [false, true] {
        let member = expired(was_off);
        let old = member.read("run/tasks");
        let before = member.node.tree();
        let (host, commands) = member.node.look(None);
        let plan = run::plan(&host, &Renewal::default(), &renewal::STEPS).unwrap();
        let plan = plan.iter().flat_map(|planned| &planned.changes);
        let plan: Vec<String> = plan.map(ToString::to_string).collect();
        assert_eq!(commands.made(), [""; 0]);
        assert_eq!(member.node.tree(), before);
        let (told, commands, end) = renew(&member, None);
        assert_eq!(end.unwrap(), 3);
        // What kubelet starts on the way is ended as well.
        let is_end = |line: &&String| !line.contains("tasks kill");
        let both = [&told, &plan].map(|lines| lines.iter().filter(is_end).collect::<Vec<_>>());
        assert_eq!(both[0], both[1]);
        assert!(told.contains(&"run systemctl restart kubelet".to_owned()));
        let line = "kubeadm certs renew all --config /opt/kubernetes/kubeadm.yaml";
        assert_eq!(commands.made()[0], line);
        assert_renewed(&member, "an undisturbed run");
        let new = member.read("run/tasks");
        assert!(old.lines().all(|line| !new.contains(line)), "{old}{new}");
        // Whoever wants them back finds the old ones by the receipt.
        let (host, _) = member.node.look(None);
        for path in [APISERVER, SERVER, ADMIN, OWN, &APISERVER.replace(".crt", ".key")] {
            let kept = host.lines().iter().find_map(|line| match line {
                Line::Deed { deed: Deed::Wrote { path: of, before, .. }, step }
                    if *step == StepName::Certs && of.ends_with(path) =>
                {
                    Some(before.clone())
                }
                _ => None,
            });
            let Some(Before::File { kept, .. }) = kept else { panic!("{path}") };
            let text = String::from_utf8(host.kept(&kept).unwrap()).unwrap();
            assert_eq!(Some(&text), before[path].1.as_ref(), "{path}");
        }
    }
}

#[test]
fn whatever_breaks_the_next_run_mends_it() {
    for was_off in [false, true] {
        let made = {
            let member = expired(was_off);
            renew(&member, None).1.made()
        };
        assert!(made.len() >= 3, "{made:?}");
        for (nth, command) in made.iter().enumerate() {
            for fault in [Fault::Refused(nth), Fault::Late(nth), Fault::Half(nth)] {
                let member = expired(was_off);
                let of = format!("{fault:?} of {command}");
                let (_, _, end) = renew(&member, Some(fault));
                // One that has ended is no matter, whoever has ended it.
                let is_end = command.contains("tasks kill") && matches!(fault, Fault::Late(_));
                assert_eq!(end.is_ok(), is_end, "{of}");
                if !is_end {
                    let found = member.diagnose().findings;
                    let cure = "./installer certs renew";
                    let one = found.iter().find(|one| one.cause.contains("was interrupted"));
                    assert_eq!(one.map(|one| one.cure.as_str()), Some(cure), "{of} {found:#?}");
                }
                renew(&member, None).2.unwrap();
                assert_renewed(&member, &of);
            }
        }
    }
}

#[test]
fn a_reset_puts_the_old_ones_back_first() {
    for was_off in [false, true] {
        let member = expired(was_off);
        let before = member.node.tree();
        renew(&member, None).2.unwrap();
        renew(&member, None).2.unwrap();
        let mut host = member.node.look(None).0.open().unwrap();
        assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
        for path in [APISERVER, SERVER, ADMIN, OWN, CURRENT, "etc/kubernetes/kubelet.conf"] {
            assert_eq!(Some(&member.read(path)), before[path].1.as_ref(), "{path}");
            let mode = fs::metadata(member.node.root().join(path)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, before[path].0, "{path}");
        }
    }
}

#[test]
fn a_persons_kubeconfig_is_left_as_it_is() {
    let member = expired(false);
    let person = member.config(Some(&member.authority.issue("jane", 2020, 2090)));
    member.write(OWN, &person);
    let (told, _, end) = renew(&member, None);
    end.unwrap();
    assert!(!told.iter().any(|line| line.contains(OWN)), "{told:?}");
    assert_eq!(member.read(OWN), person);
}

#[test]
fn what_was_not_renewed_is_an_error() {
    let member = expired(false);
    member.write("run/renewed/list", &[SERVER, ADMIN].join("\n"));
    let error = renew(&member, None).2.unwrap_err();
    assert_eq!(error.to_string(), "step 4/5 `certs` failed");
    let error = error.root_cause().to_string();
    assert_eq!(error, "kubeadm has not renewed /etc/kubernetes/pki/apiserver.crt");
    let member = expired(false);
    member.write(APISERVER, "");
    let error = renew(&member, None).2.unwrap_err().root_cause().to_string();
    assert_eq!(error, "/etc/kubernetes/pki/apiserver.crt has no certificate in it");
    assert_eq!(member.read("run/started").lines().count(), 4, "nothing was ended");
}

#[test]
fn where_it_is_refused_it_says_why() {
    let refused = |node: &Node| {
        let before = node.tree();
        let (host, commands) = node.look(None);
        let failure = renewal::refusal(&host).unwrap();
        assert_eq!((commands.made(), node.tree()), (Vec::new(), before));
        failure.map(|failure| describe(&failure.into(), None))
    };
    assert_eq!(refused(&expired(false).node), None);
    let bare = Node::new(Role::Master, &BARE);
    assert!(refused(&bare).unwrap().contains("the installer has not made this node"));
    bare.apply(None).end.unwrap();
    assert!(refused(&bare).unwrap().contains("this node is not yet a master"));
    let worker = refused(&Member::new(Role::Worker).node).unwrap();
    assert!(worker.contains("its kubelet renews its certificate itself"), "{worker}");
    assert!(worker.contains("hint: `installer certs` shows"), "{worker}");
    let of_master = |spoil: &dyn Fn(&Member)| {
        let member = expired(false);
        spoil(&member);
        refused(&member.node).unwrap()
    };
    let text = of_master(&|member| member.remove("etc/kubernetes/pki/ca.key"));
    assert!(text.contains("/etc/kubernetes/pki/ca.key is not here: an authority elsewhere"));
    let text = of_master(&|member| {
        let old = member.authority.issue("kubernetes", 2010, 2020);
        member.write("etc/kubernetes/pki/ca.crt", &old);
    });
    let holds =
        "/etc/kubernetes/pki/ca.crt is valid from 2010-01-02T00:00:00Z to 2020-01-02T00:00:00Z";
    assert!(text.contains(holds), "{text}");
    let tracking =
        "0A000001,10.0.0.1,11,1700000000.0,99.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.0,Normal\n";
    let text = of_master(&|member| member.write("run/chrony/tracking", tracking));
    assert!(text.contains("clock is 99.0 s away"), "{text}");
}
