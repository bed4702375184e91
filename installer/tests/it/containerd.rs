//! containerd configurations as people have them, edited by our step, with real
//! containerds as the judge: those that are here, Debian's at least.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test ends where something is not as it expects"
)]

mod configs;
mod formats;
mod generated;
mod real;
mod rewritten;
mod written;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{Descriptor, LockedImage};
use bundle_format::oci::OCI_INDEX;
use configs::Config;
use installer::doctor;
use installer::engine::step::Step;
use installer::engine::{reset, run};
use installer::intent::Intent;
use installer::role::Role;
use installer::steps::containerd::Containerd;
use real::{Machine, Release};
use toml_edit::{DocumentMut, Item};

use crate::node::intent::write_bundle_of;
use crate::node::kinds;

const MAIN: &str = "/etc/containerd/config.toml";
const PAUSE: &str = "registry.k8s.io/pause:3.10";
const STEPS: [&'static dyn Step<Intent>; 1] = [&Containerd];

/// A node's intention, of a bundle with this containerd.
fn intent(release: &Release) -> Intent {
    let node = kinds::bare(Role::Worker);
    let mut intent = node.intent();
    let path = node.root().join("bundle.tar");
    write_bundle_of(&path, &[], |lock| {
        lock.containerd = Some(release.version.clone());
        lock.images = vec![pause()];
        lock.sandbox_image = Some(PAUSE.parse().unwrap());
    });
    intent.bundle = Bundle::open(&path).unwrap();
    intent
}

fn pause() -> LockedImage {
    let name: bundle_format::ImageReference = PAUSE.parse().unwrap();
    let root = Descriptor { media_type: OCI_INDEX.into(), digest: Digest::of(b""), size: 0 };
    let (platforms, unplaced, why) = (Vec::new(), Vec::new(), Vec::new());
    let signature = None;
    LockedImage { source: name.clone(), name, root, platforms, unplaced, signature, why }
}

/// Has the step done.
fn apply(machine: &Machine, intent: &Intent) -> anyhow::Result<usize> {
    run::apply(&mut machine.host().open()?, intent, &STEPS, &mut |_, _, _| ())
}

/// What each file has, and who may read it.
fn state(machine: &Machine) -> Vec<(String, String, u32, u32)> {
    let mut found = Vec::new();
    let mut folders = vec![machine.path("/etc")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let meta = path.metadata().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text, meta.mode(), meta.gid()));
        }
    }
    found.sort();
    found
}

/// What holds, by containerd's own word.
fn dump(machine: &Machine, config: &str) -> (String, DocumentMut) {
    let said = machine.say(&["--config", config, "config", "dump"]);
    assert!(said.succeeded(), "{}", said.stderr);
    let document = said.stdout.parse().unwrap();
    (said.stdout, document)
}

fn at<'a>(document: &'a DocumentMut, path: &[&str]) -> Option<&'a Item> {
    path.iter().try_fold(document.as_item(), |item, key| item.get(key))
}

/// Holds what containerd says to what is wanted.
fn assert_holds(document: &DocumentMut, of: &str) {
    let cri = ["plugins", "io.containerd.grpc.v1.cri"];
    let images = ["plugins", "io.containerd.cri.v1.images"];
    let is_new = at(document, &images).is_some();
    let (sandbox, registry, containerd) = if is_new {
        (
            [&images[..], &["pinned_images", "sandbox"]].concat(),
            [&images[..], &["registry"]].concat(),
            vec!["plugins", "io.containerd.cri.v1.runtime", "containerd"],
        )
    } else {
        (
            [&cri[..], &["sandbox_image"]].concat(),
            [&cri[..], &["registry"]].concat(),
            [&cri[..], &["containerd"]].concat(),
        )
    };
    let text = |path: &[&str]| at(document, path).and_then(Item::as_str).unwrap_or_default();
    assert_eq!(text(&sandbox), PAUSE, "{of}");
    let folders = text(&[&registry[..], &["config_path"]].concat());
    assert!(
        folders.split(':').any(|folder| folder == "/etc/containerd/certs.d"),
        "{of}: {folders}"
    );
    let runtimes = at(document, &[&containerd[..], &["runtimes"]].concat()).unwrap();
    let legacy = at(document, &[&containerd[..], &["default_runtime"]].concat());
    let named = text(&[&containerd[..], &["default_runtime_name"]].concat());
    let kind = |runtime: &Item| runtime["runtime_type"].as_str().unwrap().to_owned();
    let legacy = legacy.filter(|runtime| !kind(runtime).is_empty());
    let default = legacy.unwrap_or(&runtimes[named]);
    let all = runtimes.as_table_like().unwrap().iter().map(|(_, runtime)| runtime);
    for runtime in all.chain([default]) {
        let options = runtime.get("options");
        let is_systemd = options.and_then(|options| options.get("SystemdCgroup")?.as_bool());
        let kind = kind(runtime);
        assert!(
            is_systemd == Some(true) || kind.contains("kata") || kind.contains("runsc"),
            "{of}"
        );
    }
}

