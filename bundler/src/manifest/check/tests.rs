//! What is said of manifests that a cluster would refuse.

use super::*;
use crate::libyaml::document;

fn problems_of(texts: &[(&str, &str)], minor: u32, provided: &Provided) -> Vec<String> {
    let files: Vec<File> =
        texts.iter().map(|(name, text)| document::read(name, text).unwrap()).collect();
    let subjects: Vec<Subject<'_>> =
        texts.iter().zip(&files).map(|((name, _), file)| Subject { name, file }).collect();
    problems(&subjects, minor, provided)
}

fn of(text: &str) -> Vec<String> {
    problems_of(&[("a", text)], 28, &Provided::default())
}

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: \
                   {name: issuers.x.io}\nspec:\n  group: x.io\n  scope: Namespaced\n  names: {kind: \
                   Issuer, plural: issuers}\n  versions:\n  - {name: v1, served: true, storage: \
                   true, schema: {openAPIV3Schema: {type: object}}}\n  - {name: v0, served: false, \
                   storage: false, schema: {openAPIV3Schema: {type: object}}}\n";
const ISSUER: &str = "apiVersion: x.io/v1\nkind: Issuer\nmetadata: {name: i, namespace: default}\n";

#[test]
fn what_cannot_be_applied_is_said_with_what_to_do() {
    for (text, place, words) in [
        ("kind: Pod\nmetadata: {name: a}\n", "a:1: ", "has no apiVersion"),
        ("# c\n---\na: 1\n", "a:3: ", "no apiVersion and no kind"),
        ("{\"message\": \"Not Found\"}", "a:1: ", "Not Found"),
        ("404: Not Found\n", "a:1: ", "404 Not Found"),
        ("Not Found\n", "a:1: ", "browser"),
        ("# nothing\n", "a:1: ", "no object"),
        ("- apiVersion: v1\n  kind: Pod\n", "a:1: ", "this is a list"),
        ("resources: [a.yaml]\n", "a:1: ", "kustomize build"),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n",
            "a:1: ",
            "kustomize build",
        ),
        ("services: {web: {image: nginx}}\n", "a:1: ", "Compose"),
        ("apiVersion: v2\nname: a\nversion: 1.0.0\n", "a:1: ", "helm template"),
        ("replicaCount: 1\nimage: {repository: nginx}\n", "a:1: ", "helm template"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .x }}}\n", "a:3: ", "helm template"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .x }}'}\n",
            "a:1: ",
            "helm template",
        ),
        ("apiVersion: v1\nkind: Status\nmessage: unauthorized\n", "a:1: ", "unauthorized"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n",
            "a:1: ",
            "generateName",
        ),
        ("apiVersion: v1\nkind: ConfigMap\n", "a:1: ", "no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", "a:1: ", "put it in quotes"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n",
            "a:1: ",
            "metadata.namespace is false",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {b/c: yes}}\n",
            "a:1: ",
            "metadata.annotations[b/c] is true",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: b, \
             env: [{name: E, value: 1}]}]}\n",
            "a:1: ",
            "spec.containers[0].env[0].value is 1",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\n",
            "a:1: ",
            "kind: Namespace",
        ),
        (ISSUER, "a:1: Issuer default/i: ", "`Issuer.x.io` under `provided.kinds`"),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: \
             {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {}}}\n",
            "a:1: ",
            "spec.template.spec.containers",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n",
            "a:1: ",
            "container c names no image",
        ),
        (
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret}\n",
            "a:4: ",
            "no metadata.name",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n...\na: 1\n",
            "a:5: ",
            "ignores everything",
        ),
        ("apiVersion: v1\nkind: List\nitems:\n", "a:1: ", "has no items"),
        ("apiVersion: v1\nkind: List\n", "a:1: ", "has no items"),
        ("apiVersion: v1\nkind: List\nitems: {}\n", "a:1: ", "has no items"),
        ("apiVersion: v1\nkind: ConfigMapList\nitems: null\n", "a:1: ", "has no items"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "a:1: ", "no object"),
    ] {
        let found = of(text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(found[0].starts_with(&format!("manifest {place}")), "{}", found[0]);
        assert!(found[0].contains(words), "{text}: {}", found[0]);
    }
}

