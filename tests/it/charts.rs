//! Helm charts, made into manifests by the real helm: 3 and 4.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bundle_format::Digest;
use lab::built;

use crate::documents::blocks;
use crate::real_registry::RealRegistry;
use crate::support::demo::{BUNDLER, Demo};

/// The newest helm of each major release that is here; says if there is none.
fn helms() -> Vec<PathBuf> {
    let all = built::programs("helm");
    let newest = ["3.", "4."].map(|release| {
        let found = all.iter().rfind(|(version, _)| version.starts_with(release));
        if found.is_none() {
            println!("skipped: no helm {release}x: `scripts/tools --kubeadms` builds it");
        }
        found.map(|(_, program)| program.clone())
    });
    newest.into_iter().flatten().collect()
}

/// Runs `bundler` where this helm is the only one.
fn run(demo: &Demo, helm: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(BUNDLER);
    command.args(arguments).current_dir(demo.folder.path()).env("HOME", demo.folder.path());
    command.env("XDG_CACHE_HOME", demo.path("cache")).env("PATH", helm.parent().unwrap());
    // What a person has set for his own helm does not count.
    command.env("HELM_NAMESPACE", "other").env("HELM_PLUGINS", "/no/such").output().unwrap()
}

/// The same, which must succeed; gives standard error.
fn ok(demo: &Demo, helm: &Path, arguments: &[&str]) -> String {
    let output = run(demo, helm, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    error
}

/// The same, which must fail; gives standard error.
fn fails(demo: &Demo, helm: &Path, arguments: &[&str]) -> String {
    let output = run(demo, helm, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: v1.9.3\n";
const DEPLOYMENT: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {for: {{ .Capabilities.KubeVersion.Version }}}}
    spec:
      containers:
      - {name: web, image: "{{ .Values.image }}:{{ .Chart.AppVersion }}"}
"#;
const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: \
                   {name: as.x.io}\nspec: {group: x.io, scope: Cluster, names: {kind: A, plural: as}, \
                   versions: [{name: v1, served: true, storage: true, schema: \
                   {openAPIV3Schema: {type: object}}}]}\n";

/// A pod that is a hook.
fn hook(name: &str, events: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: \
         \"{events}\"}}}}\nspec: {{containers: [{{name: a, image: registry.k8s.io/pause:3.9}}]}}\n"
    )
}

/// A demo with the chart in `web/`, and this manifest in place of its own.
fn demo(manifest: &str) -> Demo {
    let demo = Demo::start();
    let write = |name: &str, text: &str| {
        let path = demo.path("web").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Chart.yaml", CHART);
    write("values.yaml", "image: registry.k8s.io/none\n");
    write("templates/deployment.yaml", DEPLOYMENT);
    write("crds/a.yaml", CRD);
    write("templates/now.yaml", &hook("migrate", "pre-install,pre-upgrade"));
    write("templates/later.yaml", &hook("farewell", "pre-delete"));
    write("templates/test.yaml", &hook("try", "test"));
    fs::write(demo.path("site.yaml"), "image: registry.k8s.io/ingress-nginx/controller\n").unwrap();
    spec(&demo, manifest);
    demo
}

/// Writes this manifest into the spec, as the only one.
fn spec(demo: &Demo, manifest: &str) {
    spec_with(demo, &format!("manifests:\n- {manifest}\n"));
}

/// Writes this block into the spec, in place of its manifests.
fn spec_with(demo: &Demo, block: &str) {
    let spec = demo.spec();
    let (before, rest) = spec.split_once("manifests:\n").unwrap();
    let (_, after) = rest.split_once("registries:\n").unwrap();
    demo.write_spec(&format!("{before}{block}registries:\n{after}"));
}

/// Packs the chart in `web/` where the upstream serves it, at `URL/os/repodata/`.
fn package(demo: &Demo, helm: &Path) -> PathBuf {
    let key = demo.upstream.key_path("os");
    let served = key.parent().unwrap();
    let mut package = Command::new(helm);
    package.args(["package", "web", "--destination"]).arg(served);
    assert!(package.current_dir(demo.folder.path()).output().unwrap().status.success());
    served.to_owned()
}

const WEB: &str = "{name: app, chart: {from: web, namespace: shop, values: [site.yaml]}}";

fn lock(demo: &Demo) -> serde_json::Value {
    serde_json::from_slice(&fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap()
}

#[test]
fn a_chart_becomes_a_manifest_and_its_archive_is_carried() {
    for helm in helms() {
        let demo = demo(WEB);
        let said = fails(&demo, &helm, &["lock"]);
        assert!(said.contains("namespace `shop`") || said.contains("shop"), "{said}");
        spec(&demo, &format!("{WEB}\nprovided: {{namespaces: [shop]}}"));
        let said = ok(&demo, &helm, &["lock"]);
        let hooks = "manifest app has hooks of Helm: Pod migrate (pre-install,pre-upgrade)";
        assert!(said.contains(hooks), "{said}");
        let made = fs::read_to_string(demo.path("bundle.yaml.rendered/app.yaml")).unwrap();
        for words in [
            "# by: helm v",
            "# chart: web 1.2.3\n",
            "# left out: Pod farewell (pre-delete)\n",
            "# left out: Pod try (test)\n",
            "metadata: {name: app, namespace: shop}",
            "for: v1.28.2",
            "kind: CustomResourceDefinition",
            "name: migrate",
        ] {
            assert!(made.contains(words), "{words}:\n{made}");
        }
        assert!(!made.contains("name: try"), "{made}");
        let why = demo.ok(&["images", "--why", "bundle.yaml.rendered/app.yaml"]);
        let place = ": Deployment shop/app, spec.template.spec.containers[0].image\n";
        assert!(why.contains("controller:v1.9.3\n  bundle.yaml.rendered/app.yaml:"), "{why}");
        assert!(why.contains(place), "{why}");
        let locked = lock(&demo);
        let manifest = &locked["manifests"][0];
        let images = serde_json::json!([
            "registry.k8s.io/ingress-nginx/controller:v1.9.3",
            "registry.k8s.io/pause:3.9"
        ]);
        assert_eq!((&manifest["images"], &manifest["source"]), (&images, &"web".into()));
        assert_eq!(manifest["rendered"]["chart"], "web 1.2.3");

        // The same lock again, and a build, need no helm: also on another machine.
        let nowhere = demo.path("none/helm");
        ok(&demo, &nowhere, &["lock", "--check"]);
        fs::remove_dir_all(demo.path("cache")).unwrap();
        ok(&demo, &nowhere, &["build", "--quiet"]);
        demo.ok(&["verify", "--quiet", "demo.tar"]);
        demo.ok(&[
            "extract",
            "demo.tar",
            "--folder",
            "out",
            "charts/app.tgz",
            "manifests/app.yaml",
        ]);
        assert_eq!(fs::read_to_string(demo.path("out/manifests/app.yaml")).unwrap(), made);
        let chart = demo.path("out/charts/app.tgz");
        let show = Command::new(&helm).args(["show", "values"]).arg(chart).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&show.stdout).trim(), "image: registry.k8s.io/none");
        let shown = demo.ok(&["inspect", "demo.tar"]);
        assert!(shown.contains("chart web 1.2.3, rendered by helm v"), "{shown}");

        // Other values make another manifest.
        fs::write(demo.path("site.yaml"), "image: registry.k8s.io/pause\n").unwrap();
        let error = fails(&demo, &nowhere, &["build", "--quiet"]);
        assert!(error.contains("the values site.yaml has changed"), "{error}");
        let error = fails(&demo, &nowhere, &["lock"]);
        assert!(error.contains("this host has no `helm`"), "{error}");
    }
}

#[test]
fn a_chart_reaches_no_server_of_this_machine() {
    for helm in helms() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let demo = demo(&WEB.replace("shop", "default"));
        let schema = format!("{{\"$ref\": \"http://{}/a.json\"}}", server.local_addr().unwrap());
        fs::write(demo.path("web/values.schema.json"), schema).unwrap();
        let error = fails(&demo, &helm, &["lock"]);
        assert!(error.contains("a.json"), "{error}");
        let asked = server.accept().map(|_| ()).map_err(|error| error.kind());
        assert_eq!(asked, Err(ErrorKind::WouldBlock));
    }
}

