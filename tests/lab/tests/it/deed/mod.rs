//! What a plan says is to be done, and what the receipt says was done, in the same
//! words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lab::Node;
use lab::cluster::INSTALLER;
use serde_json::Value;

const RECEIPT: &str = "/var/lib/kubeferry/receipt.jsonl";
const IMPORT: &str = "ctr -n k8s.io images import ";

/// Commands, files and folders of a plan or of a receipt.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    commands: BTreeSet<String>,
    paths: BTreeSet<String>,
    /// Files of the bundle, by the folder that they are laid out below.
    unpacked: BTreeMap<String, usize>,
    images: usize,
    /// Packages: new ones in full, others by their names.
    packages: BTreeSet<String>,
}

impl Deeds {
    /// What a plan with these options says, of a node that is ready for it.
    pub(crate) fn planned(node: &Node, options: &[&str]) -> Self {
        let plan = node.run([&[INSTALLER, "plan", "--json"], options].concat()).unwrap();
        let plan: Value = serde_json::from_str(&plan).unwrap();
        assert_eq!(plan["problems"], Value::Array(Vec::new()));
        let mut all = Self::default();
        for step in plan["steps"].as_array().unwrap() {
            for change in step["changes"].as_array().unwrap() {
                for part in change.as_str().unwrap().split(", and ") {
                    all.add(part);
                }
            }
        }
        all
    }

    /// A change, or a part of one, in the words in which a plan shows it.
    fn add(&mut self, change: &str) {
        let (verb, rest) = change.split_once(' ').unwrap();
        match verb {
            "run" => drop(self.commands.insert(rest.to_owned())),
            "write" | "remove" => drop(self.paths.insert(rest.to_owned())),
            "make" => {
                let folder = rest.strip_prefix("the folder ").unwrap();
                self.paths.insert(folder.to_owned());
            }
            "unpack" => {
                let (what, folder) = rest.split_once(" into ").unwrap();
                // A single one is named.
                let count = what.strip_suffix(" files").map_or(1, number);
                *self.unpacked.entry(folder.to_owned()).or_default() += count;
            }
            "import" => self.images += number(rest.split(' ').next().unwrap()),
            "wait" => {}
            "install" | "upgrade" | "downgrade" => {
                for kind in change.split("; ") {
                    let (_, packages) = kind.split_once(' ').unwrap();
                    let names = packages.split(", ").map(|one| one.split(' ').next().unwrap());
                    self.packages.extend(names.map(str::to_owned));
                }
            }
            _ => panic!("a plan has no `{verb}`"),
        }
    }

    /// Holds what a run has done to this plan: all of it, and nothing else but the
    /// files that its commands write and the folders that its files lie in.
    pub(crate) fn assert_done(&self, node: &Node) {
        let receipt = node.run(["cat", RECEIPT]).unwrap();
        let mut done = Self::default();
        for line in receipt.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let deed = &line["deed"];
            let path = || deed["path"].as_str().unwrap().to_owned();
            match deed["did"].as_str() {
                Some("ran") => done.ran(&deed["command"]),
                Some("installed") => done.installed(deed),
                Some("wrote") => {
                    let path = path();
                    let folder = self.unpacked.keys().find(|folder| path.starts_with(*folder));
                    if let Some(folder) = folder {
                        *done.unpacked.entry(folder.clone()).or_default() += 1;
                    } else if self.paths.contains(&path) || !deed["after"].is_null() {
                        done.paths.insert(path);
                    }
                }
                Some("claimed") => drop(done.paths.insert(path())),
                Some("made") => {
                    let path = path();
                    if self.paths.contains(&path) || !self.has_files_in(&path) {
                        done.paths.insert(path);
                    }
                }
                Some(other) => panic!("a receipt has no `{other}`"),
                None => {}
            }
        }
        assert_eq!(done.commands, self.commands);
        assert_eq!(done.paths, self.paths);
        assert_eq!(done.unpacked, self.unpacked);
        assert_eq!(done.images, self.images);
        assert_eq!(done.packages, self.packages);
    }

    /// Whether a folder is one that its files lie in.
    fn has_files_in(&self, folder: &str) -> bool {
        let below = |one: &String| Path::new(one).starts_with(folder);
        let unpacked = |one: &String| below(one) || Path::new(folder).starts_with(one);
        self.paths.iter().any(below) || self.unpacked.keys().any(unpacked)
    }

    fn installed(&mut self, deed: &Value) {
        let text = |one: &Value| one.as_str().unwrap().to_owned();
        self.packages.extend(deed["came"].as_array().unwrap().iter().map(text));
        // Of a name with version, release and architecture the name.
        let name = |one: &Value| text(&one["is"]).rsplitn(3, '-').nth(2).unwrap().to_owned();
        self.packages.extend(deed["replaced"].as_array().unwrap().iter().map(name));
    }

    fn ran(&mut self, command: &Value) {
        let words: Vec<&str> =
            command.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let line = words.join(" ");
        if line.starts_with(IMPORT) {
            self.images += 1;
        } else {
            self.commands.insert(line);
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap()
}