#[test]
fn definitions_count_from_where_they_stand() {
    let provided = Provided::default();
    let both = format!("{ISSUER}---\n{CRD}");
    assert_eq!(of(&both), [""; 0], "one file is applied in two passes");
    assert_eq!(problems_of(&[("a", CRD), ("b", ISSUER)], 28, &provided), [""; 0]);
    let late = problems_of(&[("b", ISSUER), ("a", CRD)], 28, &provided);
    assert!(late[0].contains("write a before this one"), "{late:?}");
    let old = problems_of(&[("a", CRD), ("b", &ISSUER.replace("v1", "v0"))], 28, &provided);
    assert!(old[0].contains("serves x.io/v1, but not v0"), "{old:?}");
    let near = problems_of(&[("a", CRD), ("b", &ISSUER.replace("Issuer", "Isuer"))], 28, &provided);
    assert!(near[0].contains("did you mean Issuer?"), "{near:?}");
    let name = of(&CRD.replace("issuers.x.io", "issuer.x.io"));
    assert!(name[0].contains("must be issuers.x.io"), "{name:?}");
    let named = Provided { kinds: ["Issuer.x.io".to_owned()].into(), ..Provided::default() };
    assert_eq!(problems_of(&[("b", ISSUER)], 28, &named), [""; 0]);
    let rest = Provided { is_incomplete: true, ..Provided::default() };
    assert_eq!(problems_of(&[("b", ISSUER)], 28, &rest), [""; 0], "it may be in what is missing");
}

#[test]
fn namespaces_count_from_where_they_stand() {
    let provided = Provided::default();
    let own = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n";
    assert_eq!(of(&format!("{own}---\n{namespace}")), [""; 0]);
    assert_eq!(problems_of(&[("a", namespace), ("b", own)], 28, &provided), [""; 0]);
    let late = problems_of(&[("b", own), ("a", namespace)], 28, &provided);
    assert!(late[0].contains("write a before this one"), "{late:?}");
    let named = Provided { namespaces: ["ns".to_owned()].into(), ..Provided::default() };
    assert_eq!(problems_of(&[("b", own)], 28, &named), [""; 0]);
    let cluster = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: ns}\n";
    assert_eq!(of(cluster), [""; 0], "such an object is in no namespace");
}

#[test]
fn objects_that_come_twice_are_the_same() {
    let own = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    assert_eq!(of(&format!("{own}---\n{own}")), [""; 0]);
    let found = of(&format!("{own}---\n{own}data: {{a: Yg==}}\n"));
    assert!(found[0].starts_with("manifest a:5: Secret a: it is also at a:1, with"), "{found:?}");
}