#[test]
fn a_helm_that_nobody_may_run_is_none() {
    let demo = demo(&WEB.replace("shop", "default"));
    fs::create_dir(demo.path("bin")).unwrap();
    fs::write(demo.path("bin/helm"), "a page in place of a program").unwrap();
    let error = fails(&demo, &demo.path("bin/helm"), &["lock"]);
    assert!(error.contains("this host has no `helm` on the PATH"), "{error}");
}

#[test]
fn a_changed_secret_is_not_shown() {
    for helm in helms() {
        let demo = demo(&WEB.replace("shop", "default"));
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  p: {{ \
                      .Values.word }}\n  q: {{ .Values.word | b64enc }}\n";
        fs::write(demo.path("web/templates/secret.yaml"), secret).unwrap();
        let lock = |word: &str| {
            let values = "image: registry.k8s.io/ingress-nginx/controller\nword: ";
            fs::write(demo.path("site.yaml"), format!("{values}{word}\n")).unwrap();
            let output = run(&demo, &helm, &["lock"]);
            assert!(output.status.success());
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        };
        lock("hunter2");
        let said = lock("hunter3");
        assert!(said.contains("p: (another secret, not shown)"), "{said}");
        assert!(!said.contains("hunter") && !said.contains("aHVudGVy"), "{said}");
    }
}

