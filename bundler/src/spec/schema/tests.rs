//! The schemas that editors take, held to a judge of their own and to our readers:
//! what one refuses the other refuses.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bundle_format::cluster::{self, Given};
use bundle_format::yaml::Kind;
use serde_json::{Value, json};

use super::*;
use crate::spec::{SpecFile, text};

fn value(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

/// What a judge of schemas says of each of `cases`: nothing where it is good. Python's
/// jsonschema is one; where a machine has none, nothing is judged, and that is said.
fn judged(schema: &Value, cases: &[Value]) -> Option<Vec<String>> {
    const JUDGE: &str = "import json, sys, jsonschema\n\
        given = json.load(sys.stdin)\n\
        judge = jsonschema.Draft7Validator\n\
        judge.check_schema(given['schema'])\n\
        said = lambda one: [error.message[:300] for error in judge(given['schema']).iter_errors(one)]\n\
        print(json.dumps(['; '.join(said(one)) for one in given['cases']]))";
    let has = |python: &&str| {
        let found = Command::new(python).args(["-c", "import jsonschema"]).output();
        found.is_ok_and(|found| found.status.success())
    };
    // Debian's own beside another that comes first.
    let Some(python) = ["python3", "/usr/bin/python3"].into_iter().find(has) else {
        assert!(std::env::var_os("CI").is_none(), "CI needs what `scripts/tools` installs");
        println!("skipped: no python3 here has jsonschema; `scripts/tools` installs it");
        return None;
    };
    let mut python = Command::new(python);
    python.args(["-c", JUDGE]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = python.spawn().unwrap();
    let given = json!({"schema": schema, "cases": cases}).to_string();
    running.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Whether our own reader takes a spec.
fn reads(text: &str) -> bool {
    SpecFile::parse("s.yaml".as_ref(), text.as_bytes().to_vec()).is_ok()
}

/// Whether our own reader takes a cluster file.
fn reads_cluster(text: &str) -> bool {
    match cluster::FORMAT.read::<Given>(text) {
        Ok(Some(read)) => {
            read.problems.is_empty() && read.value.is_some_and(|given| given.conflicts().is_empty())
        }
        Ok(None) => true,
        Err(_) => false,
    }
}

const MINIMAL: &str = "\
name: demo
kubernetes: {version: 1.28.2}
targets:
- family: el9
  architecture: x86_64
  repositories:
  - {id: os, baseUrl: https://example.com/os/, keys: [key.asc]}
";

#[test]
fn each_shipped_spec_and_each_sample_is_good() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut specs = Vec::new();
    for entry in fs::read_dir(root.join("manifests")).unwrap() {
        let path = entry.unwrap().path();
        // traefik.yaml is for the cluster, and no spec.
        let is_spec = !path.ends_with("traefik.yaml");
        if is_spec && path.extension().is_some_and(|end| end == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(reads(&text), "{}", path.display());
            specs.push(value(&text));
        }
    }
    assert!(specs.len() >= 4, "only {} specs were found", specs.len());
    if let Some(said) = judged(&schema(), &specs) {
        assert_eq!(said, vec![""; specs.len()]);
    }
    let page = fs::read_to_string(root.join("docs/cluster-file.md")).unwrap();
    let sample = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(reads_cluster(sample), "{sample}");
    if let Some(said) = judged(&cluster::schema(), &[value(sample)]) {
        assert_eq!(said, [""]);
    }
}

#[test]
fn what_one_refuses_the_other_refuses() {
    let cases = [
        ("name: demo", "name: My_X"),
        ("name: demo", "nam: demo"),
        ("name: demo\n", ""),
        ("1.28.2", "1.28"),
        ("1.28.2", "v1.28.2"),
        ("{version: 1.28.2}", "1.28.2"),
        ("{version: 1.28.2}", "{version: 1.28.2, imageRepository: 'https://x'}"),
        ("x86_64", "amd64"),
        ("family: el9", "family: ../x"),
        ("id: os", "id: a b"),
        ("https://example.com/os/", "ftp://example.com/"),
        ("https://example.com/os/", "https://me:word@example.com/"),
        ("https://example.com/os/", "https://example.com/?a"),
        ("keys: [key.asc]", "keys: key.asc"),
        ("keys: [key.asc]", "keys: [ftp://x/k]"),
        ("keys: [key.asc]", "keys: [k], priority: high"),
        ("keys: [key.asc]", "keys: [k], priority: -1"),
        ("keys: [key.asc]", "keys: [k], gpgcheck: false"),
        ("keys: [key.asc]", "keys: [k], gpgcheck: {off: 'yes'}"),
        ("keys: [key.asc]", "keys: [k], gpgcheck: {off: '12'}"),
        ("keys: [key.asc]", "keys: [k], moduleHotfixes: 'yes'"),
        ("name: demo", "name: demo\ncontainerd: {version: '1.6'}"),
        ("name: demo", "name: demo\nimages: [https://x/y]"),
        ("name: demo", "name: demo\nregistries: {'https://x': {}}"),
        ("name: demo", "name: demo\nregistries: {x.io: {mirrors: [ftp://y]}}"),
        ("name: demo", "name: demo\nregistries: {x.io: {plainHttp: true}}"),
        ("name: demo", "name: demo\nmanifests: [{name: a, file: a.yaml, sha256: '12'}]"),
        ("name: demo", "name: demo\nmanifests: [{name: a, url: 'x'}]"),
        (
            "name: demo",
            "name: demo\nmanifests: [{name: a, file: a, patches: [{pullPolicy: Always}]}]",
        ),
        (
            "name: demo",
            "name: demo\nmanifests: [{name: a, file: a, patches: [{poolCidr: 10.0.0.0/33}]}]",
        ),
        ("name: demo", "name: demo\nprovided: {kinds: [Issuer]}"),
        ("name: demo", "name: demo\nprovided: {namespaces: [A]}"),
        ("name: demo", "name: demo\ncluster: {podCidr: 10.0.0.0/33}"),
        ("name: demo", "name: demo\ncluster: {kubelet: {maxPodz: 1}}"),
        ("name: demo", "name: demo\ncolour: red"),
    ];
    let texts = cases.map(|(from, to)| MINIMAL.replacen(from, to, 1));
    let taken = |schema: &Value, texts: &[String], ours: fn(&str) -> bool| {
        let values: Vec<Value> = texts.iter().map(|text| value(text)).collect();
        let said = judged(schema, &values).unwrap_or(vec!["refused".to_owned(); texts.len()]);
        let all = texts.iter().zip(said);
        let taken = all.filter(|(text, said)| ours(text) || said.is_empty());
        taken.map(|(text, said)| format!("{text}\n{said}")).collect::<Vec<_>>()
    };
    assert_eq!(taken(&schema(), &texts, reads), [""; 0]);
    assert!(reads(MINIMAL));
    let texts = [
        "podCidr: 10.60.0.0/33",
        "podCIDR: 10.60.0.0/16",
        "podCidr: [a]",
        "proxyMode: ipsv",
        "ingress: 'yes'",
        "ntpServers: a",
        "ntpServers: ['a b']",
        "endpoint: u:p@m:6443",
        "endpoint: m",
        "nodes: [{name: A, address: 10.0.0.1}]",
        "nodes: [{name: a}]",
        "nodes: [{name: a, address: 10.0.0.256}]",
        "nodes: [{name: a, address: 10.0.0.1, taints: [gpu]}]",
        "nodes: [{name: a, address: 10.0.0.1, labels: {a b: c}}]",
        "nodes: [{name: a, address: 10.0.0.1, nfs: {export: srv}}]",
        "kubelet: {maxPodz: 1}",
        "kubelet: {maxPods: '1'}",
        "kubelet: {kubeReserved: {cpu: 1}}",
        "kubelet: {syncFrequency: 1d}",
        "kubelet: {authentication: {webhook: {enabled: 'on'}}}",
        "kubeadm: {etcd: {}}",
        "kubeadm: {apiServer: {--v: 4}}",
        "kubeadm: {apiServer: {v: [4]}}",
        "registryMirrors: {docker.io: ['https://u:p@m']}",
        "registryMirrors: {a/b: []}",
        "cniInterface: 'eth0;x'",
    ];
    assert_eq!(taken(&cluster::schema(), &texts.map(str::to_owned), reads_cluster), [""; 0]);
}

/// What no schema can say: that values go together, and what is behind a text.
#[test]
fn what_only_we_know() {
    let told = |schema: &Value, texts: &[String], ours: fn(&str) -> bool| {
        assert!(!texts.iter().any(|text| ours(text)), "{texts:?}");
        let values: Vec<Value> = texts.iter().map(|text| value(text)).collect();
        if let Some(said) = judged(schema, &values) {
            assert_eq!(said, vec![""; texts.len()]);
        }
    };
    let texts = [
        ("keys: [key.asc]", "keys: ['https://example.com/k?token=a']"),
        ("name: demo", "name: demo\ncluster: {podCidr: 10.96.0.0/16}"),
        ("name: demo", "name: demo\nmanifests: [{name: a}]"),
        ("keys: [key.asc]", "keys: []"),
    ];
    told(&schema(), &texts.map(|(from, to)| MINIMAL.replacen(from, to, 1)), reads);
    let texts = [
        "podCidr: 10.96.0.0/16",
        "podCidr: 10.244.0.1/16",
        "ingressNodes: []",
        "endpoint: m:70000",
        "nodes: [{name: a, address: 127.0.0.1}]",
        "nodes: [{name: a, address: 10.0.0.1}, {name: a, address: 10.0.0.2}]",
        "kubelet: {cgroupDriver: cgroupfs}",
    ];
    told(&cluster::schema(), &texts.map(str::to_owned), reads_cluster);
}

#[test]
fn each_key_has_a_description_and_an_example() {
    fn walk(schema: &Value, path: &str, lacking: &mut Vec<String>) {
        for (name, one) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            let is_of_kubelet = path.contains(".kubelet.");
            if one["description"].as_str().is_none_or(|words| words.len() < 5) {
                lacking.push(format!("{path}: description"));
            }
            if !is_of_kubelet && one["examples"].as_array().is_none_or(Vec::is_empty) {
                lacking.push(format!("{path}: examples"));
            }
            walk(one, &path, lacking);
        }
        for (name, one) in schema["definitions"].as_object().into_iter().flatten() {
            walk(one, name, lacking);
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            for one in schema[key].as_array().into_iter().flatten() {
                walk(one, path, lacking);
            }
        }
    }
    for schema in [schema(), cluster::schema()] {
        let mut lacking = Vec::new();
        walk(&schema, "", &mut lacking);
        assert_eq!(lacking, [""; 0]);
    }
}

#[test]
fn no_format_of_ours_is_left_and_each_had_its_row() {
    fn walk(schema: &Value, found: &mut Vec<String>) {
        found.extend(schema["format"].as_str().map(str::to_owned));
        let inner = schema.as_object().into_iter().flat_map(|map| map.values());
        for schema in inner.chain(schema.as_array().into_iter().flatten()) {
            walk(schema, found);
        }
    }
    let mut found = Vec::new();
    walk(&schema(), &mut found);
    walk(&cluster::schema(), &mut found);
    assert_eq!(found, [""; 0]);
    // A text of a format that no table has would pass as anything.
    let types = schemars::schema_for!(crate::spec::Spec).to_value();
    walk(&types, &mut found);
    found.retain(|name| FORMAT.kind(name).is_none());
    found.retain(|name| !name.starts_with("uint") && !name.starts_with("int"));
    assert_eq!(found, [""; 0]);
}

/// Whether each text matches the pattern of the kind before it, as far as there is a
/// judge.
fn matches(cases: &[(&str, &str)]) -> Option<Vec<bool>> {
    let mut properties = serde_json::Map::new();
    for kind in text::KINDS.iter().chain(&cluster::KINDS) {
        properties.insert(kind.name.to_owned(), json!({"pattern": kind.pattern}));
    }
    let texts: Vec<Value> = cases.iter().map(|(name, text)| json!({*name: text})).collect();
    let said = judged(&json!({"properties": properties}), &texts)?;
    Some(said.iter().map(String::is_empty).collect())
}

#[test]
fn each_kinds_sample_matches_its_pattern() {
    let digest = "0".repeat(64);
    let kinds = || text::KINDS.iter().chain(&cluster::KINDS);
    let sample =
        |kind: &Kind| if kind.name == "sha256" { digest.clone() } else { kind.sample.to_owned() };
    let samples: Vec<String> = kinds().map(sample).collect();
    let cases: Vec<(&str, &str)> =
        kinds().zip(&samples).map(|(kind, sample)| (kind.name, sample.as_str())).collect();
    for (kind, sample) in kinds().zip(&samples) {
        assert_eq!((kind.check)(sample), Ok(()), "{}", kind.name);
    }
    if let Some(judged) = matches(&cases) {
        let wrong = cases.iter().zip(judged).filter(|(_, fits)| !fits);
        assert_eq!(wrong.count(), 0, "{cases:?}");
    }
}

#[test]
fn editors_and_we_judge_alike() {
    let mut cases: Vec<(&str, &str, bool)> = Vec::new();
    let long = "a".repeat(64);
    for (name, right, wrong) in [
        (
            "argument",
            vec!["v", "audit-log-maxage", "2x"],
            vec!["", "--v", "auditLog", "a_b", "a b"],
        ),
        (
            "endpoint",
            vec!["m:6443", "10.0.0.1:1", "k8s.site:65535"],
            vec!["", "m", "u:p@m:6443", "https://m:6443", ":6443", "-m:6443", "[::1]:6443", "m:x"],
        ),
        (
            "export-path",
            vec!["/a", "/a/b.c", "/..a"],
            vec!["", "/", "a", "/a/", "//a", "/../a", "/a b", "/a/.."],
        ),
        (
            "go-duration",
            vec!["0", "1h", "1.5h", "1h2m3s", "-1s", "300ms"],
            vec!["", "5", "1d", "s", "1 s"],
        ),
        (
            "host",
            vec!["a", "10.0.0.1", "fd00::1", "::1"],
            vec!["", "-a", "a b", "u@a", "a\nb", "10.0.0.1:123", "[fd00::1]"],
        ),
        ("interface", vec!["eth0", "ens.*", "a,b", "_a"], vec!["", "-a", "eth0;x", "a b"]),
        (
            "ip",
            vec!["10.0.0.1", "192.168.255.0"],
            vec![
                "",
                "10.0.0",
                "10.0.0.256",
                "10.0.0.1/24",
                "a",
                "10.0.0.01",
                "10.0.0.1.",
                "fd00::1",
                "::ffff:10.0.0.1",
            ],
        ),
        (
            "ipv4-network",
            vec!["10.0.0.0/8", "0.0.0.0/0", "10.244.0.0/32"],
            vec![
                "",
                "10.0.0.0",
                "10.0.0.0/33",
                "10.0.0/8",
                "256.0.0.0/8",
                "10.0.0.0/",
                "fd00::/8",
                "10.0.0.0.0/8",
                "10.0.0.0/255.0.0.0",
                "x",
            ],
        ),
        (
            "label-key",
            vec!["disk", "site.org/rack", "A_1.b"],
            vec!["", "-a", "a/b/c", "A.org/x", "a b", "/x", "x/", &long],
        ),
        ("label-value", vec!["", "ssd", "A.1"], vec!["-a", "a b", "a-", &long]),
        (
            "mirror-url",
            vec!["http://m/", "https://m:5000/v2/p"],
            vec!["", "m", "ftp://m", "https://u:p@m", "https://m/a b", "https://"],
        ),
        ("node-name", vec!["a", "a.b", "1-a"], vec!["", "A", "-a", "a-", "a..b", "a_b", &long]),
        (
            "registry-host",
            vec!["_default", "r:5000", "10.0.0.1"],
            vec!["", "../x", "a/b", "https://a", "a:port", "."],
        ),
        (
            "taint",
            vec!["gpu:NoExecute", "a.org/b=:PreferNoSchedule"],
            vec!["", "gpu", "gpu=yes", "gpu=yes:Never", "=x:NoSchedule", "a=b=c:NoSchedule"],
        ),
    ] {
        let check = FORMAT.kind(name).unwrap().check;
        for text in &right {
            assert_eq!(check(text), Ok(()), "{name} {text}");
        }
        for text in &wrong {
            assert!(check(text).is_err(), "{name} {text}");
        }
        cases.extend(right.into_iter().map(|text| (name, text, true)));
        cases.extend(wrong.into_iter().map(|text| (name, text, false)));
    }
    let texts: Vec<(&str, &str)> = cases.iter().map(|(name, text, _)| (*name, *text)).collect();
    for ((name, text, fits), judged) in cases.iter().zip(matches(&texts).unwrap_or_default()) {
        assert_eq!(judged, *fits, "{name} {text}");
    }
}

/// What no pattern can say: an editor takes it, and we say what is wrong.
#[test]
fn what_editors_cannot_know_is_told_by_us() {
    let mut cases = Vec::new();
    for (name, text, words) in [
        ("endpoint", "m:70000", "no HOST:PORT"),
        ("ipv4-network", "10.244.0.1/16", "write 10.244.0.0/16"),
        ("ip", "127.0.0.1", "a loopback address, which every machine has"),
        ("ip", "224.0.0.1", "an address of many"),
        ("label-key", "node-role.kubernetes.io/x", "kubectl label node"),
        ("label-key", "a..b/x", "no label's key"),
        ("registry-host", "a:70000", "no registry"),
    ] {
        let told = (FORMAT.kind(name).unwrap().check)(text).unwrap_err();
        assert!(told.contains(words), "{name} {text}: {told}");
        cases.push((name, text));
    }
    for ((name, text), fits) in cases.iter().zip(matches(&cases).unwrap_or_default()) {
        assert!(fits, "{name} {text}");
    }
}
