//! What is carried to nodes: an installer for each architecture, the bundle with its parts and
//! its signature, the keys that count, and the cluster file. A bundle in a registry stays there,
//! and nodes get the authorities that count for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::{Architecture, Digest};
use distribution::site::Reach;

use super::FOLDER;
use super::connection::{Connection, said};
use super::content::Content;
use super::facts::Facts;
use super::progress::size;
use super::script;
use crate::failure::Failure;

/// What is left free on a node's disk, in bytes.
const SPARE: u64 = 64 << 20;

/// Files of at most so many bytes together are sent to each node from here.
const SMALL: u64 = 1 << 20;

/// What all nodes get.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    programs: BTreeMap<Architecture, Content>,
    /// The bundle's files, or authorities for its registry; then keys.
    files: Vec<Content>,
    /// The folder of these files on each node.
    folder: String,
    /// The cluster file.
    config: String,
    /// Where all that lies on this machine.
    here: Place,
    /// Where it lies on a node. The installer's path is empty here: it depends on the architecture.
    there: Place,
}

/// Where nodes get the bundle from.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// They are given these files, of which the first is named to the installer.
    Files(&'a [PathBuf]),
    /// Each reads what it needs at this address of a registry.
    Registry(&'a str, &'a Reach),
}

/// Where a node has what its installer needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The installer.
    pub program: String,
    /// The bundle, or its address.
    pub bundle: String,
    /// The authorities that count for the registry at that address.
    pub authorities: Vec<String>,
    /// Whether that registry is reached without TLS.
    pub plain_http: bool,
    /// The keys of which one has signed it.
    pub keys: Vec<String>,
}

impl Place {
    /// The options that name the bundle to the installer.
    pub(super) fn options(&self) -> Vec<&str> {
        let mut words = vec!["--bundle", &self.bundle];
        self.authorities.iter().for_each(|path| words.extend(["--registry-ca", path]));
        words.extend(self.plain_http.then_some("--plain-http"));
        self.keys.iter().for_each(|key| words.extend(["--trusted-key", key]));
        words
    }
}

/// The cluster file on each node.
pub(super) fn config() -> String {
    format!("{FOLDER}/cluster.yaml")
}

impl Carried {
    /// Only this program, for commands that need no bundle.
    pub fn program(program: &Path) -> anyhow::Result<Self> {
        let mut carried = Self::default();
        carried.here.program = program.display().to_string();
        let content = Content::program(program, FOLDER)?;
        carried.programs.insert(std::env::consts::ARCH.parse()?, content);
        Ok(carried)
    }

    /// Adds the installer of another architecture, if it lies in one of the folders.
    pub fn with_others(mut self, folders: &[&Path]) -> anyhow::Result<Self> {
        for architecture in [Architecture::X86_64, Architecture::Aarch64] {
            let paths =
                folders.iter().map(|folder| folder.join(format!("installer-{architecture}")));
            let found = paths.into_iter().find(|path| path.is_file());
            if let (Some(path), false) = (found, self.programs.contains_key(&architecture)) {
                self.programs.insert(architecture, Content::program(&path, FOLDER)?);
            }
        }
        Ok(self)
    }

    /// Adds the bundle, the keys that are trusted and the cluster file.
    pub fn with_bundle(
        mut self,
        origin: Origin<'_>,
        keys: &[PathBuf],
        config: String,
    ) -> anyhow::Result<Self> {
        let (bundle, address, reach) = match origin {
            Origin::Files(files) => (files, None, &Reach::default()),
            Origin::Registry(address, reach) => ([].as_slice(), Some(address), reach),
        };
        let all = bundle.iter().chain(&reach.ca).chain(keys);
        self.files = all.map(|path| Content::file(path)).collect::<anyhow::Result<_>>()?;
        let (_, others) = self.files.split_at_mut(bundle.len());
        let (authorities, key_files) = others.split_at_mut(reach.ca.len());
        numbered(authorities, "authority", "pem");
        numbered(key_files, "key", "pub");
        let all: String =
            self.files.iter().map(|file| format!("{} {}\n", file.digest.hex(), file.to)).collect();
        let id = Digest::of(all.as_bytes()).hex();
        id.get(..16).unwrap_or_default().clone_into(&mut self.folder);
        let folder = format!("{FOLDER}/{}", self.folder);
        self.files.iter_mut().for_each(|file| file.below(&folder));
        let mut there = self.files.iter().map(|file| file.to.clone());
        let mut next = |paths: &[PathBuf]| there.by_ref().take(paths.len()).collect::<Vec<_>>();
        let place = |files: Vec<String>, authorities, keys| Place {
            program: String::new(),
            bundle: address
                .map_or_else(|| files.into_iter().next().unwrap_or_default(), str::to_owned),
            authorities,
            plain_http: reach.plain_http,
            keys,
        };
        self.there = place(next(bundle), next(&reach.ca), next(keys));
        let words =
            |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
        let program = std::mem::take(&mut self.here.program);
        self.here = Place { program, ..place(words(bundle), words(&reach.ca), words(keys)) };
        self.config = config;
        Ok(self)
    }

