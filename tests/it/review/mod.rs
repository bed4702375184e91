//! What a release engineer reviews: what `lock` changes, and `diff` of any two; a lock
//! that is checked, moved in one thing only, and made without a network.

mod offline;
mod upgrade;

use std::fmt::Write as _;
use std::fs;
use std::process::Output;

use bundle_format::Lock;
use serde_json::Value;

use crate::support::demo::Demo;
use crate::support::dnf;

const LOCK: &str = "bundle.yaml.lock.json";

const REQUIRES: &str = "packages: [web, app]";

/// The demo with a repository and a manifest of one's own.
struct Site(Demo);

impl Site {
    fn start() -> Self {
        let site = Self(Demo::start());
        site.packages(&[("web", "1", &["lib"]), ("app", "1", &["lib"]), ("lib", "1", &[])]);
        site.manifest("replicas: 1");
        let repositories = format!(
            "    {REQUIRES}\n    repositories:\n      - id: extra\n        baseUrl: file://{}/extra/\n        \
             gpgcheck: {{off: it is a test}}\n        repoGpgcheck: {{off: it is a test}}\n",
            site.0.folder.path().display()
        );
        let spec = site.0.spec().replace("    repositories:\n", &repositories);
        let spec = spec.replace(
            "manifests:\n",
            "manifests:\n  - name: web\n    file: web.yaml\n    patches: [{set: {kind: Deployment, \
             name: web, path: spec.paused, value: false}}]\n",
        );
        site.0.write_spec(&spec);
        site
    }

    /// Writes the repository: name, version, what it requires. Metadata is all that a
    /// lock reads.
    fn packages(&self, packages: &[(&str, &str, &[&str])]) {
        let mut text = String::new();
        for (name, version, requires) in packages {
            let mut format = "<rpm:provides>".to_owned();
            dnf::entry(&mut format, name, Some(("EQ", (0, version, "1"))));
            format += "</rpm:provides><rpm:requires>";
            for wanted in *requires {
                match wanted.split_once('=') {
                    None => dnf::entry(&mut format, wanted, None),
                    Some((wanted, version)) => {
                        dnf::entry(&mut format, wanted, Some(("EQ", (0, version, "1"))));
                    }
                }
            }
            format += "</rpm:requires>";
            dnf::write_package(&mut text, name, "noarch", (0, version, "1"), &format);
        }
        dnf::write_repository(&self.0.path("extra"), &dnf::primary(&text), None);
    }

    fn manifest(&self, line: &str) {
        let mut text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  \
                        paused: true\n"
            .to_owned();
        writeln!(text, "  {line}").unwrap();
        text += "  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      \
                 labels: {app: web}\n    spec:\n      containers:\n        - name: web\n          \
                 image: registry.k8s.io/pause:3.9\n";
        fs::write(self.0.path("web.yaml"), text).unwrap();
    }

    fn edit_spec(&self, from: &str, to: &str) {
        let spec = self.0.spec();
        assert!(spec.contains(from), "{from}\n{spec}");
        self.0.write_spec(&spec.replace(from, to));
    }

    fn lock(&self) -> Lock {
        Lock::parse(fs::read(self.0.path(LOCK)).unwrap()).unwrap()
    }

    fn version(&self, name: &str) -> String {
        let lock = self.lock();
        let rpm = lock.rpms.iter().find(|rpm| rpm.package.name == name);
        rpm.map(|rpm| rpm.package.evr.version.clone()).unwrap_or_default()
    }

    fn status(&self, arguments: &[&str]) -> (i32, String) {
        status(&self.0.run(arguments))
    }
}

