//! Files and options that a person gives, right and wrong.

use std::fs;

use bundle_format::cluster::Cluster;
use installer::node::join::JoinFile;

use super::{NODE, folder, folder_with, run};
use crate::node::join::{TOKEN, join_file};
use crate::node::member::{Authority, config_of};

#[test]
fn the_cluster_file_is_shown_with_origins_and_without_the_token() {
    let folder = folder_with("{podCidr: 10.8.0.0/16, ntpServers: [time.site]}");
    let join = join_file(Cluster::default());
    fs::write(folder.path().join("join.yaml"), join.text().unwrap()).unwrap();
    fs::write(folder.path().join("cluster.yaml"), "podCidr: 10.9.0.0/16\n").unwrap();
    let config = |line: &str| {
        let line = format!("config --address 10.0.0.2 --root node {line}");
        let (status, out, err) = run(folder.path(), &line);
        assert_eq!((status, err.as_str()), (0, ""));
        serde_saphyr::from_str::<Cluster>(&out).unwrap();
        assert!(!out.contains(TOKEN));
        out
    };
    let master = config("--role master --config cluster.yaml --bundle small.tar");
    for line in [
        "# a master: node-1 # guessed from the node\n",
        "# at 10.0.0.2 # --address\n",
        "podCidr: 10.9.0.0/16 # cluster.yaml\n",
        "ntpServers: # the bundle\n- time.site\n",
        "serviceCidr: 10.96.0.0/12 # default\n",
        "endpoint: 10.0.0.2:6443 # guessed from the node\n",
    ] {
        assert!(master.contains(line), "{line}{master}");
    }
    let worker = config("--role worker --join join.yaml --node-name w");
    for line in [
        "# a worker: w # --node-name\n",
        "podCidr: 10.244.0.0/16 # join file\n",
        "endpoint: 10.0.0.1:6443 # join file\n",
    ] {
        assert!(worker.contains(line), "{line}{worker}");
    }
}

#[test]
fn a_kubeconfig_is_for_workers_and_is_no_secret_told() {
    let folder = folder();
    fs::write(folder.path().join("jane.conf"), format!("{TOKEN}: [")).unwrap();
    let line = format!("plan {NODE} --with-kubeconfig jane.conf");
    let (status, _, err) = run(folder.path(), &line);
    assert_eq!(status, 1);
    assert!(err.starts_with("error: --with-kubeconfig is for workers; a master has"), "{err}");
    let join = JoinFile { endpoint: "127.0.0.1:9".to_owned(), ..join_file(Cluster::default()) };
    fs::write(folder.path().join("join.yaml"), join.text().unwrap()).unwrap();
    let line = line.replace("--role master", "--role worker --join join.yaml");
    let (status, _, err) = run(folder.path(), &line);
    let broken = "error: jane.conf is not a usable kubeconfig\n  caused by: it does not have the \
                  fields of a kubeconfig\nhint: make one on the master with `installer \
                  kubeconfig`, and copy it here\n";
    assert_eq!((status, err.as_str()), (1, broken));
    let authority = Authority::new();
    let text = config_of(&authority.pem, "10.0.0.1:6443", Some(&authority.issue("j", 2020, 2090)));
    fs::write(folder.path().join("jane.conf"), &text).unwrap();
    let (status, out, err) = run(folder.path(), &line);
    assert_eq!(status, 1);
    assert!(out.contains("kubeconfig\n  write /root/.kube/config\n"), "{out}");
    assert!(err.contains("problem: jane.conf is of another cluster"), "{err}");
    assert!(!out.contains("client-key-data"), "{out}");
}

#[test]
fn what_was_typed_amiss_has_its_cure() {
    let folder = folder();
    fs::create_dir(folder.path().join("empty")).unwrap();
    run(folder.path(), "token --sample --output join.yaml");
    for (line, what, cure) in [
        (NODE.replace("node", "none"), "none is no folder\n", "--root takes a folder"),
        (NODE.replace("--address 10.0.0.2 ", ""), "the folder node does not say", "--address"),
        (NODE.replace("small.tar", "empty"), "no bundle lies in empty\n", "--bundle FILE"),
        (format!("{NODE} --join join.yaml"), "this join file is for workers\n", "--for master"),
    ] {
        let (status, out, err) = run(folder.path(), &format!("plan {line}"));
        assert_eq!((status, out.as_str()), (1, ""), "{line}");
        let (told, hint) = err.split_once("hint: ").unwrap();
        assert!(told.starts_with(&format!("error: {what}")) && hint.contains(cure), "{err}");
    }
}

#[test]
fn an_address_of_ipv6_is_refused_as_in_the_cluster_file() {
    let folder = folder();
    let line = format!("plan {}", NODE.replace("10.0.0.2", "fd00::2"));
    let (status, _, err) = run(folder.path(), &line);
    assert_eq!(status, 2);
    let words = "`fd00::2` is an IPv6 address, and clusters here use IPv4 only: write the \
                 machine's IPv4 address";
    assert!(err.contains(words), "{err}");
}

#[test]
fn a_mistake_in_the_cluster_file_is_a_line() {
    let folder = folder();
    fs::write(folder.path().join("cluster.yaml"), "ingress: true\npodCIDR: 10.1.0.0/16\n").unwrap();
    let (status, _, err) = run(folder.path(), &format!("plan {NODE} --config cluster.yaml"));
    assert_eq!((status, err.lines().count()), (1, 2), "{err}");
    let begin = "error: cluster.yaml:2:1: unknown field `podCIDR`: write `podCidr` instead\nhint: ";
    assert!(err.starts_with(begin), "{err}");
}

