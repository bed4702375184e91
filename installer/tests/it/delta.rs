//! A bundle without what the node has: what it lacks comes from another bundle, or from the
//! node, or preflight names it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bundle_format::archive::reader::Bundle;
use bundle_format::archive::writer;
use bundle_format::have::Have;
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{Descriptor, LockedPlatform};
use bundle_format::oci::OCI_MANIFEST;
use bundle_format::{Architecture, Digest};
use installer::engine::run;
use installer::exec::{Command, Exec, Input, Output};
use installer::host::Host;
use installer::intent::Intent;
use installer::node::have;
use installer::preflight;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::{PACKAGE, Rpm, add_packages, image, target, write_bundle_with};
use crate::node::{Commands, Fault, Node, kinds};
use crate::pages::INSTALLER;

const MANIFEST: &str = "a manifest";
const CONFIG: &str = "a configuration";
const LAYER: &str = "a layer";
const NAME: &str = "r.x/app:1";
const KUBELET: &str = "kubelet-1.28.2-1.x86_64";

fn blob(text: &str) -> Descriptor {
    let digest = Digest::of(text.as_bytes());
    Descriptor { media_type: FILE_TYPE.into(), digest, size: text.len() as u64 }
}

/// The bundle with a package and an image, `whole.tar`, and `delta.tar` without both.
fn bundles(folder: &Path) -> [PathBuf; 2] {
    let [whole, delta] = ["whole.tar", "delta.tar"].map(|name| folder.join(name));
    write_bundle_with(&whole, &[], &[MANIFEST, CONFIG, LAYER], |lock| {
        lock.targets = vec![target(Architecture::X86_64)];
        add_packages(lock, &[Rpm { nevra: KUBELET, is_requested: true, needed: &[] }]);
        let mut own = image(NAME);
        own.platforms = vec![LockedPlatform {
            architecture: Architecture::X86_64,
            manifest: Descriptor { media_type: OCI_MANIFEST.into(), ..blob(MANIFEST) },
            config: blob(CONFIG),
            layers: vec![blob(LAYER)],
        }];
        lock.images = vec![own];
    });
    let bundle = Bundle::open(&whole).unwrap();
    let layout = bundle.layout().unwrap().without(bundle.lock(), |_| true);
    assert_eq!(layout.absent.len(), 2);
    let open = |blob: &_| bundle.open_blob(blob).map_err(io::Error::other);
    writer::write(&mut File::create(&delta).unwrap(), &layout, open, |_| ()).unwrap();
    [whole, delta]
}

/// What a bare master-to-be says before an install from a bundle.
fn told(node: &Node, bundle: Bundle) -> (Vec<String>, Intent) {
    let mut intent = node.intent();
    intent.target = bundle.lock().targets[0].clone();
    intent.bundle = bundle;
    let problems = preflight::problems(&node.look(None).0, &intent);
    let problems = problems.into_iter().map(|one| format!("{one}\n{}", one.cure()));
    (problems.filter(|one| one.contains("delta")).collect(), intent)
}

#[test]
fn what_nobody_has_is_named_before_anything_begins() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, delta] = bundles(folder.path());
    let open = || Bundle::open(&delta).unwrap();
    let node = kinds::bare(Role::Master);
    let (problems, intent) = told(&node, open());
    let words = format!(
        "the bundle is a delta, and neither it nor this node has all of 2 things: \
         rpms/el9-x86_64/{KUBELET}.rpm, {NAME}\nname a bundle that has them after it: \
         `--bundle DELTA --bundle OLD`; or bring the whole bundle, which `bundler complete` makes"
    );
    assert_eq!(problems, [words]);
    let of_images = preflight::of_images(&node.look(None).0, &intent);
    assert!(of_images.iter().any(|one| one.to_string().ends_with(&format!(": {NAME}"))));
    // Another bundle has them.
    assert_eq!(told(&node, open().with_others(&[whole]).unwrap()).0, [""; 0]);
}

