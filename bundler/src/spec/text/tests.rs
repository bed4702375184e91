//! Each kind of text: what is one, and what is none.

use super::*;

#[test]
fn each_sample_is_one() {
    for (format, sample, check) in KINDS.iter().chain(&OF_CLUSTER) {
        if *format != "sha256" {
            assert_eq!(check(sample), Ok(()), "{format}");
        }
    }
}

/// A text of a format that the table does not have would pass as anything.
#[test]
fn each_format_of_the_schema_has_its_row() {
    fn walk(schema: &serde_json::Value, found: &mut Vec<String>) {
        let is_text = schema["type"].to_string().contains("string") || schema["type"].is_null();
        found.extend(schema["format"].as_str().filter(|_| is_text).map(str::to_owned));
        let inner = schema.as_object().into_iter().flat_map(|map| map.values());
        for schema in inner.chain(schema.as_array().into_iter().flatten()) {
            walk(schema, found);
        }
    }
    let mut found = Vec::new();
    walk(schemars::schema_for!(super::super::Spec).as_value(), &mut found);
    assert!(found.iter().any(|format| format == "label-key"), "{found:?}");
    found.retain(|format| kind(format).is_none());
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_none_says_what_to_write() {
    let long = "a".repeat(300);
    let cases = [
        ("name", "My_X", "lower-case"),
        ("node-name", "My_X", "`My_X` is no node name"),
        ("node-name", "a\nb", "`a b` is no node name"),
        ("label-key", "node-role.kubernetes.io/x", "kubectl label node"),
        ("taint", "gpu", "no taint"),
        ("ip", "10.0.0", "such as 192.168.1.1"),
        ("ipv4-network", "10.244.0.1/16", "write 10.244.0.0/16"),
        ("ipv4-network", "fd00::/64", "of IPv6"),
        ("name", "", "lower-case"),
        ("name", "-x", "a letter or digit first"),
        ("id", "../../x", "use letters, digits"),
        ("id", long.as_str(), "at most 64"),
        ("family", "..", "a letter or digit first"),
        ("kubernetes-version", "v1.28.2", "write 1.28.2"),
        ("kubernetes-version", "1.28", "such as 1.28.2"),
        ("containerd-version", "1.6", "such as 1.6.25"),
        ("fetch-url", "ftp://example.com/", "write https:// or http:// or file://"),
        ("fetch-url", "example.com/x", "write https://"),
        ("fetch-url", "https://", "no URL"),
        ("location", "https://me:secret@example.com/k", "leave it out"),
        ("location", "", "beside the spec"),
        ("file", "https://example.com/x", "beside the spec"),
        ("mirror", "https://me@example.com", "`credentials`"),
        ("mirror", "file:///x", "write https:// or http://"),
        ("mirror", "https://example.com/?a", "without"),
        ("image", "Docker.io/UPPER", "reference"),
        ("image-prefix", "https://quay.io", "such as quay.io/calico"),
        ("registry", "https://docker.io", "such as docker.io"),
        ("registry", "quay.io/calico", "such as docker.io"),
        ("package", "vim => 8", "write `>=` instead"),
        ("package", "vim == 8", "write `=` instead"),
        ("package", "(", "write `tcpdump`"),
        ("sha256", "12", "64 lower-case hex"),
        ("reason", "true", "in words"),
        ("reason", "12", "in words"),
        ("network", "10.244.0.1/16", "write 10.244.0.0/16"),
        ("network", "2001:db8::1/64", "write 2001:db8::/64"),
        ("path", "a..b", "no path"),
        ("variable", "hunter2!", "never the value"),
    ];
    for (format, text, words) in cases {
        let error = check(format, text).unwrap_err();
        assert!(error.contains(words), "{format} {text}: {error}");
        assert!(!error.contains("secret") && !error.contains("hunter2"), "{error}");
    }
    let error = check("reason", &"x".repeat(200_000)).unwrap_err();
    assert!(error.len() < 200, "{}", error.len());
}

#[test]
fn what_is_one_passes() {
    for (format, text) in [
        ("id", "docker-ce_stable.9"),
        ("fetch-url", "https://dl.example.com/9/$basearch/os/"),
        ("fetch-url", "file:///srv/os/"),
        ("location", "keys/os.asc"),
        ("image-prefix", "docker.io"),
        ("image-prefix", "docker.io/calico/node:v3"),
        ("registry", "localhost:5000"),
        ("registry", "127.0.0.1:5000"),
        ("package", "kernel >= 5.14"),
        ("package", "/usr/bin/python3"),
        ("reason", "it is on the build host's own network"),
        ("network", "10.244.0.0/16"),
        ("network", "fd00::/8"),
        ("path", "metadata.annotations[\"example.com/key\"]"),
    ] {
        assert_eq!(check(format, text), Ok(()), "{format} {text}");
    }
}
