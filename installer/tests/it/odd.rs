//! Files with anything in them: each is an answer or an error, and no program
//! that ends in the middle.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bundle_format::cluster::Cluster;
use installer::cluster_file::{self, ClusterFile, OfBundle};
use installer::doctor::diagnose;
use installer::facts::Facts;
use installer::join::JoinFile;
use installer::preflight;
use installer::receipt::Receipt;
use installer::role::Role;
use installer::run;
use installer::status::Status;

use crate::node::member::Member;
use crate::node::{self, kinds};

/// Nine times nine times … of an alias.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "));
    }
    format!("{text}kubelet: {{x: *a11}}\n")
}

/// What a file may come to hold.
fn oddities() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "",
        "\n\n",
        "\0\0\0\0",
        "::::",
        "- -\n\t-",
        "%YAML 9\n---\n...\n",
        "version = 99999999999999999999\n",
        "version = -1\n[plugins]\n",
        "plugins = 1\nversion = 2\ndisabled_plugins = 7\n",
        "MemTotal: 18446744073709551615 kB\nprocessor\nprocessor\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "NAME=\nPLATFORM_ID=\nVERSION_ID=\"\n",
        "# kubeferry: the cluster's machines\n# kubeferry: the cluster's machines\n",
        "{\"status\": {\"conditions\": 3}}",
        "kind: Config\nclusters: []\ncontexts: []\ncurrent-context: x\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    all.push(b"\xff\xfe\x00=\xc3(\n".to_vec());
    all.push(vec![b'['; 100_000]);
    all.push(vec![b'a'; 2_000_000]);
    all.push("a: ".repeat(20_000).into_bytes());
    all.push(bomb().into_bytes());
    all
}

#[test]
fn a_cluster_file_or_join_file_with_anything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.yaml");
    for odd in oddities() {
        fs::write(&path, &odd).unwrap();
        let begun = Instant::now();
        // One without a word has the defaults.
        let mut lines = odd.split(|byte| *byte == b'\n');
        let says_nothing = lines.all(|line| line.is_empty() || line.starts_with(b"#"));
        let read = ClusterFile::load(&path)
            .and_then(|file| cluster_file::effective(&OfBundle::default(), Some(&file)));
        assert_eq!(read.is_ok(), says_nothing, "{:?}", odd.get(..20));
        let error = JoinFile::load(&path).map(drop).unwrap_err();
        assert!(error.to_string().contains("file.yaml"), "{error}");
        // What grows by powers takes hours.
        assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", odd.get(..20));
    }
}

#[test]
fn services_at_the_end_of_all_addresses_have_a_dns_server() {
    let cluster: Cluster = serde_saphyr::from_str("serviceCidr: 255.255.255.255/32").unwrap();
    assert_eq!(cluster.dns().to_string(), "255.255.255.255");
}

/// The files of a node that programs do not answer from.
fn files(node: &node::Node) -> Vec<String> {
    let tree = node.tree().into_iter();
    let mut files: Vec<String> =
        tree.filter(|(_, (_, text))| text.is_some()).map(|(path, _)| path).collect();
    files.retain(|path| !path.starts_with("run/"));
    files
}

#[test]
fn a_node_with_anything_in_its_files() {
    for make in kinds::nodes() {
        let paths = files(&make());
        assert!(paths.len() > 4);
        for path in paths {
            for odd in oddities() {
                let node = make();
                let mut intent = node.intent();
                if let Some(join) = &mut intent.join {
                    join.endpoint = "127.0.0.1:9".to_owned();
                }
                fs::remove_file(node.root().join(&path)).unwrap();
                fs::write(node.root().join(&path), &odd).unwrap();
                let (host, commands) = node.look(None);
                drop(Facts::gather(&host));
                drop(run::plan(&host, &intent, &node.steps()));
                preflight::problems(&host, &intent);
                assert_eq!(commands.made(), [""; 0]);
                assert_eq!(fs::read(node.root().join(&path)).unwrap(), odd, "only looked at");
            }
        }
    }
}

#[test]
fn a_member_with_anything_in_its_files() {
    for role in [Role::Master, Role::Worker] {
        let answers = ["run/df", "run/journal", "run/images", "run/chrony/tracking"];
        let mut paths = files(&Member::new(role).node);
        paths.extend(answers.map(str::to_owned));
        for path in paths {
            // Its API server takes no more than so many connections.
            let member = Member::new(role);
            for odd in oddities() {
                let Ok(odd) = String::from_utf8(odd) else { continue };
                member.write(&path, &odd);
                let (host, commands) = member.node.look(None);
                diagnose(&host);
                Status::gather(&host);
                assert_eq!(commands.made(), [""; 0]);
            }
        }
    }
}

#[test]
fn a_receipt_with_anything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let head = b"{\"line\":\"receipt\",\"version\":1}\n";
    for odd in oddities() {
        for text in [odd.clone(), [&head[..], &odd].concat(), [&head[..], &odd, b"\n"].concat()] {
            let path: &Path = folder.path();
            fs::write(path.join("receipt.jsonl"), &text).unwrap();
            match Receipt::read(path) {
                Ok(lines) => assert!(lines.unwrap().len() <= 1),
                Err(error) => assert!(format!("{error:#}").contains("receipt.jsonl"), "{error:#}"),
            }
        }
    }
}
