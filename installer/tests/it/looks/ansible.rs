//! The Ansible collection, built and installed as a site has it, by the lines of its page in check
//! mode: the real installer says what it would do, and nothing but our folder is changed. The lab
//! has real nodes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab::built;

use super::folder_with;
use super::signed::{key, sign};

/// The fenced blocks of the page.
fn blocks() -> Vec<String> {
    let page = fs::read_to_string("../docs/ansible.md").unwrap();
    page.split("```\n").skip(1).step_by(2).map(str::to_owned).collect()
}

/// The block of the page that begins like this.
fn block(begin: &str) -> String {
    blocks().into_iter().find(|block| block.starts_with(begin)).unwrap()
}

const TWO: &str = "nodes:\n- {name: m1, address: 10.0.0.2, role: master}\n- {name: w1, address: \
                   10.0.0.3, role: worker}\n";

/// Each Ansible that is here, the newest last, or the word why there is none.
fn programs() -> Vec<PathBuf> {
    let found = built::programs("ansible");
    if found.is_empty() {
        println!("skipped: there is no ansible-core; see `scripts/tools --judges`");
    }
    found.into_iter().map(|(_, program)| program).collect()
}

/// A site with the collection, and nodes whose files are in folders here.
struct Site {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Site {
    /// One for each Ansible that is here: for what releases may read differently.
    fn all() -> impl Iterator<Item = Self> {
        programs().into_iter().map(|program| Self::of(program.parent().unwrap()))
    }

    /// One with the newest Ansible.
    fn newest() -> Option<Self> {
        programs().pop().map(|program| Self::of(program.parent().unwrap()))
    }