fn status(output: &Output) -> (i32, String) {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn a_lock_says_what_changes_against_the_one_before() {
    let site = Site::start();
    let demo = &site.0;
    assert_eq!(demo.ok(&["lock"]), "", "all of it is new");
    fs::copy(demo.path(LOCK), demo.path("old.json")).unwrap();
    assert_eq!(demo.ok(&["lock"]), "0 changes, 0 B of new blobs\n");

    site.packages(&[("web", "2", &["more"]), ("app", "1", &[]), ("more", "1", &[])]);
    site.manifest("replicas: 3");
    site.edit_spec("repoGpgcheck: {off: it is a test}", "repoGpgcheck: {off: another reason}");
    site.edit_spec("name: demo\n", "name: demo\ncluster: {podCidr: 10.9.0.0/16}\n");
    site.edit_spec("manifests:\n", "images: [docker.io/coredns/coredns:v1.10.1]\nmanifests:\n");
    let said = demo.ok(&["lock"]);
    for line in [
        "~ disabled check repoGpgcheck el9-x86_64/extra it is a test -> another reason",
        "+ cluster podCidr \"10.9.0.0/16\"",
        "- rpm el9-x86_64 lib.noarch 1-1",
        "+ rpm el9-x86_64 more.noarch 1-1",
        "~ rpm el9-x86_64 web.noarch 1-1 -> 2-1",
        "+ image docker.io/coredns/coredns v1.10.1",
        "    -  replicas: 1",
        "    +  replicas: 3",
        "       paused: false",
    ] {
        assert!(said.lines().any(|own| own == line), "{line}\n{said}");
    }
    assert!(said.contains("\n~ revision of repository el9-x86_64 extra "), "{said}");
    assert!(said.contains("\n~ manifest web "), "{said}");
    assert!(!said.contains("app.noarch") && !said.contains("calico"), "{said}");

    // Any two: locks, and the spec for its own.
    assert_eq!(demo.ok(&["diff", "old.json", LOCK]), said);
    assert_eq!(demo.ok(&["diff", "old.json", "bundle.yaml"]), said);
    let json: Value =
        serde_json::from_str(&demo.ok(&["diff", "--json", "old.json", LOCK])).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let web = changes.iter().find(|one| one["what"] == "rpm el9-x86_64 web.noarch").unwrap();
    assert_eq!((&web["from"], &web["to"]), (&"1-1".into(), &"2-1".into()));
    let manifest = changes.iter().find(|one| one["what"] == "manifest web").unwrap();
    assert!(manifest["text"]["lines"].as_array().unwrap().contains(&"+  replicas: 3".into()));

    // An image by its tags.
    let lock = fs::read_to_string(demo.path(LOCK)).unwrap();
    let older = lock.replace("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.8");
    fs::write(demo.path("older.json"), older).unwrap();
    let said = demo.ok(&["diff", "older.json", LOCK]);
    assert!(said.contains("~ image registry.k8s.io/pause 3.8 -> 3.9\n"), "{said}");
    assert!(said.contains("~ sandbox image registry.k8s.io/pause:3.8 -> registry"), "{said}");

    // A lock is looked into as a bundle is.
    let shown = demo.ok(&["inspect", LOCK]);
    assert!(shown.starts_with("lock        demo\n") && shown.contains("web-2-1.noarch"), "{shown}");
    assert_eq!(demo.ok(&["inspect", "bundle.yaml"]), shown);
    assert_eq!(demo.ok(&["inspect", "--json", LOCK]), lock);

    // Without the cache the texts before are nowhere, and that is said.
    fs::remove_dir_all(demo.path("cache")).unwrap();
    let said = demo.ok(&["diff", "old.json", LOCK]);
    assert!(said.contains("    (its lines cannot be shown: this needs both texts"), "{said}");
    // What is no lock is none.
    fs::write(demo.path("bad.json"), "{\"lockVersion\": 9}").unwrap();
    let error = demo.fails(&["diff", "bad.json", LOCK]);
    assert!(error.contains("reading bad.json") && error.contains("version 9"), "{error}");
}

#[test]
fn a_local_file_that_changed_is_named() {
    let demo = Demo::start();
    fs::copy(demo.upstream.key_path("os"), demo.path("os key.asc")).unwrap();
    let spec = demo.spec();
    demo.write_spec(&spec.replace("URL/os/repodata/repomd.xml.key", "os key.asc"));
    demo.ok(&["lock"]);
    let key = fs::read_to_string(demo.path("os key.asc")).unwrap();
    fs::write(demo.path("os key.asc"), key.replace('\n', "\r\n")).unwrap();
    let (code, said) = status(&demo.run(&["lock", "--check"]));
    assert_eq!(code, 3, "{said}");
    let line = said.lines().find(|line| line.starts_with("~ local file os key.asc ")).unwrap();
    // Beside it stand no riddles of the lock's own fields.
    assert!(line.contains(" -> ") && !said.contains("inputs"), "{said}");
    demo.ok(&["lock"]);
    demo.ok(&["lock", "--check"]);
}

#[test]
fn without_a_lock_each_command_says_what_to_run() {
    let demo = Demo::start();
    let commands: [&[&str]; 5] = [
        &["why", "kubelet"],
        &["why", "kubelet", "bundle.yaml"],
        &["inspect", "bundle.yaml"],
        &["diff", "bundle.yaml", LOCK],
        &["inspect", LOCK],
    ];
    for command in commands {
        let error = demo.fails(command);
        let words = "there is no bundle.yaml.lock.json: run `bundler lock`";
        assert!(error.contains(words), "{command:?}: {error}");
    }
    demo.ok(&["lock"]);
    demo.ok(&["why", "kubelet", "bundle.yaml"]);
    // And where a bundle has to be, a lock is called one.
    let error = demo.fails(&["verify", LOCK]);
    assert!(error.contains("it is a lock, which `bundler lock` writes"), "{error}");
}

#[test]
fn a_bundle_is_compared_with_the_lock_of_the_spec() {
    let demo = Demo::start();
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: one}\n";
    fs::write(demo.path("a.yaml"), text).unwrap();
    demo.write_spec(
        &demo.spec().replace("manifests:\n", "manifests:\n  - {name: a, file: a.yaml}\n"),
    );
    demo.ok(&["build", "-q"]);
    assert_eq!(demo.ok(&["diff", "demo.tar", "bundle.yaml"]), "0 changes, 0 B of new blobs\n");
    fs::write(demo.path("a.yaml"), text.replace("one", "\u{1b}[2Jtwo")).unwrap();
    let spec = demo
        .spec()
        .replace("name: demo\n", "name: demo\nimages: [docker.io/coredns/coredns:v1.10.1]\n");
    demo.write_spec(&spec.replace("\u{1b}", ""));
    // A control character is in no YAML.
    fs::write(demo.path("a.yaml"), text.replace("one", "\u{202e}two")).unwrap();
    demo.ok(&["lock"]);
    // The stick's text is in the bundle alone, today's is beside the spec.
    fs::remove_dir_all(demo.path("cache")).unwrap();
    let said = demo.ok(&["diff", "demo.tar", "bundle.yaml"]);
    assert!(said.contains("\n    -data: {a: one}\n    +data: {a: \\u{202e}two}\n"), "{said}");
    assert!(
        said.contains("\n~ manifest a ")
            && said.contains("+ image docker.io/coredns/coredns v1.10.1")
    );
    let back = demo.ok(&["diff", "bundle.yaml", "demo.tar"]);
    assert!(back.contains("\n    +data: {a: one}\n"), "{back}");
    assert!(back.contains("- image docker.io/coredns/coredns v1.10.1"), "{back}");
}