#[test]
fn what_a_chart_invents_stays() {
    for helm in helms() {
        let demo = demo(&WEB.replace("shop", "default"));
        fs::write(
            demo.path("web/templates/secret.yaml"),
            "apiVersion: v1\nkind: Secret\nmetadata: {name: pass}\nstringData: {p: {{ randAlphaNum \
             20 | quote }}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: word}\nstringData: \
             {p: {{ randAlphaNum 20 | quote }}}\n",
        )
        .unwrap();
        let said = ok(&demo, &helm, &["lock"]);
        assert!(said.contains("a key: Secret pass, Secret word; what was made now"), "{said}");
        let made = || fs::read_to_string(demo.path("bundle.yaml.rendered/app.yaml")).unwrap();
        let first = made();
        let said = ok(&demo, &helm, &["lock"]);
        assert!(said.contains("Secret pass, Secret word"), "{said}");
        ok(&demo, &helm, &["lock", "--check"]);
        ok(&demo, &helm, &["lock", "--upgrade", "registry.k8s.io/pause:3.9"]);
        assert_eq!(made(), first);
        // Without the packed chart, nobody knows whether the passwords are still of this one.
        let packed = demo.path("bundle.yaml.rendered/app.tgz");
        let archive = fs::read(&packed).unwrap();
        fs::remove_file(&packed).unwrap();
        let error = fails(&demo, &helm, &["lock"]);
        assert!(error.contains("bring the file back, or make others by"), "{error}");
        fs::write(&packed, archive).unwrap();
        ok(&demo, &helm, &["lock", "--check"]);
        // The version in the spec is compared with what is kept, too.
        let other =
            WEB.replace("shop", "default").replace("from: web", "from: web, version: 2.0.0");
        let spec_before = demo.spec();
        spec(&demo, &other);
        let error = fails(&demo, &helm, &["lock"]);
        assert!(error.contains("the chart is web 1.2.3, but the spec says 2.0.0"), "{error}");
        demo.write_spec(&spec_before);
        ok(&demo, &helm, &["lock", "--upgrade", "app"]);
        assert_ne!(made(), first);
        let second = made();
        for edited in [
            second.clone() + "---\na: 1\n",
            second.replace("# chart: web 1.2.3", "# chart: web 1.2.4"),
            second.replace("# differs each time: Secret pass\n", ""),
        ] {
            assert_ne!(edited, second);
            fs::write(demo.path("bundle.yaml.rendered/app.yaml"), &edited).unwrap();
            for arguments in [&["lock"][..], &["lock", "--upgrade", "app"]] {
                let error = fails(&demo, &helm, arguments);
                assert!(error.contains("app.yaml was edited: put your change into"), "{error}");
            }
            assert_eq!(made(), edited);
        }
        // What was made for a manifest that is gone.
        fs::write(demo.path("bundle.yaml.rendered/app.yaml"), second).unwrap();
        spec(&demo, &WEB.replace("shop", "default").replace("name: app", "name: other"));
        let said = ok(&demo, &helm, &["lock"]);
        for name in ["app.yaml", "app.tgz"] {
            let words = format!("{name} is of no manifest that the spec has: remove it");
            assert!(said.contains(&words), "{said}");
        }
        assert!(!said.contains("other.yaml is of no"), "{said}");
    }
}

