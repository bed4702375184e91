//! The demo's bundle, made by the real program from the embedded upstream.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use upstream::Upstream;

/// The built `bundler`.
pub(crate) const BUNDLER: &str = env!("CARGO_BIN_EXE_bundler");

/// A folder with a spec, and the upstream that it names.
pub(crate) struct Demo {
    pub(crate) upstream: Upstream,
    pub(crate) folder: TempDir,
}

impl Demo {
    /// Starts an upstream and writes `bundle.yaml`.
    pub(crate) fn start() -> Self {
        Self::of(Upstream::start().unwrap())
    }

    /// The same with an upstream that has more.
    pub(crate) fn of(upstream: Upstream) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/upstream/bundle.yaml");
        let demo = Self { upstream, folder };
        // A debug build's installer is as large as all the rest times thirty.
        let template = fs::read_to_string(template).unwrap();
        demo.write_spec(&format!("{template}installers: []\n"));
        demo
    }

    /// Writes `bundle.yaml` from a template in which `URL` is the upstream, and
    /// `HOST` its host and port.
    pub(crate) fn write_spec(&self, template: &str) {
        let spec = template.replace("URL", self.upstream.url());
        let spec = spec.replace("HOST", self.upstream.host());
        fs::write(self.path("bundle.yaml"), spec).unwrap();
    }

    /// `bundle.yaml` as a template for [`Self::write_spec`].
    pub(crate) fn spec(&self) -> String {
        let spec = fs::read_to_string(self.path("bundle.yaml")).unwrap();
        spec.replace(self.upstream.url(), "URL").replace(self.upstream.host(), "HOST")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `bundler` in the folder, with a cache of its own.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run_in(self.folder.path(), &self.path("cache"), arguments)
    }

    /// The same, which must succeed; gives standard output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, which must fail with status 1 and print nothing; gives
    /// standard error.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?} printed {:?}", output.stdout);
        assert!(error.starts_with("error: "), "{error}");
        error
    }
}

/// Runs `bundler` in `folder` with the cache in `cache`.
pub(crate) fn run_in(folder: &Path, cache: &Path, arguments: &[&str]) -> Output {
    Command::new(BUNDLER)
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", cache)
        .env("HOME", folder)
        .env_remove("DOCKER_CONFIG")
        .output()
        .unwrap()
}
