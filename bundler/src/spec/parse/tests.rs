//! What is refused, where, and what is read.

use super::*;
use crate::spec::Check;

const MINIMAL: &str = "\
name: demo
kubernetes: {version: 1.28.2}
targets:
- family: el9
  architecture: x86_64
  repositories:
  - id: os
    baseUrl: https://example.com/os/
    keys: [key.asc]
";

fn error(text: &str) -> String {
    SpecFile::parse("s.yaml".as_ref(), text.as_bytes().to_vec()).unwrap_err().to_string()
}

#[test]
fn a_minimal_spec_has_safe_defaults() {
    let file = SpecFile::parse("s.yaml".as_ref(), MINIMAL.into()).unwrap();
    let target = &file.spec.targets[0];
    let repository = &target.repositories[0];
    assert_eq!(target.id(), "el9-x86_64");
    assert_eq!((&repository.gpgcheck, &repository.repo_gpgcheck), (&Check::On, &Check::On));
    assert_eq!(repository.id.referenced.line(), 7);
    assert_eq!(file.digest, Digest::of(MINIMAL.as_bytes()));
}

#[test]
fn every_mistake_names_its_place_and_the_cure() {
    let cases = [
        (MINIMAL.replace("baseUrl", "baseurl"), "s.yaml:8:", "write `baseUrl` instead"),
        (
            MINIMAL.replace("id: os", "id: os\n    gpgcheck: false"),
            "s.yaml:8:",
            "{off: the reason}",
        ),
        (MINIMAL.replace("1.28.2", "1.28"), "s.yaml:2:", "such as 1.28.2"),
        (MINIMAL.replace("x86_64", "sparc"), "s.yaml:5:", "x86_64"),
        (format!("{MINIMAL}name: twice\n"), "s.yaml:10:", "duplicate"),
        (MINIMAL.replace("    keys: [key.asc]\n", ""), "s.yaml:7:", "`keys` is empty"),
        (
            MINIMAL.replace("id: os", "id: os\n    mirrorList: https://example.com/m"),
            "s.yaml:8:17:",
            "either `baseUrl` or `mirrorList`",
        ),
        (MINIMAL.replace("name: demo", "name: De Mo"), "s.yaml:1:7: name", "lower-case"),
        (
            MINIMAL.replace("{version: 1.28.2}", "{version: 1.28.2, repository: k8s}"),
            "s.yaml:2:43:",
            "not one of os",
        ),
        (
            format!("{MINIMAL}manifests: [{{name: a, file: a.yaml, sha256: 12}}]\n"),
            "s.yaml:10:",
            "64 lower-case hex",
        ),
        (MINIMAL.replace("id: os", "id: os\n    gpgcheck: {off: ''}"), "s.yaml:8:", "in words"),
        (
            format!("{MINIMAL}registries: {{x.io: {{}}, 'X.io:443': {{}}}}\n"),
            "s.yaml:10:",
            "is a host that `registries` has already: keep one",
        ),
    ];
    for (text, place, cure) in cases {
        let error = error(&text);
        assert!(error.contains(place) && error.contains(cure), "{place} {cure}:\n{error}");
    }
}

#[test]
fn the_clusters_own_keys_are_checked_as_the_cluster_file_is() {
    let of = |lines: &str| error(&format!("{MINIMAL}cluster:\n  {lines}\n"));
    for (lines, place, cure) in [
        ("podCidr: 10.0.0.1/8", "s.yaml:11:12: podCidr", "write 10.0.0.0/8"),
        ("podcidr: 10.0.0.0/8", "s.yaml:11:3:", "write `podCidr` instead"),
        ("proxyMode: none", "s.yaml:11:14:", "write `iptables` or `ipvs` or `nftables`"),
        ("nodes: [{name: A, address: 10.0.0.1}]", "s.yaml:11:18: name", "`A` is no node name"),
        ("nodes: [{name: a}]", "s.yaml:11:11:", "`address: 192.168.1.1` here"),
        ("registryMirrors: {docker.io: [m]}", "s.yaml:11:33:", "write https://HOST:PORT"),
        ("kubeadm: {apiServer: {--v: 4}}", "s.yaml:11:25:", "without dashes before"),
        ("podCidr: 10.96.0.0/16", "s.yaml:11:12: cluster:", "choose two networks that do not"),
        ("ingressNodes: []", "s.yaml:11:17: cluster:", "`ingress: false`"),
        ("skipManifests: [calico]", "s.yaml:11:19: cluster:", "not a manifest of this spec"),
    ] {
        let error = of(lines);
        assert!(error.contains(place) && error.contains(cure), "{place} {cure}:\n{error}");
    }
    let kubelet =
        "cluster: {kubelet: {logging: {a: [1, {b: 1.5}], c: ~}}, kubeadm: {scheduler: {v: 1.5}}}";
    SpecFile::parse("s.yaml".as_ref(), format!("{MINIMAL}{kubelet}\n").into()).unwrap();
}

