//! What is slow to make: each product lies in a folder of the cache that is
//! named by what it is made from, and is made when that folder is absent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};
use bundle_format::digest::Digest;

use crate::Places;

/// The lab's own files: recipes, programs, packages.
const FILES: &str = env!("CARGO_MANIFEST_DIR");

/// Something that a script of `recipes/` makes.
pub(crate) struct Product {
    name: String,
    /// The script; it is given the new folder as its first argument.
    recipe: &'static str,
    arguments: Vec<String>,
    environment: Vec<(&'static str, PathBuf)>,
    /// Files and folders whose contents the result depends on.
    inputs: Vec<PathBuf>,
}

impl Product {
    pub(crate) fn new(name: &str, recipe: &'static str) -> Self {
        let product = Self {
            name: name.to_owned(),
            recipe,
            arguments: Vec::new(),
            environment: Vec::new(),
            inputs: Vec::new(),
        };
        product.own_file(&format!("recipes/{recipe}"))
    }

    /// Gives the recipe more arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// The result depends on a file or a folder of this crate's.
    pub(crate) fn own_file(mut self, path: &str) -> Self {
        self.inputs.push(Path::new(FILES).join(path));
        self
    }

    /// The result depends on a folder of this crate's, which the recipe finds
    /// by a variable.
    pub(crate) fn own_folder(mut self, variable: &'static str, path: &str) -> Self {
        self.environment.push((variable, Path::new(FILES).join(path)));
        self.own_file(path)
    }

    /// The result depends on another product, which the recipe finds by a
    /// variable.
    pub(crate) fn product(mut self, variable: &'static str, folder: &Path) -> Self {
        // Its name stands for its contents.
        let name = folder.file_name().unwrap_or_default();
        self.environment.push((variable, folder.to_owned()));
        self.inputs.push(PathBuf::from(name));
        self
    }

    /// The result depends on a word, which the recipe finds in a variable.
    pub(crate) fn value(mut self, variable: &'static str, word: &str) -> Self {
        self.environment.push((variable, PathBuf::from(word)));
        self.inputs.push(PathBuf::from(word));
        self
    }

    /// The recipe finds a program by a variable; the result does not depend on
    /// which version of it that is.
    pub(crate) fn tool(mut self, variable: &'static str, program: PathBuf) -> Self {
        self.environment.push((variable, program));
        self
    }

    /// The folder with the product, which is made first where it is absent.
    pub(crate) fn get(&self, places: &Places) -> anyhow::Result<PathBuf> {
        let folder = places.products().join(format!("{}-{}", self.name, self.key()?));
        if folder.is_dir() {
            return Ok(folder);
        }
        let begun = Instant::now();
        eprintln!("lab: making {} (kept in {})", self.name, folder.display());
        fs::create_dir_all(places.products())
            .with_context(|| format!("creating {}", places.products().display()))?;
        let partial = places.products().join(format!("{}.partial", self.name));
        if partial.exists() {
            fs::remove_dir_all(&partial)
                .with_context(|| format!("removing {}", partial.display()))?;
        }
        let recipes = Path::new(FILES).join("recipes");
        let status = Command::new(recipes.join(self.recipe))
            .arg(&partial)
            .args(&self.arguments)
            .env("RECIPES", &recipes)
            .env("DEBS", places.debs())
            .envs(self.environment.iter().map(|(name, path)| (name, path)))
            .status()
            .with_context(|| format!("starting {}", self.recipe))?;
        if !status.success() {
            bail!("{} ended with {status}; what it said is above", self.recipe);
        }
        fs::rename(&partial, &folder).with_context(|| format!("renaming {}", partial.display()))?;
        eprintln!("lab: made {} in {} s", self.name, begun.elapsed().as_secs());
        Ok(folder)
    }

    fn key(&self) -> anyhow::Result<String> {
        let mut text = self.arguments.join("\n").into_bytes();
        for input in &self.inputs {
            add(&mut text, input)?;
        }
        let hex = Digest::of(&text).hex();
        Ok(hex.chars().take(12).collect())
    }
}

/// Adds names and contents of `path` and whatever is below it; the name alone
/// where there is no such file.
fn add(text: &mut Vec<u8>, path: &Path) -> anyhow::Result<()> {
    text.extend(path.file_name().unwrap_or_default().as_encoded_bytes());
    if path.is_dir() {
        let mut inner = Vec::new();
        for entry in fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
            inner.push(entry?.path());
        }
        inner.sort();
        inner.iter().try_for_each(|path| add(text, path))?;
    } else if path.is_file() {
        text.extend(fs::read(path).with_context(|| format!("reading {}", path.display()))?);
    }
    Ok(())
}