#[test]
fn what_the_node_has_need_not_be_in_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let [_, delta] = bundles(folder.path());
    let node = kinds::bare(Role::Master);
    let packages = node.root().join("var/lib/kubeferry/packages");
    fs::create_dir_all(&packages).unwrap();
    // A package of another content, though of the same size, counts for nothing.
    let package = packages.join(format!("{KUBELET}.rpm"));
    fs::write(&package, "A package").unwrap();
    fs::write(node.root().join("run/content"), format!("{}\n", blob(LAYER).digest)).unwrap();
    let (problems, _) = told(&node, Bundle::open(&delta).unwrap());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("all of 1 thing: rpms/"), "{problems:?}");
    fs::write(&package, PACKAGE).unwrap();
    let (problems, intent) = told(&node, Bundle::open(&delta).unwrap());
    assert_eq!(problems, [""; 0]);
    // And so it is neither unpacked nor sent to containerd.
    let mut steps = order::steps(Role::Master);
    steps.retain(|step| [StepName::Repository, StepName::Images].contains(&step.name()));
    let fed = Arc::default();
    let exec = Recorder { node: node.look(None).1, fed: Arc::clone(&fed) };
    let host = Host::look(node.root(), Box::new(exec)).unwrap();
    let end = run::apply(&mut host.open().unwrap(), &intent, &steps, &mut |_, _, _| ());
    // This containerd stores nothing, which the step notices.
    let end = end.unwrap_err().to_string();
    assert!(end.contains("`images`"), "{end}");
    let fed = String::from_utf8_lossy(&fed.lock().unwrap()).into_owned();
    assert!(fed.contains(&blob(CONFIG).digest.hex()) && fed.contains(CONFIG), "{fed}");
    assert!(!fed.contains(&blob(LAYER).digest.hex()), "{fed}");
}

#[test]
fn several_bundles_are_read_as_one_and_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    bundles(folder.path());
    let verify = |words: &[&str]| {
        let mut installer = std::process::Command::new(INSTALLER);
        let said = installer.arg("verify").args(words).current_dir(folder.path()).output();
        let said = said.unwrap();
        let text = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
        (said.status.code(), text)
    };
    let (status, text) = verify(&["delta.tar"]);
    assert_eq!(status, Some(1), "its image's documents are none: {text}");
    assert!(!text.contains(&blob(LAYER).digest.to_string()), "what it lacks is no damage: {text}");
    let (status, text) = verify(&["--bundle", "whole.tar", "--bundle", "delta.tar"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("whole.tar is whole, so no other bundle is needed with it"), "{text}");
    let both = ["--bundle", "delta.tar", "--bundle", "whole.tar"];
    assert_eq!(verify(&both), verify(&["whole.tar"]));
}

#[test]
fn a_node_says_what_it_has() {
    let node = kinds::bare(Role::Worker);
    let take = || have::take(&node.look(None).0, "node-1".to_owned());
    assert_eq!(take().unwrap().blobs, BTreeSet::new());
    let packages = node.root().join("var/lib/kubeferry/packages");
    fs::create_dir_all(packages.join("repodata")).unwrap();
    fs::write(packages.join(format!("{KUBELET}.rpm")), PACKAGE).unwrap();
    fs::write(packages.join("repodata/repomd.xml"), "no package").unwrap();
    let layer = blob(LAYER).digest;
    fs::write(node.root().join("run/content"), format!("{layer}\nno digest\n")).unwrap();
    let have = take().unwrap();
    assert_eq!(have.blobs, BTreeSet::from([layer, blob(PACKAGE).digest]));
    assert_eq!(Have::parse(have.text().unwrap().as_bytes()).unwrap(), have);
    // No answer is not "nothing".
    let mute = node.look(Some(Fault::Mute("ctr -n k8s.io content"))).0;
    let error = have::take(&mute, "node-1".to_owned()).unwrap_err().to_string();
    assert_eq!(error, "containerd does not say what it has");
}

/// Keeps what commands get as their input.
struct Recorder {
    node: Commands,
    fed: Arc<Mutex<Vec<u8>>>,
}

impl Exec for Recorder {
    fn run(&self, command: &Command, input: Option<Input<'_>>) -> io::Result<Output> {
        if let Some(input) = input {
            input(&mut *self.fed.lock().unwrap())?;
            return Ok(Output { status: Some(0), ..Output::default() });
        }
        self.node.run(command, None)
    }

    fn ask(&self, command: &Command, limit: Duration) -> io::Result<Output> {
        self.node.ask(command, limit)
    }
}
