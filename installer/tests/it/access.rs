//! Kubeconfigs for persons: whose names are taken, what kubeadm is asked for, and
//! what of its answer is believed.

use std::process::Command;

use installer::credentials::person::{self, Made, Person, Subject};
use installer::failure::describe;
use installer::node::certificates::kubeconfig::Kubeconfig;
use installer::role::Role;

use crate::node::kinds;
use crate::node::member::{Authority, Member, config_of};

const NEW: &str = "kubeconfig user\n--client-name --validity-period";
const OLD: &str = "alpha kubeconfig user\n--client-name";

fn subject(name: &str) -> Subject {
    Subject::try_from(name.to_owned()).unwrap()
}

fn person(hours: Option<u32>) -> Person {
    Person { user: subject("jane"), groups: vec![subject("dev"), subject("ops")], hours }
}

/// A master whose kubeadm has this help, and makes this.
fn master(help: &str, made: impl Fn(&Member) -> String) -> Member {
    let member = Member::new(Role::Master);
    member.write("run/kubeadm", help);
    member.write("run/person", &made(&member));
    member
}

fn janes(member: &Member) -> String {
    member.config(Some(&member.authority.issue("jane", 2020, 2090)))
}

fn make(member: &Member, hours: Option<u32>) -> Result<Made, String> {
    let (host, commands) = member.node.look(None);
    let made = person::make(&host, &person(hours));
    assert_eq!(commands.made(), [""; 0], "nothing of the node changes");
    made.map_err(|error| describe(&error, None))
}

#[test]
fn kubeadm_is_asked_as_it_understands() {
    let base = "--config /opt/kubernetes/kubeadm.yaml --client-name jane --org dev --org ops";
    for (help, hours, asked) in [
        (NEW, None, base.to_owned()),
        (NEW, Some(8), format!("{base} --validity-period 8h")),
        (OLD, None, base.to_owned()),
    ] {
        let member = master(help, janes);
        let made = make(&member, hours).unwrap();
        assert_eq!(made.text, member.read("run/person"));
        assert_eq!(made.config.client[0].common_name.as_deref(), Some("jane"));
        assert_eq!(member.read("run/person-asked"), asked);
    }
    let error = make(&master(OLD, janes), Some(8)).unwrap_err();
    assert!(error.contains("certificates for one year\nhint: leave out --hours"), "{error}");
    let error = make(&master("", janes), None).unwrap_err();
    assert!(error.contains("this node's kubeadm cannot make kubeconfigs"), "{error}");
}

#[test]
fn what_is_not_for_the_person_at_this_cluster_is_not_given() {
    let other = |member: &Member| member.config(Some(&member.authority.issue("jon", 2020, 2090)));
    let elsewhere = |member: &Member| {
        let client = member.authority.issue("jane", 2020, 2090);
        config_of(&member.authority.pem, "10.9.9.9:6443", Some(&client))
    };
    let stranger = |member: &Member| {
        let authority = Authority::new();
        let client = authority.issue("jane", 2020, 2090);
        let endpoint = Kubeconfig::parse(&member.config(None)).unwrap().endpoint;
        config_of(&authority.pem, &endpoint, Some(&client))
    };
    let wrong: [&dyn Fn(&Member) -> String; 3] = [&other, &elsewhere, &stranger];
    for made in wrong {
        let error = make(&master(NEW, made), None).unwrap_err();
        assert!(
            error.starts_with("error: kubeadm made a kubeconfig that is not for jane in"),
            "{error}"
        );
    }
    let error = make(&master(NEW, |_| "secret: [".to_owned()), None).unwrap_err();
    assert!(error.starts_with("error: reading the kubeconfig that kubeadm made\n"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    let error = make(&master(NEW, |_| String::new()), None).unwrap_err();
    assert!(error.contains("kubeadm kubeconfig user --config"), "{error}");
}

#[test]
fn only_a_master_with_its_authoritys_key_makes_them() {
    let worker = make(&Member::new(Role::Worker), None).unwrap_err();
    assert!(worker.starts_with("error: this node is no master\nhint: run this on"), "{worker}");
    let bare = kinds::bare(Role::Master);
    let error = person::make(&bare.look(None).0, &person(None)).unwrap_err();
    assert_eq!(error.to_string(), "this node is no master");
    let member = master(NEW, janes);
    member.remove("etc/kubernetes/pki/ca.key");
    let error = make(&member, None).unwrap_err();
    assert!(error.contains("/etc/kubernetes/pki/ca.key is not here"), "{error}");
}

#[test]
fn names_that_mean_more_than_a_person_are_refused() {
    for good in ["jane", "Jane.Doe@site", "team:dev-1", "7", &"a".repeat(64)] {
        assert_eq!(subject(good).to_string(), good);
    }
    let long = "a".repeat(65);
    for bad in
        ["", "-x", "--org", "a b", "a,b", "a'b", "a\"b", "a\nb", "a/b", "a$b", "ä", ".a", &long]
    {
        let error = Subject::try_from(bad.to_owned()).unwrap_err();
        assert!(error.starts_with("a name consists of letters"), "{bad}: {error}");
    }
    for bad in ["system:masters", "system:node:node1", "system:"] {
        let error = Subject::try_from(bad.to_owned()).unwrap_err();
        assert!(error.contains("belong to Kubernetes"), "{bad}: {error}");
    }
}

#[test]
fn wrong_usage_is_told_as_such() {
    for (line, word) in [
        ("kubeconfig", "--user <NAME>"),
        ("kubeconfig --user system:admin", "belong to Kubernetes"),
        ("kubeconfig --user jane --group system:masters", "cluster-admin"),
        ("kubeconfig --user jane --hours 0", "--hours"),
        ("kubeconfig --user jane --hours 87601", "--hours"),
        ("certs --json renew", "renew"),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_installer")).args(line.split(' ')).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {text}");
        assert!(text.contains(word), "{line}: {text}");
        assert!(output.stdout.is_empty());
    }
}
