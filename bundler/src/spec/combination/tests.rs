use super::*;

/// The findings of a spec, and those of its image.
fn findings(family: &str, kubernetes: &str, containerd: &str, more: &str, image: &str) -> Findings {
    let text = format!(
        "name: x\nkubernetes: {{version: {kubernetes}}}\n\
         containerd: {{version: {containerd}}}\n{more}\n\
         targets:\n- family: {family}\n  architecture: x86_64\n  repositories:\n  \
         - {{id: os, baseUrl: 'https://example.com/', keys: [key.asc]}}\n"
    );
    let spec: Spec = serde_saphyr::from_str(&text).unwrap();
    let mut findings = check(&spec);
    findings.warnings.extend(check_image(&spec, &image.parse().unwrap()).warnings);
    findings
}

/// That there are as many texts as words, and that each text has its word.
fn hold(texts: &[String], words: &[&str], case: &str) {
    assert_eq!(texts.len(), words.len(), "{case}: {texts:#?}");
    for (text, word) in texts.iter().zip(words) {
        assert!(text.contains(word), "{case}: `{word}` is not in {text}");
    }
}

const PLAIN: &str = "docker.io/library/busybox";

#[test]
fn each_family_is_held_to_its_kernel_and_control_groups() {
    let accepts = "cluster: {kubelet: {failCgroupV1: false}}";
    for (family, kubernetes, containerd, more, refused, warned) in [
        ("el7", "1.32.0", "1.7.24", "", &["before 4.19"][..], &[][..]),
        ("el8", "1.33.1", "1.7.24", "", &["before 4.19"], &[]),
        ("el8", "1.34.1", "1.7.28", "", &[], &["warns about kernels"]),
        ("el7", "1.35.0", "2.3.4", "", &["cgroup v1"], &[]),
        ("el8", "1.35.0", "2.3.4", "", &["failCgroupV1: false}}`"], &[]),
        ("el8", "1.37.2", "2.3.4", accepts, &[], &["only because of failCgroupV1"]),
        ("el9", "1.37.2", "2.3.4", "", &[], &[]),
        ("el10", "1.37.2", "2.3.4", "", &[], &["need kernel-modules-extra of exactly"]),
        ("rhel9.4", "1.37.2", "2.3.4", "", &[], &["write `el9`"]),
        ("rocky10.1", "1.37.2", "2.3.4", "", &[], &["write `el10`"]),
        ("openEuler22.03", "1.37.2", "2.3.4", "", &[], &["el7, el8, el9, el10 have one"]),
    ] {
        let case = format!("{family} {kubernetes}");
        let mut found = findings(family, kubernetes, containerd, more, PLAIN);
        // Not what this test is about.
        found.warnings.retain(|warning| !warning.contains("gets no more patches"));
        hold(&found.refused, refused, &case);
        hold(&found.warnings, warned, &case);
    }
}

#[test]
fn a_family_whose_modules_are_a_package_of_their_own_needs_its_nodes_kernel() {
    let with = |lines: &str| {
        let text = format!(
            "name: x\nkubernetes: {{version: 1.37.2}}\ntargets:\n- family: el10\n  \
             architecture: x86_64\n{lines}  repositories:\n  \
             - {{id: os, baseUrl: 'https://example.com/', keys: [key.asc]}}\n"
        );
        check(&serde_saphyr::from_str(&text).unwrap()).warnings.len()
    };
    for (lines, count) in [
        ("", 1),
        ("  baseline: none\n", 1),
        ("  packages: [kernel-modules-extra-matched]\n", 1),
        ("  packages: ['kernel-modules-extra = 6.12.0-124.8.1.el10_1']\n", 0),
        ("  packages: [kernel-modules-extra-6.12.0]\n", 0),
        ("  packages: [{package: kernel-modules-extra, repository: os}]\n", 0),
        // `lock` reads the list, and warns if it has no kernel.
        ("  baseline: {packages: node.list}\n", 0),
    ] {
        assert_eq!(with(lines), count, "{lines}");
    }
}

#[test]
fn an_ended_release_is_a_warning_and_an_unknown_one_too() {
    let of = |version: &str, containerd| findings("el9", version, containerd, "", PLAIN).warnings;
    hold(&of("1.27.16", "2.3.4"), &["Kubernetes 1.27 gets no more patches: for a"], "1.27");
    hold(
        &of("1.34.4", "2.3.4"),
        &["patches since October 2026: for a new cluster, use 1.35"],
        "1.34",
    );
    for known in ["1.35.0", "1.36.3", "1.37.2"] {
        hold(&of(known, "2.3.4"), &[], known);
    }
    for unknown in ["1.38.0", "1.38.0-rc.0", "1.41.0"] {
        hold(
            &of(unknown, "2.3.4"),
            &["check in its release notes which containerd, kernel"],
            unknown,
        );
    }
}