#[test]
fn a_worker_is_rehearsed_by_a_sample_of_a_join_file() {
    let folder = folder();
    let cluster = "nodes: [{name: m, address: 10.0.0.1}, {name: w, address: 10.0.0.20}]\n";
    fs::write(folder.path().join("cluster.yaml"), cluster).unwrap();
    let (status, _, err) =
        run(folder.path(), "token --sample --config cluster.yaml --output join.yaml");
    assert_eq!((status, err.as_str()), (0, ""));
    let worker = "--role worker --join join.yaml --bundle small.tar --address 10.0.0.2 --root node";
    let (status, out, err) = run(folder.path(), &format!("plan {worker}"));
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("becomes a worker of Kubernetes"), "{out}");
    let note = "note: 10.0.0.2 is none of `nodes` of the cluster file, which has m at 10.0.0.1, w at \
                10.0.0.20; did you mean 10.0.0.1?\n";
    assert_eq!(err.matches(note).count(), 1, "{err}");
}

#[test]
fn a_further_master_is_rehearsed_by_a_sample_with_the_bundles_version() {
    let folder = folder();
    let file = folder.path().join("cluster.yaml");
    let nodes = "nodes: [{name: m, address: 10.0.0.1, role: master}, {name: n, address: 10.0.0.2, \
                 role: master}]\n";
    fs::write(&file, nodes).unwrap();
    let sample = "token --sample --for master --config cluster.yaml --output join.yaml";
    let (status, _, err) = run(folder.path(), &format!("{sample} --bundle small.tar"));
    assert_eq!(status, 1);
    let alone = "error: all nodes look for the API server at 10.0.0.1:6443, which is m alone";
    assert!(err.starts_with(alone), "{err}");
    fs::write(&file, format!("endpoint: 10.0.0.100:6443\n{nodes}")).unwrap();
    let (status, _, err) = run(folder.path(), sample);
    assert_eq!(status, 1);
    assert!(err.ends_with("hint: give the bundle with --bundle\n"), "{err}");
    let (status, _, err) = run(folder.path(), &format!("{sample} --bundle small.tar"));
    assert_eq!((status, err.as_str()), (0, ""));
    let (status, out, err) = run(folder.path(), &format!("plan {NODE} --join join.yaml"));
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("run kubeadm join") && !out.contains("kubeadm init"), "{out}");
}

#[test]
fn a_token_is_in_no_file_that_is_shown() {
    let folder = folder();
    let sample = JoinFile::sample(Cluster::default()).unwrap();
    let text = sample.text().unwrap().replace("sample.0000000000000000", TOKEN);
    fs::write(folder.path().join("join.yaml"), text).unwrap();
    let worker =
        "plan --role worker --join join.yaml --bundle small.tar --address 10.0.0.2 --root node";
    let (_, plan, _) = run(folder.path(), worker);
    let written = plan.lines().filter_map(|line| line.trim().strip_prefix("write "));
    let mut count = 0;
    for path in written.map(|line| line.split(',').next().unwrap()) {
        let (status, out, err) = run(folder.path(), &format!("{worker} --show {path}"));
        assert_eq!(status, 0, "{path}: {err}");
        assert!(!out.contains(TOKEN), "{path}: {out}");
        count += usize::from(out.contains("(secret, not shown)"));
    }
    assert!(count >= 1, "{plan}");
}

#[test]
fn a_password_in_an_endpoint_is_refused_and_not_printed() {
    let folder = folder();
    fs::write(folder.path().join("cluster.yaml"), "endpoint: u:word@m:6443\n").unwrap();
    let joins = JoinFile::sample(Cluster::default()).unwrap().text().unwrap();
    let joins = joins.replace("endpoint: 192.0.2.1:6443", "endpoint: u:word@m:6443");
    fs::write(folder.path().join("join.yaml"), joins).unwrap();
    let joined = "--role worker --join join.yaml --bundle small.tar --address 10.0.0.2 --root node";
    for line in [format!("config {NODE} --config cluster.yaml"), format!("config {joined}")] {
        let (status, out, err) = run(folder.path(), &line);
        assert_eq!((status, out.as_str()), (1, ""), "{line}");
        assert!(err.contains("no user and no password") && !err.contains("word@"), "{err}");
    }
}

#[test]
fn what_was_given_in_anothers_place_is_named() {
    let folder = folder();
    for (name, text) in [
        ("key.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        ("spec.yaml", "name: a\nkubernetes: {version: 1.28.2}\ntargets: []\n"),
        ("person.conf", "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\n"),
        ("cluster.yaml", "podCidr: 10.9.0.0/16\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let joined = "plan --role worker --bundle small.tar --address 10.0.0.2 --root node";
    for (line, words) in [
        (
            format!("plan {NODE} --config key.asc"),
            "key.asc is an OpenPGP public key, not a cluster file",
        ),
        (
            format!("plan {NODE} --config spec.yaml"),
            "spec.yaml is a bundle's spec, not a cluster file",
        ),
        (
            format!("plan {NODE} --config person.conf"),
            "person.conf is a kubeconfig, not a cluster file",
        ),
        (
            format!("{joined} --join cluster.yaml"),
            "cluster.yaml is a cluster file, not a join file",
        ),
        (format!("{joined} --join small.tar"), "small.tar"),
        ("verify cluster.yaml".to_owned(), "it is a cluster file"),
        ("verify key.asc".to_owned(), "it is an OpenPGP public key"),
    ] {
        let (status, _, err) = run(folder.path(), &line);
        assert!(status == 1 && err.contains(words), "{line}: {err}");
    }
}