    fn of(ansible: &Path) -> Self {
        let site = Self { folder: folder_with("{}"), programs: ansible.join("bin") };
        let made = Command::new("../scripts/collection").arg(site.path("")).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        site.ok_line(&block("ansible-galaxy"));
        // An installer that looks at a folder, as `--root` has it.
        let own = format!(
            "#!/bin/sh\ncase $1 in plan|preflight) set -- \"$@\" --root {}; esac\nexec {} \"$@\"\n",
            site.path("node").display(),
            env!("CARGO_BIN_EXE_installer")
        );
        fs::write(site.path("installer"), own).unwrap();
        fs::set_permissions(site.path("installer"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(site.path("cluster.yaml"), TWO).unwrap();
        fs::write(site.path("kubeferry.yml"), block("plugin:")).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(self.programs.join(program))
            .args(arguments)
            .current_dir(&self.folder)
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
            .output()
            .unwrap()
    }

    fn ok(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{program} {arguments:?}: {}", words(&output));
        words(&output)
    }

    /// Runs a line of the page.
    fn ok_line(&self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.ok(words[0], &words[1..])
    }

    /// The line of the page that looks what would be done on all nodes.
    fn check(&self, more: &[&str]) -> Output {
        self.up(&[&["--check", "--diff"], more].concat())
    }

    fn up(&self, more: &[&str]) -> Output {
        let ours =
            format!("kubeferry_folder={}/{{{{ inventory_hostname }}}}", self.path("far").display());
        let line = blocks().into_iter().find(|line| line.contains("--check --diff")).unwrap();
        let line = line.replace("/media/usb/demo.tar", "small.tar").replace(" --check --diff", "");
        let words: Vec<&str> = line.split_whitespace().collect();
        let here = ["--connection", "local", "-e", "ansible_become=false", "-e", &ours];
        fs::create_dir_all(self.path("far")).unwrap();
        self.run(words[0], &[&words[1..], &here, more].concat())
    }
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// All paths below a folder.
fn tree(folder: &Path) -> Vec<String> {
    let said = Command::new("find").arg(folder).args(["-printf", "%P %T@ %m\n"]).output().unwrap();
    words(&said).lines().map(str::to_owned).collect()
}

#[test]
fn check_mode_has_each_installer_say_what_it_would_do() {
    for site in Site::all() {
        // What an earlier bundle has left goes.
        fs::create_dir_all(site.path("far/w1/bundle")).unwrap();
        fs::write(site.path("far/w1/bundle/old.tar"), "").unwrap();
        let before = tree(&site.path("node"));
        let said = site.check(&[]);
        let text = words(&said);
        assert!(said.status.success(), "{text}");
        assert_eq!(text.matches("hosts: write /etc/hosts").count(), 2, "{text}");
        assert!(text.contains("control-plane: run kubeadm init"), "{text}");
        assert!(text.contains("join: run kubeadm join"), "{text}");
        assert_eq!(text.matches("failed=0").count(), 3, "both, and this machine: {text}");
        assert_eq!(tree(&site.path("node")), before);
        let mode = |name: &str| {
            let path = site.path("far/w1").join(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        };
        assert_eq!([mode(""), mode("installer")], [0o700; 2]);
        assert_eq!([mode("cluster.yaml"), mode("bundle/small.tar")], [0o600; 2]);
        assert!(!site.path("far/w1/bundle/old.tar").exists());
    }
}

#[test]
fn a_problem_of_one_node_stops_all_with_its_cure() {
    let Some(site) = Site::newest() else { return };
    fs::write(site.path("node/proc/cpuinfo"), "processor\t: 0\n").unwrap();
    let said = site.check(&[]);
    let text = words(&said);
    assert_eq!(said.status.code(), Some(2), "{text}");
    assert!(text.contains("this node has 1") && text.contains("hint: "), "{text}");
    // Without all masters nobody knows whether there is a cluster.
    let said = site.check(&["--limit", "w1"]);
    assert!(words(&said).contains("name all masters in --limit"), "{}", words(&said));
}

#[test]
fn an_installer_that_is_named_and_missing_is_not_replaced() {
    let Some(site) = Site::newest() else { return };
    let said = site.check(&["-e", "kubeferry_installer=/gone/installer"]);
    assert_eq!(said.status.code(), Some(2), "{}", words(&said));
    assert!(words(&said).contains("there is no /gone/installer"), "{}", words(&said));
    assert!(!site.path("far/m1/installer").exists());
    // Without one, both places are named.
    fs::rename(site.path("installer"), site.path("aside")).unwrap();
    let both = format!("installer-{} and no ", std::env::consts::ARCH);
    let said = site.check(&[]);
    assert!(words(&said).contains(&both), "{}", words(&said));
    let named = format!("kubeferry_installer={}", site.path("aside").display());
    let said = site.check(&["-e", &named]);
    assert!(said.status.success(), "{}", words(&said));
}

#[test]
fn two_trusted_keys_of_one_name_both_count() {
    let Some(site) = Site::newest() else { return };
    for folder in ["own", "other"] {
        fs::create_dir(site.path(folder)).unwrap();
        key(site.folder.path(), &format!("{folder}/site"));
    }
    sign(site.folder.path(), "own/site", 1_795_833_174);
    let with = |keys: &str| site.check(&["-e", &format!("{{\"kubeferry_trusted_keys\": {keys}}}")]);
    for keys in [r#"["own/site.pub", "other/site.pub"]"#, r#"["other/site.pub", "own/site.pub"]"#] {
        let said = with(keys);
        assert!(said.status.success(), "{keys}: {}", words(&said));
    }
    let said = with(r#"["other/site.pub"]"#);
    assert!(words(&said).contains("small.tar.minisig was made with the key"), "{}", words(&said));
    let kept = fs::read_dir(site.path("far/w1/keys")).unwrap().count();
    assert_eq!(kept, 1, "those of an earlier run are gone");
}

#[test]
fn no_character_of_a_path_is_a_pattern() {
    for site in Site::all() {
        let stick = site.path("stick [1]*");
        fs::create_dir(&stick).unwrap();
        for name in ["small.tar", "installer"] {
            fs::rename(site.path(name), stick.join(name)).unwrap();
        }
        fs::write(stick.join("small.tar.minisig.old"), "no file of the bundle").unwrap();
        let bundle = r#"{"kubeferry_bundle": "stick [1]*/small.tar"}"#;
        let said = site.check(&["-e", bundle]);
        assert!(said.status.success(), "{}", words(&said));
        let there = || {
            let files = fs::read_dir(site.path("far/w1/bundle")).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(there(), ["small.tar"]);
        // Parts, by the name of one.
        let bytes = fs::read(stick.join("small.tar")).unwrap();
        let (first, second) = bytes.split_at(bytes.len() / 2 + 1);
        fs::write(stick.join("small.tar.part01of02"), first).unwrap();
        fs::write(stick.join("small.tar.part02of02"), second).unwrap();
        fs::remove_file(stick.join("small.tar")).unwrap();
        let said = site.check(&["-e", &bundle.replace(".tar\"", ".tar.part02of02\"")]);
        assert!(said.status.success(), "{}", words(&said));
        assert_eq!(there(), ["small.tar.part01of02", "small.tar.part02of02"]);
        let said = site.check(&["-e", &bundle.replace("small", "gone")]);
        assert!(words(&said).contains("there is no bundle gone.tar in"), "{}", words(&said));
    }
}

/// The installer says why, and Ansible hides all that its task says.
#[test]
fn a_master_that_cannot_make_a_join_file_says_why() {
    let Some(site) = Site::newest() else { return };
    // This machine is no master, and is not made one: all else is the real installer.
    let own = fs::read_to_string(site.path("installer")).unwrap();
    let own = own.replace("case $1 in", "case $1 in --role) exit 0;;");
    assert!(own.contains("--role) exit 0"), "{own}");
    fs::write(site.path("installer"), own).unwrap();
    let said = site.up(&["-v"]);
    let text = words(&said);
    assert_eq!(said.status.code(), Some(2), "{text}");
    assert!(text.contains("this node is no master"), "{text}");
    assert!(text.contains("hint: run this on the node that was made"), "{text}");
    assert!(!text.contains("Make the workers"), "{text}");
}

#[test]
fn the_inventory_has_the_machines_in_the_order_of_the_file() {
    for site in Site::all() {
        let line = ["-i", "kubeferry.yml", "--list"];
        let list = site.ok("ansible-inventory", &line);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list["kubeferry_masters"]["hosts"], serde_json::json!(["m1"]));
        assert_eq!(list["kubeferry_workers"]["hosts"], serde_json::json!(["w1"]));
        // Some releases say besides that it is no template.
        let address = list["_meta"]["hostvars"]["w1"]["ansible_host"].to_string();
        assert!(address.contains("10.0.0.3"), "{address}");
        fs::write(site.path("cluster.yaml"), TWO.replace(", role: worker", "")).unwrap();
        let said = words(&site.run("ansible-inventory", &line));
        assert!(said.contains("w1 needs `role: master` or `role: worker`"), "{said}");
        // A value is no template, and a number no name. Then nothing is done, and it fails.
        let template = "\"{{ lookup('pipe', 'touch ran') }}\"";
        for (own, odd) in [("10.0.0.3", template), ("w1", "7")] {
            fs::write(site.path("cluster.yaml"), TWO.replace(own, odd)).unwrap();
            let said = site.check(&[]);
            assert_eq!(said.status.code(), Some(2), "{}", words(&said));
            assert!(words(&said).contains("the inventory has no nodes"), "{}", words(&said));
            assert!(!site.path("ran").exists());
        }
    }
}

#[test]
fn every_part_of_the_collection_has_its_page_and_is_what_was_built() {
    for site in Site::all() {
        for (kind, name) in [
            ("module", "node"),
            ("module", "node_info"),
            ("inventory", "cluster_file"),
            ("lookup", "bundle_files"),
            ("role", "nodes"),
        ] {
            let name = format!("kubeferry.cluster.{name}");
            let page = site.ok("ansible-doc", &["--type", kind, &name]);
            assert!(page.len() > 300, "{page}");
        }
        site.ok("ansible-galaxy", &["collection", "verify", "--offline", "kubeferry.cluster"]);
        let own = site.path("own.yml");
        fs::write(&own, block("- hosts:")).unwrap();
        for playbook in ["kubeferry.cluster.up", "kubeferry.cluster.reset", own.to_str().unwrap()] {
            site.ok("ansible-playbook", &["-i", "kubeferry.yml", "--syntax-check", playbook]);
        }
        let archive = site.path(&format!("kubeferry-cluster-{}.tar.gz", env!("CARGO_PKG_VERSION")));
        let first = fs::read(&archive).unwrap();
        Command::new("../scripts/collection").arg(site.path("")).output().unwrap();
        assert!(fs::read(&archive).unwrap() == first, "the same commit gives the same bytes");
    }
}

#[test]
fn the_page_has_all_variables_of_the_role() {
    let page = fs::read_to_string("../docs/ansible.md").unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `kubeferry_"));
    let mut told: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let role = fs::read_to_string("ansible/roles/nodes/meta/argument_specs.yml").unwrap();
    let keys = role.lines().filter_map(|line| line.trim().strip_prefix("kubeferry_"));
    let mut known: Vec<&str> = keys.filter_map(|line| line.strip_suffix(':')).collect();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
}