#[test]
fn texts_and_names_have_their_form() {
    let long = "a".repeat(64);
    let map = "apiVersion: v1\nkind: ConfigMap\n";
    let service = "apiVersion: v1\nkind: Service\n";
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nprovisioner: a\n";
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n";
    let pod = |rest: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{{rest}, containers: [{{name: \
             c, image: b}}]}}\n"
        )
    };
    let job = |rest: &str| {
        format!(
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: a}}\nspec: {{jobTemplate: \
             {{spec: {{template: {{metadata: {{{rest}}}, spec: {{containers: [{{name: c, image: \
             b}}]}}}}}}}}}}\n"
        )
    };
    for (text, words) in [
        (format!("{map}metadata: {{name: a}}\ndata: {{b: 1}}\n"), "data[b] is 1, "),
        (format!("{map}metadata: {{name: a}}\ndata: {{b: yes}}\n"), "data[b] is true"),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {b: 2}\n".to_owned(),
            "stringData[b] is 2",
        ),
        (
            job("labels: {v: 1.20}"),
            "spec.jobTemplate.spec.template.metadata.labels[v] is 1.2, which is not a text",
        ),
        (job("annotations: {v: true}"), "template.metadata.annotations[v] is true"),
        (job("labels: {v: a b}"), "template.metadata.labels[v] is `a b`"),
        (pod("nodeSelector: {disk: true}"), "spec.nodeSelector[disk] is true"),
        (
            pod(
                "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: \
                 h, labelSelector: {matchLabels: {a: 1}}}]}}",
            ),
            "[0].labelSelector.matchLabels[a] is 1",
        ),
        (
            format!("{service}metadata: {{name: a}}\nspec: {{selector: {{a: 1}}}}\n"),
            "selector[a] is 1",
        ),
        (format!("{class}metadata: {{name: a}}\nparameters: {{m: 3}}\n"), "parameters[m] is 3"),
        (format!("{map}metadata: {{name: My_Map}}\n"), "`My_Map` is not a name"),
        (format!("{map}metadata: {{name: a..b}}\n"), "`a..b` is not a name"),
        (format!("{map}metadata: {{name: a-}}\n"), "`a-` is not a name"),
        (format!("{map}metadata: {{name: {}}}\n", long.repeat(4)), "is not a name"),
        (format!("{service}metadata: {{name: a.b}}\n"), "for a Service"),
        (format!("{service}metadata: {{name: 1a}}\n"), "a letter first"),
        (format!("{service}metadata: {{name: {long}}}\n"), "up to 63"),
        (
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {long}}}\n"),
            "for a Namespace",
        ),
        (format!("{role}metadata: {{name: a/b}}\n"), "without `/`"),
        (format!("{map}metadata: {{name: a, labels: {{b: {long}}}}}\n"), "labels[b] is `aaa"),
        (format!("{map}metadata: {{name: a, labels: {{b: a/b}}}}\n"), "not a label's value"),
        (format!("{map}metadata: {{name: a, labels: {{a/b/c: a}}}}\n"), "because of its key"),
        (format!("{map}metadata: {{name: a, resourceVersion: '1'}}\n"), "metadata.resourceVersion"),
        (format!("{map}metadata: {{name: a, uid: 1-2}}\n"), "metadata.uid"),
    ] {
        let found = of(&text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(found[0].contains(words), "{text}: {}", found[0]);
    }
    for text in [
        format!("{map}metadata: {{name: a.b-1, labels: {{b: '', c.d/e: A_b.c-1}}}}\ndata: {{c: null}}\n"),
        format!("{map}metadata: {{name: 1.2, uid: '', resourceVersion: null}}\n").replace("1.2", "'1.2'"),
        format!("{map}metadata: {{name: {}}}\n", "a".repeat(253)),
        format!("{role}metadata: {{name: 'system:Foo_{long}'}}\n"),
        format!("{service}metadata: {{name: a-1}}\nspec: {{ports: [{{port: 80}}]}}\n"),
        pod("nodeSelector: {kubernetes.io/os: linux}, priority: 1"),
        ISSUER.replace("{name: i,", "{name: I_i,") + "spec: {nodeSelector: {a: true}}\n---\n" + CRD,
        CRD.replace(
            "{type: object}",
            "{type: object, properties: {spec: {type: object, properties: {nodeSelector: {nullable: \
             true}, matchLabels: {nullable: true}}}}}",
        ),
    ] {
        assert_eq!(of(&text), [""; 0], "{text}");
    }
}

#[test]
fn what_is_refused_for_a_missing_part_is_said() {
    let secret = |data: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{b: {data}}}\n")
    };
    let web = |kind: &str, selector: &str| {
        format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{{selector}template: \
             {{metadata: {{labels: {{a: b, c: d}}}}, spec: {{containers: [{{name: c, image: b}}]}}}}}}\n"
        )
    };
    for (text, words) in [
        (secret("plain text"), "data[b] is not base64"),
        (secret("YQ"), "data[b] is not base64"),
        (web("Deployment", ""), "no spec.selector"),
        (web("DaemonSet", ""), "no spec.selector"),
        (web("StatefulSet", "selector: {}, "), "no spec.selector"),
        (
            web("Deployment", "selector: {matchLabels: {a: x}}, "),
            "matchLabels[a] is not a label of",
        ),
        (CRD.replace("  scope: Namespaced\n", ""), "no spec.scope"),
        (CRD.replace("Namespaced", "Namespace"), "spec.scope is Namespace: "),
        (
            CRD.replace(", schema: {openAPIV3Schema: {type: object}}", ""),
            "version v1 has no schema",
        ),
        (CRD.replace("storage: true", "storage: false"), "none of its versions is stored"),
        (CRD.replace("storage: false", "storage: true"), "v1, v0 are all stored"),
    ] {
        let found = of(&text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(found[0].contains(words), "{text}: {}", found[0]);
    }
    for text in [
        secret("''"),
        secret("null"),
        secret("YR=="),
        secret("\"YWJj\\nZGU=\\n\""),
        web("Deployment", "selector: {matchLabels: {a: b}}, "),
        web("Deployment", "selector: {matchExpressions: [{key: a, operator: Exists}]}, "),
        CRD.to_owned(),
    ] {
        assert_eq!(of(&text), [""; 0], "{text}");
    }
    let old = "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: \
               {template: {spec: {containers: [{name: c, image: b}]}}}\n";
    assert_eq!(problems_of(&[("a", old)], 15, &Provided::default()), [""; 0]);
}