#[test]
fn large_texts_are_cut_unless_all_is_asked_for() {
    let site = Site::start();
    let lines = |word: &str| -> String {
        (0..300)
            .fold("strategy: {}\n".to_owned(), |all, number| format!("{all}# {word} {number}\n"))
    };
    site.manifest(&lines("before"));
    site.0.ok(&["lock"]);
    fs::copy(site.0.path(LOCK), site.0.path("old.json")).unwrap();
    site.manifest(&lines("after"));
    let said = site.0.ok(&["lock"]);
    assert!(
        said.contains("more lines; --full shows them\n") && said.lines().count() < 120,
        "{said}"
    );
    let full = site.0.ok(&["diff", "--full", "old.json", LOCK]);
    assert!(full.contains("    +# after 299\n") && full.contains("    -# before 299\n"), "{full}");
    assert!(!full.contains("more lines"), "{full}");
}

#[test]
fn a_check_tells_by_its_exit_status_and_writes_nothing() {
    let site = Site::start();
    let check = ["lock", "--check"];
    let (code, said) = site.status(&check);
    assert!(code == 3 && said.contains("there is no bundle.yaml.lock.json: run"), "{said}");
    assert!(!site.0.path(LOCK).exists());
    site.0.ok(&["lock"]);
    let before = fs::read(site.0.path(LOCK)).unwrap();
    let (code, said) = site.status(&check);
    assert!(code == 0 && said.contains("is what the spec means today"), "{said}");

    // Upstream, a file beside the spec, the spec: each is told.
    let old = [("web", "1", &["lib"][..]), ("app", "1", &["lib"]), ("lib", "1", &[])];
    site.packages(&[old[0], old[1], old[2], ("lib", "2", &[])]);
    let (code, said) = site.status(&check);
    assert!(code == 3 && said.contains("~ rpm el9-x86_64 lib.noarch 1-1 -> 2-1\n"), "{said}");
    site.packages(&old);
    site.manifest("replicas: 2");
    let (code, said) = site.status(&check);
    assert!(code == 3 && said.contains("    +  replicas: 2\n"), "{said}");
    site.manifest("replicas: 1");
    assert_eq!(site.status(&check).0, 0);
    let spec = site.0.spec();
    site.0.write_spec(&format!("{spec}# a word\n"));
    let (code, said) = site.status(&["lock", "--check", "--json"]);
    assert!(code == 3 && said.contains("\"what\": \"spec\""), "{said}");
    // What cannot be found out is no answer.
    site.0.write_spec(&spec.replace("packages: [web", "packages: [no-such-thing"));
    let (code, said) = site.status(&check);
    assert!(code == 1 && said.contains("no-such-thing"), "{said}");
    site.0.write_spec(&spec);
    assert_eq!(site.status(&check).0, 0);
    assert_eq!(fs::read(site.0.path(LOCK)).unwrap(), before);
}