/// CRI and its parts have loaded.
fn assert_loads(machine: &Machine, config: &str, of: &str) {
    let plugins = machine.plugins(config).unwrap_or_else(|log| panic!("{of}: {log}"));
    let is_cri = |name: &str| {
        name == "io.containerd.grpc.v1.cri" || name.starts_with("io.containerd.cri.v1")
    };
    let cri: Vec<_> = plugins.iter().filter(|(name, _)| is_cri(name)).collect();
    assert!(!cri.is_empty() && cri.iter().all(|(_, state)| state == "ok"), "{of}: {cri:?}");
}

/// Edits it, loads it, and takes all back.
fn assert_works(release: &Release, name: &str, files: &[(&str, &str)], keeps: &[&str]) {
    let of = format!("{name}, containerd {}", release.version);
    let machine = Machine::new(release, files);
    let before = state(&machine);
    let intent = intent(release);
    apply(&machine, &intent).unwrap_or_else(|error| panic!("{of}: {error:#?}"));
    let (text, document) = dump(&machine, MAIN);
    assert_holds(&document, &of);
    for kept in keeps {
        assert!(text.contains(kept), "{of}: {kept} is lost:\n{text}");
    }
    assert_loads(&machine, MAIN, &of);
    let left = Containerd
        .changes(&installer::engine::step::Node { host: &machine.host(), intent: &intent });
    assert_eq!(left.unwrap(), [], "{of}");
    let made = machine.made.lock().unwrap().len();
    assert!(made <= 1, "{of}");
    let mut host = machine.host().open().unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), Vec::<String>::new(), "{of}");
    assert_eq!(machine.made.lock().unwrap().len(), made * 2, "{of}: it reads the old files again");
    assert_eq!(state(&machine), before, "{of}");
}

fn assert_all_work(is_release: impl Fn(&Release) -> bool) {
    for release in Release::all().iter().filter(|release| is_release(release)) {
        for Config { name, files, keeps } in configs::OLD {
            assert_works(release, name, files, keeps);
        }
        for Config { name, files, keeps } in formats::NEW.iter().filter(|_| release.major() >= 2) {
            assert_works(release, name, files, keeps);
        }
        for Config { name, files, keeps } in formats::NEWEST.iter().filter(|_| release.migrates()) {
            assert_works(release, name, files, keeps);
        }
        let default = Machine::new(release, &[]).say(&["config", "default"]).stdout;
        assert_works(release, "its own default", &[(&MAIN[1..], &default)], &[]);
    }
}

#[test]
fn configurations_of_the_field_load_in_containerd_1() {
    assert_all_work(|release| release.major() == 1);
}

#[test]
fn configurations_of_the_field_load_in_containerd_2() {
    assert_all_work(|release| release.major() >= 2);
}

#[test]
fn configurations_of_all_formats_and_orders_load() {
    for release in Release::all() {
        for seed in 0..cases(4) {
            let files = generated::files(&release, seed);
            let files = borrowed(&files);
            println!("{files:#?}");
            generated::assert_others_stay(&release, &files);
            assert_works(&release, &format!("seed {seed}"), &files, &[]);
        }
    }
}

