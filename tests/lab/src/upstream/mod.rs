//! What the bundler gets everything from: signed yum repositories, a registry
//! and manifests, served on this machine to this machine.

pub mod serve;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::command::{noted_process, program, run};
use crate::owner::{self, Owner};
use crate::{Line, Places, products};

/// How long the servers may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(40);

/// The upstream, running.
#[derive(Debug)]
pub struct Upstream {
    folder: PathBuf,
    keys: PathBuf,
    /// A kept one has none.
    owner: Option<Owner>,
}

impl Upstream {
    /// Starts it for as long as the value lives: for tests. One that runs
    /// already, a developer's, is left alone, and an error.
    pub fn up(line: Line) -> anyhow::Result<Self> {
        Self::up_from(&[], line)
    }

    /// The same with what clusters of older lines need to go to this one: their images, and
    /// the repositories of Kubernetes at `/v1.35/` and so on. The spec is for a cluster of
    /// the first of them.
    pub fn up_from(older: &[Line], line: Line) -> anyhow::Result<Self> {
        let places = Places::find()?;
        let _lock = places.lock()?;
        let folder = places.upstream();
        if is_up(&folder)? {
            bail!("an upstream runs on this machine; `scripts/lab down` ends it");
        }
        start(&places, older, line, Owner::of(&folder)?)
    }

    /// Starts it until [`Upstream::down`], unless it runs already, which must be
    /// with the same line.
    pub fn keep_up(line: Line) -> anyhow::Result<Self> {
        let places = Places::find()?;
        let _lock = places.lock()?;
        let folder = places.upstream();
        if !is_up(&folder)? {
            return start(&places, &[], line, None);
        }
        let runs = fs::read_to_string(line_file(&folder)).context("reading the upstream's line")?;
        if runs != line.minor {
            bail!("an upstream of Kubernetes {runs} runs; `scripts/lab down` ends it");
        }
        Ok(Self { keys: products::keys(&places)?, folder, owner: None })
    }

    /// Ends the one that runs, if any, and clears what any other has left.
    pub fn down() -> anyhow::Result<()> {
        let places = Places::find()?;
        let _lock = places.lock()?;
        stop(&places.upstream())
    }

    /// Where it keeps what is its own, and people find the spec.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lab's spec, `manifests/lab.yaml`, with the registry's authority
    /// beside it.
    pub fn spec(&self) -> PathBuf {
        self.folder.join("lab.yaml")
    }

    /// The authority that signed the registry's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The login of one who may pull all, as docker's `DOCKER_CONFIG` has it.
    pub fn docker_config(&self) -> PathBuf {
        self.keys.join("docker")
    }

    /// Another day: the repository `os` has a newer release of one package,
    /// socat.
    pub fn next_day(&self) -> anyhow::Result<()> {
        let places = Places::find()?;
        let www = self.folder.join("www");
        let fresh = www.join("os.new");
        symlink(products::packages(&places)?.join("os-next"), &fresh)
            .and_then(|()| fs::rename(&fresh, www.join("os")))
            .context("serving the repository of another day")
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if self.owner.is_some()
            && let Err(error) = Self::down()
        {
            eprintln!("lab: {error:#}");
        }
    }
}

/// Starts one that an owner has up, or that is kept.
fn start(
    places: &Places,
    older: &[Line],
    line: Line,
    owner: Option<Owner>,
) -> anyhow::Result<Upstream> {
    let folder = places.upstream();
    stop(&folder)?;
    let keys = products::keys(places)?;
    let (packages, of_line) = (products::packages(places)?, products::line_packages(places, line)?);
    let images = products::images(places, line)?;
    let www = folder.join("www");
    fs::create_dir_all(&www).with_context(|| format!("creating {}", www.display()))?;
    if owner.is_none() {
        owner::keep(&folder)?;
    }
    for (name, target) in [
        ("os", packages.join("os")),
        ("kubernetes", of_line.join("kubernetes")),
        ("docker-ce", of_line.join("docker-ce")),
        ("manifests", images.join("manifests")),
    ] {
        symlink(&target, www.join(name)).with_context(|| format!("serving {name}"))?;
    }
    let storage = match older {
        [] => images.join("storage"),
        older => united(places, older, line, &folder)?,
    };
    let upstream = Upstream { folder, keys, owner };
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/lab.yaml");
    let text = fs::read_to_string(&spec).with_context(|| format!("reading {}", spec.display()))?;
    let authority = upstream.keys.join("ca.crt");
    let text = line.spec_from(older.first().copied(), &text);
    fs::write(upstream.spec(), text)
        .and_then(|()| fs::write(line_file(&upstream.folder), line.minor))
        .and_then(|()| fs::copy(authority, upstream.authority()))
        .with_context(|| format!("writing into {}", upstream.folder.display()))?;
    if let Err(error) = launch(&upstream, &storage) {
        // What failed matters more than that clearing failed too.
        drop(stop(&upstream.folder));
        return Err(error);
    }
    Ok(upstream)
}

/// The images of all these lines in one storage, and the repositories of each.
fn united(places: &Places, older: &[Line], line: Line, folder: &Path) -> anyhow::Result<PathBuf> {
    let storage = folder.join("storage");
    // Of an image that several lines have under one name, the newest stays.
    for one in older.iter().copied().chain([line]) {
        let target = products::line_packages(places, one)?.join("kubernetes");
        let name = format!("v{}", one.minor);
        symlink(&target, folder.join("www").join(&name))
            .with_context(|| format!("serving {name}"))?;
        let own = products::images(places, one)?.join("storage");
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--link", "--remove-destination", "--no-target-directory"]);
        run(copy.args([&own, &storage]))?;
    }
    Ok(storage)
}

/// Starts the process that has the servers, and waits until they answer.
fn launch(upstream: &Upstream, storage: &Path) -> anyhow::Result<()> {
    let folder = &upstream.folder;
    let log = folder.join("serve.log");
    let output = fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    let mut child = Command::new("setsid")
        .arg(program("lab")?)
        .args(["serve", "--storage"])
        .arg(storage)
        .arg("--keys")
        .arg(&upstream.keys)
        .arg("--folder")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("starting the upstream")?;
    fs::write(pid_file(folder), child.id().to_string()).context("noting the upstream")?;
    let said = || fs::read_to_string(&log).unwrap_or_default();
    let end = Instant::now() + PATIENCE;
    while !said().contains(serve::REGISTRY) {
        if Instant::now() > end || child.try_wait()?.is_some() {
            bail!("the upstream did not start: {}", said().trim());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn stop(folder: &Path) -> anyhow::Result<()> {
    if let Some(pid) = process(folder) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::TERM);
        let end = Instant::now() + PATIENCE;
        while process(folder).is_some() && test_kill_process(pid).is_ok() {
            if Instant::now() > end {
                bail!("the upstream does not end: process {}", pid.as_raw_nonzero());
            }
            sleep(Duration::from_millis(20));
        }
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

/// Notes the line of the upstream that runs.
fn line_file(folder: &Path) -> PathBuf {
    folder.join("line")
}

/// Whether it runs, and no killed process left it.
fn is_up(folder: &Path) -> anyhow::Result<bool> {
    Ok(process(folder).is_some() && !owner::is_left(folder)?)
}

fn pid_file(folder: &Path) -> PathBuf {
    folder.join("serve.pid")
}

/// The process that has the servers, unless it has ended.
fn process(folder: &Path) -> Option<Pid> {
    noted_process(&pid_file(folder), "serve")
}