#[test]
fn a_chart_comes_from_a_url_or_a_repository() {
    let Some(helm) = helms().pop() else { return };
    let demo = demo(WEB);
    let served = package(&demo, &helm);
    let digest = Digest::of(&fs::read(served.join("web-1.2.3.tgz")).unwrap()).hex();
    let index = |digest: &str| {
        let text = format!(
            "entries: {{web: [{{version: 1.2.3, urls: [web-1.2.3.tgz], digest: {digest}}}]}}\n"
        );
        fs::write(served.join("index.yaml"), text).unwrap();
    };
    index(&digest);
    let repository = "from: URL/os/repodata, name: web, version: 1.2.3";
    for (from, pin) in [
        ("from: URL/os/repodata/web-1.2.3.tgz", String::new()),
        ("from: URL/os/repodata/web-1.2.3.tgz, version: 1.2.3", format!(", sha256: {digest}")),
        (repository, String::new()),
    ] {
        spec(&demo, &format!("{{name: app, chart: {{{from}, values: [site.yaml]}}{pin}}}"));
        ok(&demo, &helm, &["lock"]);
        let own = lock(&demo)["files"].clone();
        let own = own.as_array().unwrap().iter().find(|file| file["kind"] == "chart").unwrap();
        assert_eq!(own["content"]["digest"], format!("sha256:{digest}"));
        ok(&demo, &helm, &["lock", "--offline"]);
    }
    ok(&demo, &helm, &["build", "--quiet"]);
    let error = |manifest: &str| {
        spec(&demo, manifest);
        fails(&demo, &helm, &["lock"])
    };
    let wrong = "0".repeat(64);
    for (manifest, words) in [
        (
            "{name: app, chart: {from: URL/os/repodata, name: web, version: 1.2.4}}",
            "its newest are 1.2.3",
        ),
        ("{name: app, chart: {from: URL/os/repodata, version: 1.2.4}}", "give the `name` of one"),
        ("{name: app, chart: {from: URL/os/repodata, name: web}}", "give the `version`"),
        ("{name: app, chart: {from: web, name: web}}", "leave it out"),
        ("{name: app, chart: {from: web}, file: x}", "give one of `url`, `file`, `chart`"),
        ("{name: app, chart: {from: web, version: 1.2.4}}", "the chart is web 1.2.3"),
        ("{name: app, chart: {from: .}}", "the spec itself is in"),
        (
            &format!("{{name: {}, chart: {{from: web}}}}", "a".repeat(54)),
            "a `release` with at most 53",
        ),
        ("{name: app, chart: {from: web, release: a-}}", "`a-` cannot be the name of a release"),
        (&format!("{{name: app, chart: {{from: web}}, sha256: {wrong}}}"), "a folder has no"),
        (
            &format!("{{name: app, chart: {{{repository}}}, sha256: {wrong}}}"),
            "but the spec says 0000",
        ),
    ] {
        let error = error(manifest);
        assert!(error.contains(words), "{words}:\n{error}");
    }
    index(&wrong);
    let error = error(&format!("{{name: app, chart: {{{repository}}}}}"));
    assert!(error.contains("says sha256:0000"), "{error}");
    // A chart that needs another, which is not in its folder.
    let needs = "dependencies: [{name: db, version: 1.0.0, repository: 'file://../db'}]\n";
    fs::write(demo.path("web/Chart.yaml"), format!("{CHART}{needs}")).unwrap();
    spec(&demo, "{name: app, chart: {from: web}}");
    let error = fails(&demo, &helm, &["lock"]);
    assert!(error.contains("helm dependency build"), "{error}");
}