#[test]
fn hooks_that_are_for_no_installation_are_refused() {
    let job = |hooks: &str| {
        of(&format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a, annotations: {{helm.sh/hook: \
             '{hooks}'}}}}\nspec: {{template: {{spec: {{containers: [{{name: c, image: b}}]}}}}}}\n"
        ))
    };
    for (hooks, words) in [
        ("pre-delete", "when a chart is uninstalled"),
        ("post-delete", "when a chart is uninstalled"),
        ("pre-upgrade, pre-rollback", "`helm.sh/hook: pre-rollback`"),
        ("post-rollback", "rolled back"),
        ("test", "to test a chart"),
        ("test-success", "--no-hooks"),
    ] {
        let found = job(hooks);
        assert_eq!(found.len(), 1, "{hooks}: {found:#?}");
        assert!(found[0].contains(words), "{}", found[0]);
    }
    for hooks in
        ["pre-install", "post-install,post-upgrade", "pre-install,pre-delete", "pre-upgrade"]
    {
        assert_eq!(job(hooks), [""; 0], "{hooks}");
    }
}

#[test]
fn what_means_the_same_may_come_twice() {
    let both = |one: &str, other: &str| {
        problems_of(&[("a", one), ("b", other)], 28, &Provided::default()).len()
    };
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: mon}\n";
    for other in [
        "apiVersion: v1\nkind: Namespace\nmetadata: {creationTimestamp: null, name: mon}\nspec: \
         {}\nstatus: {}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: mon, labels: {a: b}, annotations: {c: \
         d}}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: mon, labels: {}}\nstatus: {phase: \
         Active}\n",
    ] {
        assert_eq!(both(namespace, other), 0, "{other}");
        assert_eq!(both(other, namespace), 0, "{other}");
    }
    let finalizer = format!("{namespace}spec: {{finalizers: [kubernetes]}}\n");
    assert_eq!(both(namespace, &finalizer), 1);
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a";
    assert_eq!(both(&format!("{map}}}\n"), &format!("{map}, namespace: default}}\ndata:\n")), 0);
    assert_eq!(both(&format!("{map}}}\n"), &format!("{map}, labels: {{a: b}}}}\n")), 1);
    let policy = |from: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a}}\nspec: \
             {{podSelector: {{}}, ingress: [{{from: [{{{from}}}]}}]}}\n"
        )
    };
    let wide = policy("podSelector: {}, namespaceSelector: {}");
    assert_eq!(both(&policy("podSelector: {}"), &wide), 1, "this one opens other namespaces");
}

#[test]
fn what_no_cluster_takes_is_too_large() {
    let large = |kind: &str, bytes: usize| {
        let data = "x".repeat(bytes);
        of(&format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\ndata: {{a: {data}}}\n"))
    };
    assert_eq!(large("ConfigMap", 1_000_000), [""; 0]);
    assert!(large("ConfigMap", 1_050_000)[0].contains("split it"));
    assert_eq!(large("Secret", 1_300_000), [""; 0]);
    assert!(large("Secret", 1_400_000)[0].contains("split it"));
}

#[test]
fn old_readers_are_reckoned_with() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n--- # b\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\n";
    assert!(
        problems_of(&[("a", text)], 21, &Provided::default())[0].contains("kubectl before 1.22")
    );
    assert_eq!(problems_of(&[("a", text)], 22, &Provided::default()), [""; 0]);
}

#[test]
fn published_manifests_are_taken() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/manifests");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return println!("skipped: no real data at {folder}");
    };
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for minor in [21, 28, 34] {
            let found = problems_of(&[(&name, &text)], minor, &Provided::default());
            assert_eq!(found, [""; 0], "1.{minor}");
        }
        count += 1;
    }
    assert!(count >= 12, "only {count} manifests were found");
}