/// How many configurations each containerd judges. More of them with `KUBEFERRY_CASES`.
fn cases(usual: u64) -> u64 {
    std::env::var("KUBEFERRY_CASES").map_or(usual, |text| text.parse().unwrap())
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

#[test]
fn inputs_that_failed_load() {
    let folder = Path::new("../../shared/data/field/containerd");
    let Ok(entries) = fs::read_dir(folder) else {
        println!("skipped: {} is not here", folder.display());
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for release in Release::all() {
            assert_works(&release, &path.display().to_string(), &[(&MAIN[1..], &text)], &[]);
        }
    }
}

#[test]
fn mirrors_and_tls_move_to_files_of_registries() {
    let Some(release) = Release::all().into_iter().next() else { return };
    let config = configs::OLD.iter().filter(|config| config.name.contains("mirror"));
    let moved = |config: &Config, path: &str| {
        let machine = Machine::new(&release, config.files);
        // An empty folder, as others leave it, says nothing.
        let (folder, _) = path.split_once('/').unwrap();
        fs::create_dir_all(machine.path(&format!("/etc/containerd/certs.d/{folder}"))).unwrap();
        apply(&machine, &intent(&release)).unwrap();
        let text = fs::read_to_string(machine.path(&format!("/etc/containerd/certs.d/{path}")));
        text.unwrap().split_once('\n').unwrap().1.to_owned()
    };
    let [harbor, cloud, all] = config.collect::<Vec<_>>().try_into().ok().unwrap();
    let machine = Machine::new(&release, harbor.files);
    let host = machine.host();
    let plan = run::plan(&host, &intent(&release), &STEPS).unwrap();
    let lines: Vec<String> = plan[0].changes.iter().map(ToString::to_string).collect();
    let why = "registry settings of containerd's configuration move there";
    assert_eq!(
        lines,
        [
            format!("write /etc/containerd/certs.d/docker.io/hosts.toml: {why}"),
            format!("write /etc/containerd/certs.d/harbor.site:8443/hosts.toml: {why}"),
            "write /etc/containerd/config.toml".to_owned(),
            "run systemctl restart containerd".to_owned(),
            "wait for crictl --runtime-endpoint unix:///run/containerd/containerd.sock info, 60 s \
             at most"
                .to_owned(),
        ]
    );
    assert_eq!(
        moved(harbor, "docker.io/hosts.toml"),
        "server = \"https://registry-1.docker.io\"\n\n[host.\"https://harbor.site:8443/v2/proxy\"]\n\
         capabilities = [\"pull\", \"resolve\"]\noverride_path = true\nca = \"/etc/ca.crt\"\n"
    );
    assert_eq!(
        moved(harbor, "harbor.site:8443/hosts.toml"),
        "server = \"https://harbor.site:8443\"\nca = \"/etc/ca.crt\"\n"
    );
    assert_eq!(
        moved(cloud, "docker.io/hosts.toml"),
        "server = \"https://registry-1.docker.io\"\n\n[host.\"https://abc.mirror.site\"]\n\
         capabilities = [\"pull\", \"resolve\"]\n\n[host.\"http://10.0.0.9:5000\"]\n\
         capabilities = [\"pull\", \"resolve\"]\n"
    );
    let host = "\n[host.\"http://cache.site\"]\ncapabilities = [\"pull\", \"resolve\"]\n";
    assert_eq!(moved(all, "_default/hosts.toml"), host);
    assert_eq!(moved(all, "r.site:5000/hosts.toml"), "server = \"http://r.site:5000\"\n");
    assert_eq!(
        moved(all, "other.site/hosts.toml"),
        format!("server = \"https://other.site\"\nskip_verify = true\n{host}")
    );
}

#[test]
fn the_first_folder_that_knows_a_registry_of_ours_is_ours() {
    let Some(release) = Release::all().into_iter().next() else { return };
    let told = |folders: &str, is_ours: bool| {
        let text = format!(
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \
             \"{folders}\"\n"
        );
        let files = [(&MAIN[1..], text.as_str()), ("opt/own/docker.io/hosts.toml", "")];
        let machine = Machine::new(&release, &files);
        let mut intent = intent(&release);
        if is_ours {
            let mirrors = "docker.io: ['https://m']";
            intent.cluster.registry_mirrors = serde_saphyr::from_str(mirrors).unwrap();
        }
        apply(&machine, &intent).unwrap();
        let (_, document) = dump(&machine, MAIN);
        let path = ["plugins", "io.containerd.grpc.v1.cri", "registry", "config_path"];
        at(&document, &path).unwrap().as_str().unwrap().to_owned()
    };
    let ours = "/etc/containerd/certs.d";
    assert_eq!(told(&format!("/opt/own:{ours}"), false), format!("/opt/own:{ours}"));
    assert_eq!(told(&format!("/opt/own:{ours}"), true), format!("{ours}:/opt/own"));
    assert_eq!(told(&format!("/opt/other:{ours}"), true), format!("/opt/other:{ours}"));
    assert_eq!(told("/opt/own", false), format!("{ours}:/opt/own"));
}

#[test]
fn what_cannot_be_had_is_refused_before_anything_changes() {
    let mirrors = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"a.b\"]\n\
                   endpoint = [\"https://m\"]\n";
    let main = &MAIN[1..];
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[(main, "version = 2\n\n[plugins\n")], "/etc/containerd/config.toml is not TOML: line 3"),
        (&[(main, "version = 9\n")], "is of version 9, which containerd"),
        (
            &[(main, "imports = [\"/etc/lost.toml\"]\n")],
            "imports /etc/lost.toml, which does not exist",
        ),
        (
            &[(main, "version = 2\nimports = [\"/etc/a.toml\"]\n"), ("etc/a.toml", "[x]\ny = \n")],
            "/etc/a.toml is not TOML: line 2",
        ),
        (
            &[(main, "version = 2\n[grpc]\naddress = \"/run/own.sock\"\n")],
            "containerd listens at /run/own.sock",
        ),
        (
            &[(main, mirrors), ("etc/containerd/certs.d/a.b/hosts.toml", "server = \"x\"\n")],
            "so has /etc/containerd/certs.d/a.b: CRI does not load with both",
        ),
        (
            &[(
                main,
                "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n\
                 default_runtime_name = \"lost\"\n",
            )],
            "containerd's default runtime is lost",
        ),
        // Only containerd itself knows.
        (
            &[(main, "version = 2\noom_score = \"much\"\n")],
            "containerd would refuse its new configuration",
        ),
    ];
    let several: &[(&str, &str)] = &[
        (main, "version = 2\nimports = [\"/etc/a.toml\"]\n"),
        ("etc/a.toml", "version = 3\n[debug]\nlevel = \"info\"\n"),
    ];
    for release in Release::all() {
        let several = (!release.migrates()).then_some((several, ".toml is of version "));
        for (files, told) in cases.into_iter().chain(several) {
            let machine = Machine::new(&release, files);
            let before = state(&machine);
            let error = format!("{:#}", apply(&machine, &intent(&release)).unwrap_err());
            assert!(error.contains(told), "containerd {}: {error}", release.version);
            assert!(!error.contains("/run/kubeferry"), "{error}");
            assert_eq!(state(&machine), before, "{told}");
            assert!(
                machine.made.lock().unwrap().is_empty()
                    && !machine.path("/run/kubeferry-containerd").exists()
            );
        }
    }
}