    fn program_for(&self, facts: &Facts) -> Result<&Content, Failure> {
        let architecture = facts.architecture;
        self.programs.get(&architecture).ok_or_else(|| {
            Failure::new(
                format!("there is no installer for its processor, {architecture}"),
                format!("put `installer-{architecture}` beside the bundle"),
            )
        })
    }

    /// Where a node has it, or will have it.
    pub fn place(&self, connection: &Connection<'_>, facts: &Facts) -> Result<Place, Failure> {
        if connection.is_here() {
            return Ok(self.here.clone());
        }
        Ok(Place { program: self.program_for(facts)?.to.clone(), ..self.there.clone() })
    }

    /// How many bytes a node still needs. Fails if its disk has no room for them.
    pub fn missing(&self, connection: &Connection<'_>, facts: &Facts) -> anyhow::Result<u64> {
        if connection.is_here() {
            return Ok(0);
        }
        let mut missing = self.program_for(facts)?.missing(connection)?;
        for file in &self.files {
            missing += file.missing(connection)?;
        }
        if missing > 0 && missing + SPARE > facts.room {
            let (needed, free) = (size(missing + SPARE), size(facts.room));
            bail!(Failure::new(
                format!("/var/lib has {free} free, and copying takes {needed}"),
                "make room there",
            ));
        }
        Ok(missing)
    }

    /// Gives a node the installer.
    pub fn send_program(
        &self,
        connection: &Connection<'_>,
        facts: &Facts,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<()> {
        if connection.is_here() {
            return Ok(());
        }
        self.program_for(facts)?.send(connection, tell)
    }

    /// Removes what earlier bundles have left on a node.
    pub fn clear(&self, connection: &Connection<'_>, place: &Place) -> anyhow::Result<()> {
        if connection.is_here() {
            return Ok(());
        }
        let program = place.program.rsplit('/').next().unwrap_or_default();
        said(connection.ask(script::CLEAR, &[FOLDER, &self.folder, program])?).map(drop)
    }

    /// Gives a node the files.
    pub fn send_bundle(
        &self,
        connection: &Connection<'_>,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<()> {
        self.files.iter().try_for_each(|file| file.send(connection, tell))
    }

    /// Whether the files are so small that this machine sends them to each node.
    pub(super) fn is_small(&self) -> bool {
        self.files.iter().map(|file| file.size).sum::<u64>() <= SMALL
    }

    /// The files of the bundle and the keys, which lie in one folder of each node.
    pub(super) fn files(&self) -> &[Content] {
        &self.files
    }

    /// Gives a node the cluster file.
    pub fn send_config(&self, connection: &Connection<'_>) -> anyhow::Result<()> {
        let mut input = |pipe: &mut dyn std::io::Write| pipe.write_all(self.config.as_bytes());
        let output = connection.run(script::WRITE, &[&config()], Some(&mut input))?;
        if !output.succeeded() {
            bail!("writing {} failed: {}", config(), output.end());
        }
        Ok(())
    }
}

/// Names files on nodes by their number, because two may have one name here.
fn numbered(files: &mut [Content], begin: &str, end: &str) {
    for (number, file) in files.iter_mut().enumerate() {
        file.to = format!("{begin}-{number}.{end}");
    }
}