#[test]
fn a_target_says_which_systems_it_is_for() {
    let demo = Demo::start();
    let spec = demo.spec();
    demo.ok(&["lock"]);
    assert!(!fs::read_to_string(demo.path(LOCK)).unwrap().contains("\"match\""), "as before");
    fs::copy(demo.path(LOCK), demo.path("old.json")).unwrap();
    let with = |entries: &str| {
        let line = format!("    match: {entries}\n    repositories:\n");
        demo.write_spec(&spec.replace("    repositories:\n", &line));
    };
    with("[{ID: openEuler, VERSION_ID: \"22.03\"}, {ID: \"kylin\"}]");
    let said = demo.ok(&["lock"]);
    assert!(said.contains("+ match el9-x86_64 ID=openEuler VERSION_ID=22.03\n"), "{said}");
    assert!(said.contains("+ match el9-x86_64 ID=kylin\n"), "{said}");
    demo.ok(&["build", "-q"]);
    let shown = demo.ok(&["inspect", "demo.tar"]);
    assert!(shown.contains("\n  for nodes with ID=openEuler VERSION_ID=22.03\n"), "{shown}");
    // A lock that says otherwise than the spec is none of it.
    let lock = fs::read_to_string(demo.path(LOCK)).unwrap();
    fs::write(demo.path(LOCK), lock.replace("\"kylin\"", "\"other\"")).unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains("has other systems for target el9-x86_64 than its `match`"), "{error}");
    for (entries, words) in [
        ("[{id: openEuler}]", "is not a field of os-release"),
        ("[{}]", "an entry without fields would match every node"),
        ("[{ID: \"\"}]", "is not a value of os-release"),
        ("[{ID: debian}]", "debian installs its packages with apt"),
        ("[{ID_LIKE: suse}]", "suse installs its packages with zypper"),
        ("{ID: openEuler}", "match"),
    ] {
        with(entries);
        let error = demo.fails(&["lock"]);
        assert!(error.contains(words) && error.contains("bundle.yaml:"), "{entries}: {error}");
    }
    let wrong = lock.replace("\"ID\": \"kylin\"", "\"id\": \"kylin\"");
    fs::write(demo.path("wrong.json"), wrong).unwrap();
    assert!(demo.fails(&["inspect", "wrong.json"]).contains("is for no system by `id=kylin`"));
}