#[test]
fn the_pool_is_the_clusters_network_of_pods() {
    let pool = "manifests:\n- name: a\n  file: a\n  patches:\n  - poolCidr: 10.9.0.0/16\n";
    let of = |cluster: &str| {
        SpecFile::parse("s.yaml".as_ref(), format!("{MINIMAL}{pool}{cluster}").into())
    };
    let error = of("cluster: {podCidr: 10.8.0.0/16}\n").unwrap_err().to_string();
    assert!(
        error.starts_with("s.yaml:14:15: manifest `a` gets the pool 10.9.0.0/16, but cluster.podCidr is 10.8.0.0/16"),
        "{error}"
    );
    let same = of("cluster: {podCidr: 10.9.0.0/16}\n").unwrap();
    let about_pools = |file: SpecFile| {
        let mut warnings = crate::spec::combination::check(&file.spec).warnings;
        warnings.retain(|warning| warning.contains("poolCidr"));
        warnings
    };
    assert_eq!(about_pools(same), [""; 0]);
    let warnings = about_pools(of("").unwrap());
    assert!(warnings[0].contains("add `cluster: {podCidr: 10.9.0.0/16}`"), "{warnings:?}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = MINIMAL.replace("name: demo", "name: De Mo").replace("    keys: [key.asc]\n", "");
    assert_eq!(error(&text).lines().count(), 2);
}

#[test]
fn mistakes_of_values_and_between_values_come_together() {
    let text = MINIMAL
        .replace("name: demo", "name: My_X\ncontainerd: {version: 1.6.20}")
        .replace("1.28.2", "1.36.0")
        .replace("https", "ftp");
    let error = error(&text);
    let starts: Vec<&str> = error
        .lines()
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(starts, ["s.yaml:1:7", "s.yaml:2:23", "s.yaml:9:14"], "{error}");
}

#[test]
fn who_has_no_spec_is_told_how_to_begin() {
    let error = SpecFile::read(std::path::Path::new("/nowhere/s.yaml")).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(error.to_string(), "cannot read the spec /nowhere/s.yaml");
    assert!(cause.contains("`bundler init`"), "{cause}");
}

#[test]
fn files_that_are_not_there_are_named_at_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.yaml");
    let text = format!(
        "{MINIMAL}  baseline: {{packages: nodes.txt}}\nregistries: {{x.io: {{ca: ca.pem}}}}\n\
         manifests: [{{name: a, file: .}}]\ninstallers: [{{architecture: x86_64, file: /nowhere/i}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    let error = SpecFile::read(&path).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    let folder = folder.path().display();
    for (line, words) in lines.iter().zip([
        format!("s.yaml:9:12: no such file: {folder}/key.asc"),
        format!("s.yaml:10:24: no such file: {folder}/nodes.txt"),
        format!("s.yaml:11:25: no such file: {folder}/ca.pem"),
        format!("s.yaml:12:29: {folder} is a folder"),
        "s.yaml:13:43: no such file: /nowhere/i".to_owned(),
    ]) {
        assert!(line.contains(&words), "{line} {words}");
    }
    assert_eq!(lines.len(), 5, "{error}");
}

#[test]
fn patches_know_where_they_stand() {
    let text =
        format!("{MINIMAL}manifests:\n- name: a\n  file: a\n  patches:\n  - pullPolicy: Never\n");
    let file = SpecFile::parse("s.yaml".as_ref(), text.into()).unwrap();
    let patch = &file.spec.manifests[0].value.patches[0];
    assert_eq!(patch.place.as_deref(), Some("s.yaml:14:5"));
}

#[test]
fn long_lines_are_not_echoed() {
    let long = "x".repeat(200_000);
    for text in [
        format!("{{name: [{long}"),
        MINIMAL.replace("demo", &long),
        MINIMAL.replace("id: os", &format!("{long}: os")),
        MINIMAL.replace("1.28.2", &long),
        MINIMAL.replace("x86_64", &long),
        MINIMAL.replace("https://", &long),
    ] {
        let error = error(&text);
        assert!(error.len() < 500, "{} bytes: {}", error.len(), &error[..300]);
    }
}

#[test]
fn marks_of_windows_are_read_over() {
    let text = format!("\u{feff}{}", MINIMAL.replace('\n', "\r\n"));
    assert!(SpecFile::parse("s.yaml".as_ref(), text.clone().into()).is_ok());
    let error = error(&text.replace("demo", "De_Mo"));
    assert!(error.starts_with("s.yaml:1:7: name: `De_Mo` is not a valid name"), "{error}");
}

#[test]
fn passwords_in_urls_are_refused_and_not_shown() {
    let text = MINIMAL.replace("https://", "https://me:hunter2@");
    let text = format!("{text}manifests: [{{name: a, url: 'https://hunter2@example.com/a'}}]\n");
    let error = error(&text);
    assert!(!error.contains("hunter2"), "{error}");
    assert_eq!(error.matches("leave it out").count(), 2, "{error}");
}

#[test]
fn secrets_in_urls_are_refused_and_not_shown() {
    for secret in [
        "?token=hunter2",
        "?access_token=hunter2&x=1",
        "?x=1&X-Amz-Signature=hunter2",
        "?sv=2022&sig=hunter2",
        "?private-token=hunter2",
        "?PASSWORD=hunter2",
        "?api_key=hunter2",
        "?x=0123456789hunter2abcdef",
        "?0123456789hunter2abcdef",
        "#token=hunter2",
    ] {
        let text = MINIMAL.replace("/os/", &format!("/os/{secret}"));
        let text = format!(
            "{text}manifests: [{{name: a, url: 'https://example.com/a{secret}'}}]\n\
             registries: {{r.io: {{mirrors: ['https://example.com/{secret}']}}}}\n"
        );
        let error = error(&text);
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(error.matches("looks like a secret").count(), 3, "{secret}: {error}");
    }
    let harmless = "name: a, url: 'https://example.com/a?ref=v1.28.2&file=calico-3.26.yaml'";
    let text = format!("{MINIMAL}manifests: [{{{harmless}}}]\n");
    assert!(SpecFile::parse("s.yaml".as_ref(), text.into_bytes()).is_ok());
    // Nor where it is no URL at all.
    for wrong in ["example.com/os/?token=hunter2", "me:hunter2@example.com/os/"] {
        let error = error(&MINIMAL.replace("https://example.com/os/", wrong));
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_url_names_no_host() {
    for wrong in ["file://srv/repo/", "file://../repo/", "file://./repo/", "file://~/repo/"] {
        let error = error(&MINIMAL.replace("https://example.com/os/", wrong));
        assert!(error.contains("write the whole path after `file://`"), "{wrong}: {error}");
        assert!(error.contains("file:///srv/repo/"), "{wrong}: {error}");
    }
    for right in ["file:///srv/my repo/", "file:///srv/my%20repo/", "file://localhost/srv/"] {
        let text = MINIMAL.replace("https://example.com/os/", right);
        assert!(SpecFile::parse("s.yaml".as_ref(), text.into_bytes()).is_ok(), "{right}");
    }
}

/// One value of each key.
const FULL: &str = "\
name: demo
kubernetes:
  version: 1.28.2
  imageRepository: r.io/k8s
  pullFrom: r.io/k8s
  kubeadmImages: known
  repository: os
containerd:
  version: 1.6.25
  package: containerd.io
  repository: os
targets:
- family: el9
  architecture: x86_64
  baseline:
    packages: nodes.txt
  repositories:
  - id: os
    baseUrl: https://example.com/os/
    keys: [key.asc]
    priority: 5
    gpgcheck: on
    repoGpgcheck:
      off: a test
    expiredKeys: refuse
    moduleHotfixes: true
    exclude: [a]
  packages: [b]
  exclude: [c]
images: [busybox]
imageSources:
- name: r.io
  pullFrom: r.io
manifests:
- name: a
  file: a.yaml
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  ignoreImages: [busybox]
  patches:
  - poolCidr: 10.0.0.0/8
  - pullPolicy: Never
  - hostNetwork:
      kind: Deployment
      name: a
  - set:
      kind: Deployment
      namespace: a
      name: a
      path: a.b
      value: 3
registries:
  r.io:
    mirrors: [https://example.com]
    ca: ca.pem
    credentials:
      userVariable: A
      passwordVariable: B
    plainHttp: a test
    tokenServer: auth.io
installers:
- architecture: x86_64
  file: installer
cluster:
  nodes:
  - name: a
    address: 192.168.0.2
    labels:
      disk: ssd
    taints: [a:NoSchedule]
    nfs:
      export: /srv/a
  podCidr: 10.0.0.0/8
  serviceCidr: 172.16.0.0/16
  endpoint: a:6443
  proxyMode: iptables
  cgroupDriver: systemd
  ntpServers: [a]
  firewall: leave
  selinux: leave
  kubelet:
    maxPods: 50
  kubeadm:
    apiServer:
      v: 4
  cniInterface: eth1
  registryMirrors:
    docker.io: [https://m]
  ingress: true
  ingressNodes: [a]
  skipManifests: [a]
";

/// Whatever serde refuses, the shape has refused before with better words.
#[test]
fn what_has_the_shape_is_read() {
    assert!(SpecFile::parse("s.yaml".as_ref(), FULL.into()).is_ok());
    let lines: Vec<&str> = FULL.lines().collect();
    let values = [
        "true",
        "yes",
        "1",
        "-1",
        "+5",
        "0x1F",
        "0o7",
        "1_0",
        "1.5",
        ".inf",
        "~",
        "",
        "''",
        "'x'",
        "x",
        "[]",
        "[1]",
        "[true]",
        "[~]",
        "[[]]",
        "[{}]",
        "{}",
        "{x: 1}",
        "!!str 1",
        "!!int x",
        "2024-01-01",
        "99999999999",
        "99999999999999999999",
        "True",
        "|\n        x",
    ];
    let mut refused = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(": ") else { continue };
        for value in values {
            let mut changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
            changed[index] = format!("{key}: {value}");
            let text = changed.join("\n");
            let Ok(Some(read)) = FORMAT.read::<Spec>(&text) else { continue };
            if FORMAT.check_shape(&read.root).is_empty() {
                refused.extend(
                    read.problems.iter().map(|one| format!("{key}: {value}: {}", one.message)),
                );
            }
        }
    }
    assert_eq!(refused, [] as [&str; 0]);
}

#[test]
fn bombs_and_garbage_are_errors() {
    let aliases = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let last = level - 1;
        format!("{text}a{level}: &a{level} [*a{last},*a{last},*a{last},*a{last}]\n")
    });
    for text in [aliases.as_str(), &"[".repeat(100_000), "\u{0}", "", "- a", "name: [", "%YAML"] {
        assert!(error(text).starts_with("s.yaml"), "{}", &text[..text.len().min(40)]);
    }
    assert!(SpecFile::parse("s.yaml".as_ref(), vec![0xff, 0xfe, 0xff]).is_err());
}

/// Whoever writes a password into the spec reads what is wrong, and does not find
/// the password in a log.
#[test]
fn no_error_repeats_a_password() {
    let of_repository = |text: &str| MINIMAL.replace("key.asc", text);
    for text in [
        of_repository("'https://u:HUNTER2@a.example.com/k'"),
        of_repository("'http://u:HUNTER2@a.example.com/k'"),
        of_repository("'https://a.example.com/k?token=HUNTER2'"),
        of_repository("'ftp://u:HUNTER2@a.example.com/k'"),
        of_repository("'u:HUNTER2@a.example.com/k://'"),
        MINIMAL.replace("https://example.com/os/", "https://u:HUNTER2@example.com/os/: x"),
        MINIMAL.replace("https://example.com/os/", "\"https://u:HUNTER2@example.com/os/\" x"),
        MINIMAL.replace("https://example.com/os/", "u:HUNTER2@example.com/os/: x"),
        MINIMAL.replace("https://example.com/os/", "{a: 'u:HUNTER2@example.com/os/'}"),
        MINIMAL.replace("el9", "u:HUNTER2@example.com"),
        MINIMAL.replace("x86_64", "u:HUNTER2@example.com"),
        MINIMAL.replace("1.28.2", "'u:HUNTER2@example.com'"),
        MINIMAL.replace("version: 1.28.2", "version: 1.28.2, pullFrom: 'u:HUNTER2@example.com/x'"),
        format!("{MINIMAL}images: ['u:HUNTER2@example.com/x:1']\n"),
        format!("{MINIMAL}images: ['https://u:HUNTER2@example.com/x:1']\n"),
        format!("{MINIMAL}images: ['u:HUN,HUNTER2@Example.com/x:1']\n"),
        format!("{MINIMAL}imageSources: [{{name: x, pullFrom: 'u:HUNTER2@example.com/x'}}]\n"),
        format!("{MINIMAL}manifests: [{{name: a, url: 'https://u:HUNTER2@example.com/x'}}]\n"),
        format!("{MINIMAL}manifests: [{{name: a, file: 'https://u:HUNTER2@example.com/x'}}]\n"),
        format!("{MINIMAL}registries: {{x.io: {{tokenServer: 'u:HUNTER2@example.com'}}}}\n"),
        format!("{MINIMAL}registries: {{x.io: {{mirrors: ['u:HUNTER2@example.com']}}}}\n"),
        format!("{MINIMAL}registries: {{x.io: {{mirrors: ['http://u:HUNTER2@example.com']}}}}\n"),
        format!("{MINIMAL}registries: {{'u:HUNTER2@example.com': {{}}}}\n"),
        format!("{MINIMAL}'https://u:HUNTER2@example.com': x\n"),
        format!("{MINIMAL}cluster: {{endpoint: 'u:HUNTER2@example.com', ntp: x}}\n"),
    ] {
        let error = error(&text);
        assert!(!error.contains("HUNTER2"), "{text}: {error}");
        assert!(error.starts_with("s.yaml:"), "{error}");
    }
}
