//! Where the lab keeps what.

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};

/// The lab's folder, `kubeferry-lab` in the user's cache: not below the bundler's
/// own, so that whoever empties one keeps the other.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
}

impl Places {
    /// Finds the folder, by `XDG_CACHE_HOME` or `HOME`.
    pub fn find() -> anyhow::Result<Self> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let cache = match (set("XDG_CACHE_HOME"), set("HOME")) {
            (Some(cache), _) => PathBuf::from(cache),
            (None, Some(home)) => PathBuf::from(home).join(".cache"),
            (None, None) => bail!("neither XDG_CACHE_HOME nor HOME is set"),
        };
        Ok(Self { root: cache.join("kubeferry-lab") })
    }

    /// What is slow to make and kept: see [`crate::product`].
    pub fn products(&self) -> PathBuf {
        self.root.join("products")
    }

    /// Debian packages that were downloaded.
    pub fn debs(&self) -> PathBuf {
        self.root.join("debs")
    }

    /// What belongs to the lab that is up; gone when it is down.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// What belongs to the upstream that runs; gone when it is down.
    pub fn upstream(&self) -> PathBuf {
        self.root.join("upstream")
    }

    /// Holds off other programs that would change the lab, until the file is
    /// dropped.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        fs::create_dir_all(&self.root)
            .with_context(|| format!("creating {}", self.root.display()))?;
        let path = self.root.join("lock");
        let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
        flock(&file, FlockOperation::LockExclusive)
            .with_context(|| format!("locking {}", path.display()))?;
        Ok(file)
    }
}
