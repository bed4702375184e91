//! What is carried to nodes: an installer for each architecture, the bundle with its parts and
//! its signature, the keys that count, and the cluster file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::{Architecture, Digest};

use super::FOLDER;
use super::connection::{Connection, said};
use super::content::Content;
use super::facts::Facts;
use super::progress::size;
use super::script;
use crate::failure::Failure;

/// What is left free on a node's disk, in bytes.
const SPARE: u64 = 64 << 20;

/// What all nodes get.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    programs: BTreeMap<Architecture, Content>,
    /// The bundle's files, the first of which is named to the installer; then keys.
    files: Vec<Content>,
    /// How many of these files are keys.
    keys: usize,
    /// The cluster file.
    config: String,
    /// Where all that lies on this machine.
    here: Place,
}

/// Where a node has what its installer needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The installer.
    pub program: String,
    /// The bundle.
    pub bundle: String,
    /// The keys of which one has signed it.
    pub keys: Vec<String>,
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

    /// Adds the bundle's files, the keys that are trusted and the cluster file.
    pub fn with_bundle(
        mut self,
        bundle: &[PathBuf],
        keys: &[PathBuf],
        config: String,
    ) -> anyhow::Result<Self> {
        let words = |path: &PathBuf| path.display().to_string();
        self.here.bundle = bundle.first().map(words).unwrap_or_default();
        self.here.keys = keys.iter().map(words).collect();
        let files = bundle.iter().chain(keys).map(|path| Content::file(path));
        self.files = files.collect::<anyhow::Result<_>>()?;
        for (number, key) in self.files.iter_mut().skip(bundle.len()).enumerate() {
            key.to = format!("key-{number}.pub");
        }
        self.keys = keys.len();
        let all: String =
            self.files.iter().map(|file| format!("{} {}\n", file.digest.hex(), file.to)).collect();
        let id = Digest::of(all.as_bytes()).hex();
        let folder = format!("{FOLDER}/{}", id.get(..16).unwrap_or_default());
        self.files.iter_mut().for_each(|file| file.below(&folder));
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
        let paths: Vec<String> = self.files.iter().map(|file| file.to.clone()).collect();
        let (_, keys) = paths.split_at(paths.len() - self.keys);
        Ok(Place {
            program: self.program_for(facts)?.to.clone(),
            bundle: paths.first().cloned().unwrap_or_default(),
            keys: keys.to_vec(),
        })
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
        let folder = place.bundle.rsplit('/').nth(1).unwrap_or_default();
        let program = place.program.rsplit('/').next().unwrap_or_default();
        said(connection.ask(script::CLEAR, &[FOLDER, folder, program])?).map(drop)
    }

    /// Gives a node the bundle and the keys.
    pub fn send_bundle(
        &self,
        connection: &Connection<'_>,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<()> {
        self.files.iter().try_for_each(|file| file.send(connection, tell))
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
