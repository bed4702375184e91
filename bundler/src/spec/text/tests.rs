//! Each kind of text: what is one, and what is none.

use super::*;

#[test]
fn each_sample_is_one() {
    for Kind { name, sample, check, .. } in KINDS {
        if *name != "sha256" {
            assert_eq!(check(sample), Ok(()), "{name}");
        }
    }
}

/// As the spec's reader has it.
fn check(format: &str, text: &str) -> Result<(), String> {
    (crate::spec::FORMAT.kind(format).unwrap().check)(text)
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
        ("ip", "fd00::1", "and clusters here use IPv4 only"),
        ("ipv4-network", "fd00::/64", "and clusters here use IPv4 only"),
        ("ipv4-network", "10.1.0.0/16,fd00::/64", "write one network, as in 10.1.0.0/16"),
        ("host", "10.0.0.1:123", "an address alone"),
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
        ("fetch-url", "https://", "not a URL"),
        ("location", "https://me:secret@example.com/k", "leave it out"),
        ("location", "", "beside the spec"),
        ("file", "https://example.com/x", "beside the spec"),
        ("mirror", "https://me@example.com", "`credentials`"),
        ("mirror", "file:///x", "write https:// or http://"),
        ("mirror", "https://example.com/?a", "without"),
        ("image", "Docker.io/UPPER", "reference"),
        ("image-prefix", "https://quay.io", "such as quay.io/calico"),
        ("signed-images", "https://quay.io", "such as quay.io/calico"),
        ("signed-images", "r.io/team/app:1", "write `r.io/team/app`, because later releases"),
        ("signed-images", "r.io:443/app@sha256:0", "no image's name begins with"),
        ("identity", "*@b.example", "`*` stands for any text only in a URI"),
        ("identity", "*", "`*` stands for any text only in a URI"),
        ("identity", "nobody", "is not an identity"),
        ("registry", "https://docker.io", "such as docker.io"),
        ("registry", "quay.io/calico", "such as docker.io"),
        ("package", "vim => 8", "write `>=` instead"),
        ("package", "vim == 8", "write `=` instead"),
        ("package", "(", "write `tcpdump`"),
        ("sha256", "12", "64 lower-case hex"),
        ("reason", "true", "in words"),
        ("reason", "12", "in words"),
        ("network", "10.244.0.1/16", "write 10.244.0.0/16"),
        ("network", "fd00::/8", "and clusters here use IPv4 only"),
        ("path", "a..b", "not a path"),
        ("variable", "hunter2!", "never the value"),
    ];
    for (format, text, words) in cases {
        let error = check(format, text).unwrap_err();
        assert!(error.contains(words), "{format} {text}: {error}");
        assert!(!error.contains("secret") && !error.contains("hunter2"), "{error}");
    }
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
        ("signed-images", "docker.io"),
        ("signed-images", "localhost:5000"),
        ("signed-images", "localhost:5000/team/"),
        ("registry", "localhost:5000"),
        ("registry", "127.0.0.1:5000"),
        ("package", "kernel >= 5.14"),
        ("package", "/usr/bin/python3"),
        ("reason", "it is on the build host's own network"),
        ("network", "10.244.0.0/16"),
        ("path", "metadata.annotations[\"example.com/key\"]"),
    ] {
        assert_eq!(check(format, text), Ok(()), "{format} {text}");
    }
}