#[test]
fn the_page_is_run() {
    let Some(helm) = helms().pop() else { return };
    let Some(registry) = RealRegistry::plain() else { return };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/charts.md");
    let page = fs::read_to_string(page).unwrap();
    let demo = demo(WEB);
    let served = package(&demo, &helm);
    let digest = Digest::of(&fs::read(served.join("web-1.2.3.tgz")).unwrap()).hex();
    for (name, version) in [("metrics-server", "3.13.0"), ("cert-manager", "v1.18.2")] {
        let other = CHART.replace("web", name).replace("1.2.3", version);
        fs::write(demo.path("web/Chart.yaml"), other).unwrap();
        package(&demo, &helm);
    }
    fs::write(demo.path("web/Chart.yaml"), CHART).unwrap();
    let host = registry.host();
    push(&demo, &helm, &served.join("cert-manager-v1.18.2.tgz"), &host);
    let index = "entries: {metrics-server: [{version: 3.13.0, urls: [metrics-server-3.13.0.tgz]}]}";
    fs::write(served.join("index.yaml"), index).unwrap();
    // The charts' own values name an image that is not there.
    let values = "values: [site.yaml]\n";
    let names = [
        ("https://charts.example.com", "URL/os/repodata"),
        ("https://www.example.com", "URL/os/repodata"),
        ("registry.example.com", &host),
        ("      version", &format!("      {values}      version")),
        ("web-1.2.3.tgz\n", &format!("web-1.2.3.tgz\n      {values}")),
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", &digest),
    ];
    let commands = blocks(&page, "");
    let mut count = 0;
    for block in blocks(&page, "yaml") {
        let here = names.iter().fold(block, |text, (name, here)| text.replace(name, here));
        spec_with(&demo, &format!("{here}provided: {{namespaces: [cert-manager]}}\n"));
        for line in commands.iter().flat_map(|block| block.lines()) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            ok(&demo, &helm, &words);
            count += 1;
        }
        assert!(demo.path("charts/web.tgz").is_file());
        fs::remove_dir_all(demo.path("charts")).unwrap();
    }
    assert_eq!(count, 6);
}

/// Pushes a packed chart to `HOST/charts/`, and lets the spec pull from there.
fn push(demo: &Demo, helm: &Path, archive: &Path, host: &str) {
    let mut push = Command::new(helm);
    push.arg("push").arg(archive).args([&format!("oci://{host}/charts"), "--plain-http"]);
    let pushed = push.env("HOME", demo.folder.path()).output().unwrap();
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    let plain = format!("registries:\n  \"{host}\":\n    plainHttp: tried here\n");
    demo.write_spec(&demo.spec().replace("registries:\n", &plain));
}

#[test]
fn a_chart_comes_from_a_registry() {
    let Some(helm) = helms().pop() else { return };
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = demo(WEB);
    let archive = package(&demo, &helm).join("web-1.2.3.tgz");
    let (host, digest) = (registry.host(), Digest::of(&fs::read(&archive).unwrap()));
    push(&demo, &helm, &archive, &host);
    let index =
        format!("entries: {{web: [{{version: 1.2.3, urls: ['oci://{host}/charts/web:1.2.3']}}]}}");
    fs::write(archive.with_file_name("index.yaml"), index).unwrap();
    let chart = |keys: &str| {
        spec(&demo, &format!("{{name: app, chart: {{{keys}, values: [site.yaml]}}}}"));
    };
    let locked_chart = || {
        let files = lock(&demo)["files"].clone();
        files.as_array().unwrap().iter().find(|file| file["kind"] == "chart").unwrap().clone()
    };
    chart("from: URL/os/repodata, name: web, version: 1.2.3");
    ok(&demo, &helm, &["lock"]);
    assert_eq!(locked_chart()["content"]["digest"], digest.to_string());
    let from = format!("from: 'oci://{host}/charts/web'");
    chart(&format!("{from}, version: 1.2.3"));
    ok(&demo, &helm, &["lock"]);
    assert_eq!(locked_chart()["content"]["digest"], digest.to_string());
    assert_eq!(locked_chart()["source"], format!("oci://{host}/charts/web"));
    ok(&demo, &helm, &["lock", "--offline"]);
    ok(&demo, &helm, &["build", "--quiet"]);
    chart(&format!("{from}, version: 1.2.4"));
    let error = fails(&demo, &helm, &["lock"]);
    assert!(error.contains("charts/web:1.2.4") && error.contains("404"), "{error}");
}
