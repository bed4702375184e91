//! Every kind of mistake, each with its place and what to write.

use bundle_format::yaml;

use crate::spec::FORMAT;

/// The mistakes in a spec, as `line:column: words`.
fn problems(text: &str) -> Vec<String> {
    let mut found = FORMAT.check_shape(&yaml::parse(text, "spec").unwrap().unwrap());
    found.sort();
    found.iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()
}

const HEAD: &str = "name: demo\nkubernetes: {version: 1.28.2}\n";
const TARGETS: &str = "targets: [{family: el9, architecture: x86_64, repositories: []}]\n";

fn of_repository(lines: &str) -> Vec<String> {
    problems(&format!(
        "{HEAD}targets:\n- family: el9\n  architecture: x86_64\n  repositories:\n  - id: os\n    {lines}\n"
    ))
}

fn of_patch(patch: &str) -> Vec<String> {
    problems(&format!("{HEAD}{TARGETS}manifests:\n- name: a\n  patches:\n  - {patch}\n"))
}

#[test]
fn wrong_values_of_repositories() {
    let cases = [
        (
            "keys: http://x",
            "8:11: `keys` cannot be `http://x`: write a list such as `[http://x]` instead",
        ),
        (
            "priority: high",
            "8:15: `priority` cannot be `high`: write a whole number such as 99 instead",
        ),
        (
            "priority: -1",
            "8:15: `priority` cannot be `-1`: write a whole number such as 99 instead",
        ),
        (
            "gpgcheck: off",
            "8:15: `gpgcheck` cannot be `off`: write `on` or `{off: the reason}` instead",
        ),
        (
            "gpgcheck: false",
            "8:15: `gpgcheck` cannot be `false`: write `on` or `{off: the reason}` instead",
        ),
        (
            "expiredKeys: allow",
            "8:18: `expiredKeys` cannot be `allow`: write `refuse` or `{allow: the reason}` instead",
        ),
        (
            "gpgcheck: {off: true}",
            "8:21: off: a reason must be given in words: write why, as a sentence",
        ),
        (
            "moduleHotfixes: \"yes\"",
            "8:21: `moduleHotfixes` cannot be the text \"yes\": write `true` or `false` instead",
        ),
        (
            "moduleHotfixes: yes",
            "8:21: `moduleHotfixes` cannot be `yes`: write `true` or `false` instead",
        ),
        (
            "exclude:",
            "8:12: `exclude` has no value: write a list such as `[…]`, or leave it out if it is not needed",
        ),
        (
            "baseUrl: ftp://x/",
            "8:14: baseUrl: `ftp://x/` cannot be read: write https:// or http:// or file://",
        ),
        (
            "baseUrl: {a: b}",
            "8:14: `baseUrl` cannot be keys with values: write `https://example.com/` instead",
        ),
        (
            "keys: [true]",
            "8:12: `keys` cannot be `true`: write `https://example.com/key.asc` or, in quotes, `\"true\"` instead",
        ),
        ("idd: x", "8:5: unknown field `idd`: did you mean `id`?"),
        ("id: x", "8:5: duplicate key `id`: line 7 has it already; keep one of them"),
    ];
    for (line, expected) in cases {
        assert_eq!(of_repository(line), [expected], "{line}");
    }
}

#[test]
fn wrong_values_of_patches() {
    let value = "write `true` or `false` or a whole number or a text";
    let cases = [
        ("hostNetwork: true", "7:18: `hostNetwork` cannot be `true`: write `{kind: …, name: …}` instead".to_owned()),
        ("poolCidr: 10.244.0.1/16", "7:15: poolCidr: `10.244.0.1/16` is an address in a network: write 10.244.0.0/16".to_owned()),
        ("pullPolicy: never", "7:17: `pullPolicy` cannot be `never`: write `Never` instead".to_owned()),
        ("set: {kind: A, name: a, path: a, value: [1]}", format!("7:45: `value` cannot be a list: {value} instead")),
        ("set: {kind: A, name: a, path: a, value: 1.5}", format!("7:45: `value` cannot be `1.5`: {value} or, in quotes, `\"1.5\"` instead")),
        ("set: {kind: A, name: a, path: a, value: ~}", "7:45: `value` has no value: write `true` or `false` or a whole number or a text, or leave it out if it is not needed".to_owned()),
        ("set: {kind: A, name: a, path: a..b, value: 1}", "7:35: path: `a..b` is not a path: write one such as spec.template.spec.containers[0].args[2]".to_owned()),
        ("hostnetwork: {kind: A, name: a}", "7:5: unknown field `hostnetwork`: write `hostNetwork` instead".to_owned()),
        ("{poolCidr: 10.0.0.0/8, pullPolicy: Never}", "7:5: patches: give one of hostNetwork, poolCidr, pullPolicy, imageRewrite, set in each, not 2".to_owned()),
    ];
    for (patch, expected) in cases {
        assert_eq!(of_patch(patch), [expected], "{patch}");
    }
}

#[test]
fn independent_mistakes_come_together() {
    let text = "nam: My_X\nkubernetes: {version: 1.28}\ncontainerd: {version: 1.6}\ntargets:\n- family: el9\n  architecture: amd64\n  repositories:\n  - idd: os\n";
    assert_eq!(
        problems(text),
        [
            "1:1: unknown field `nam`: did you mean `name`?",
            "2:23: version: `1.28` is not an exact version: write all three numbers, such as 1.28.2",
            "3:23: version: `1.6` is not an exact version: write all three numbers, such as 1.6.25",
            "6:17: `architecture` cannot be `amd64`: write `x86_64` or `aarch64` instead",
            "8:5: unknown field `idd`: did you mean `id`?",
        ]
    );
}

#[test]
fn registries_reasons_and_missing_keys() {
    let cases = [
        (
            "registries: {https://x: {}}",
            "4:14: `https://x` is not a registry: write its name as in images, such as docker.io or localhost:5000",
        ),
        (
            "registries: {x.io: {plainHttp: true}}",
            "4:32: plainHttp: a reason must be given in words: write why, as a sentence",
        ),
        (
            "registries: {x.io: {mirrors: [ftp://y]}}",
            "4:31: mirrors: `ftp://y` cannot be read: write https:// or http://",
        ),
        (
            "imageSources: [{name: docker.io/calico}]",
            "4:16: `pullFrom` is missing: write `pullFrom: quay.io/calico` here",
        ),
        (
            "images: {a: b}",
            "4:9: `images` cannot be keys with values: write a list such as `[docker.io/library/busybox:1.36]` instead",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(problems(&format!("{HEAD}{TARGETS}{line}\n")), [expected], "{line}");
    }
    let line = "registries: {x.io: {credentials: {user: a, password: b}}}";
    let found = problems(&format!("{HEAD}{TARGETS}{line}\n")).join("\n");
    assert!(found.contains("passwordVariable: REGISTRY_PASSWORD"), "{found}");
}

#[test]
fn anchors_and_merges_are_seen_through() {
    let text = format!(
        "{HEAD}targets:\n- &a\n  family: el9\n  architecture: x86_64\n  repositories: &r []\n- <<: *a\n  family: el8\n  exclude: *r\n"
    );
    assert_eq!(problems(&text), [] as [&str; 0]);
}