#[test]
fn containerd_fits_kubernetes_and_gets_patches() {
    for (kubernetes, containerd, refused, warned) in [
        ("1.37.2", "2.3.4", &[][..], &[][..]),
        ("1.37.2", "2.4.2", &[], &[]),
        ("1.35.4", "1.6.39", &[], &["1.6 gets no more patches since August 2025", "1.7.28, 2.1.5"]),
        ("1.35.4", "1.7.28", &[], &["1.7 gets no more patches since September 2026"]),
        ("1.35.4", "2.1.5", &[], &["2.1 gets no more patches since July 2026"]),
        ("1.35.4", "2.1.4", &[], &["since July 2026", "2.2.0 or a later one of the same series"]),
        (
            "1.35.4",
            "2.0.10",
            &[],
            &["2.0 gets no more patches since November 2025", "2.1.5, 2.2.0"],
        ),
        ("1.36.3", "2.1.9", &[], &["since July 2026", "for Kubernetes 1.36, release 2.2.0, 2.3.0"]),
        ("1.36.3", "2.2.5", &[], &["2.2 gets no more patches since November 2026"]),
        ("1.36.3", "1.7.33", &["needs containerd 2.x"], &["since September 2026"]),
        ("1.38.0", "2.1.9", &[], &["does not know Kubernetes 1.38", "since July", "release 2.2.0"]),
    ] {
        let case = format!("{kubernetes} {containerd}");
        let found = findings("el9", kubernetes, containerd, "", PLAIN);
        hold(&found.refused, refused, &case);
        hold(&found.warnings, warned, &case);
    }
    let old = findings("el9", "1.20.2", "1.4.1", "", PLAIN).warnings;
    hold(&old, &["Kubernetes 1.20 gets", "containerd 1.4 gets no more patches: for a"], "1.4");
}

#[test]
fn an_add_on_fits_kubernetes_and_the_kernel() {
    let calico = |version: &str| format!("quay.io/calico/node:v{version}");
    let ingress = |version: &str| format!("registry.k8s.io/ingress-nginx/controller:v{version}");
    for (family, kubernetes, image, warned) in [
        ("el7", "1.28.2", calico("3.26.4"), &[][..]),
        ("el7", "1.30.0", calico("3.29.1"), &["kernel 3.10"]),
        ("el9", "1.34.0", calico("3.26.4"), &["1.24 to 1.28"]),
        ("el9", "1.35.0", calico("3.31.7"), &[]),
        ("el9", "1.37.2", calico("3.32.1"), &["1.34 to 1.36, but the spec says 1.37"]),
        ("el9", "1.37.2", calico("3.33.0"), &[]),
        ("el9", "1.35.0", "docker.io/calico/node:v3.31.7".to_owned(), &["on quay.io since 3.31"]),
        ("el9", "1.30.0", "docker.io/calico/node:v3.28.5".to_owned(), &[]),
        ("el9", "1.28.2", ingress("1.9.3"), &["open to CVE-2025-1974"]),
        ("el9", "1.30.2", ingress("1.12.8"), &["1.12.8 lacks the fixes of 1.13.9"]),
        ("el9", "1.31.0", ingress("1.15.0"), &["is older than 1.15.1"]),
        ("el9", "1.35.0", ingress("1.15.1"), &["1.15.1 gets no more fixes"]),
        ("el9", "1.37.2", ingress("1.15.1"), &["1.31 to 1.35", "gets no more fixes"]),
    ] {
        let case = format!("{family} {kubernetes} {image}");
        let mut found = findings(family, kubernetes, "2.3.4", "", &image);
        found.warnings.retain(|warning| !warning.starts_with("Kubernetes 1."));
        hold(&found.refused, &[], &case);
        hold(&found.warnings, warned, &case);
    }
}

#[test]
fn a_proxy_mode_needs_its_release_and_kernel() {
    for (mode, family, kubernetes, refused, warned) in [
        ("nftables", "el9", "1.28.2", &["does not have proxyMode nftables"][..], &[][..]),
        ("nftables", "el9", "1.30.0", &["or only with a feature gate"], &[]),
        ("nftables", "el9", "1.31.0", &[], &[]),
        ("nftables", "el10", "1.37.2", &[], &[]),
        ("nftables", "el8", "1.31.0", &["needs kernel 5.13, and el8 has"], &[]),
        ("nftables", "el7", "1.31.0", &["needs kernel 5.13, and el7 has"], &[]),
        ("ipvs", "el8", "1.31.0", &[], &[]),
        ("ipvs", "el9", "1.34.0", &[], &[]),
        ("ipvs", "el9", "1.35.0", &[], &["it still works in 1.35, is to be off in 1.40"]),
        ("ipvs", "el10", "1.37.2", &[], &["gone in 1.43; use `nftables`"]),
        ("iptables", "el9", "1.35.0", &[], &[]),
        ("iptables", "el10", "1.37.2", &[], &[]),
    ] {
        let case = format!("{mode} {family} {kubernetes}");
        let more = format!("cluster: {{proxyMode: {mode}}}");
        let mut found = findings(family, kubernetes, "2.3.4", &more, PLAIN);
        found.warnings.retain(|warning| warning.contains("proxyMode"));
        hold(&found.refused, refused, &case);
        hold(&found.warnings, warned, &case);
    }
}