#[test]
fn a_unit_that_names_another_file_has_that_one_edited() {
    for release in Release::all() {
        let machine =
            Machine::new(&release, &[("etc/own/c.toml", "version = 2\n"), (&MAIN[1..], "")]);
        let unit = "ExecStart={ path=/usr/bin/containerd ; argv[]=/usr/bin/containerd $ARGS ; \
                    ignore_errors=no }\nEnvironment=\"ARGS=--config /etc/own/c.toml\"\n";
        fs::write(machine.path("/run/unit"), unit).unwrap();
        apply(&machine, &intent(&release)).unwrap();
        assert_holds(&dump(&machine, "/etc/own/c.toml").1, "another file");
        assert_eq!(fs::read_to_string(machine.path(MAIN)).unwrap(), "");
    }
}

#[test]
fn settings_of_containerds_own_servers_stay_in_force() {
    let text = "disabled_plugins = [\"cri\"]\n[grpc]\nmax_recv_message_size = 33554432\n[metrics]\n\
                address = \"127.0.0.1:0\"\n[debug]\naddress = \"/run/own.sock\"\n";
    for release in Release::all() {
        let machine = Machine::new(&release, &[(&MAIN[1..], text)]);
        apply(&machine, &intent(&release)).unwrap();
        let (all, document) = dump(&machine, MAIN);
        for (key, setting, value) in [
            ("grpc", "max_recv_message_size", "33554432"),
            ("metrics", "address", "127.0.0.1:0"),
            ("debug", "address", "/run/own.sock"),
        ] {
            // Their place since format 4.
            let plugin = format!("io.containerd.server.v1.{key}");
            let path = match release.migrates() {
                true => vec!["plugins", &plugin, setting],
                false => vec![key, setting],
            };
            let told = at(&document, &path).unwrap_or_else(|| panic!("{path:?}: {all}"));
            assert!(told.to_string().contains(value), "containerd {}: {told}", release.version);
        }
    }
}

#[test]
fn doctor_says_why_cri_did_not_load() {
    for release in Release::all() {
        let text = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \
                    \"/a\"\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"a.b\"]\n\
                    endpoint = [\"https://m\"]\n";
        let machine = Machine::new(&release, &[(&MAIN[1..], text)]);
        let found = machine.while_it_runs(MAIN, || doctor::containerd_answers(&machine.host()));
        let found = found.unwrap().unwrap();
        let cause = "containerd's CRI did not load, because of /etc/containerd/config.toml: ";
        let reason = "`mirrors` cannot be set when `config_path` is provided";
        assert!(found.cause.starts_with(cause) && found.cause.contains(reason), "{found:?}");
        assert!(found.cure.contains("systemctl restart containerd"), "{found:?}");
        let broken = Machine::new(&release, &[(&MAIN[1..], "version = 2\noom_score = \"much\"\n")]);
        let found = doctor::containerd_reads(&broken.host()).unwrap().unwrap();
        assert!(found.cause.starts_with("containerd cannot read its configuration"), "{found:?}");
    }
}
