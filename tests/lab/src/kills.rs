//! The long sweep: a master's run loses its power at random instants, each on a
//! fresh lab, and the same line must finish it. Takes about two minutes a kill.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use crate::{Lab, Node, Settings, cluster};

const AGAIN: &str = "this node is a master already; there is nothing to do\n";

/// Kills `count` runs, and says to `report` what came of each. The same `seed`
/// gives the same parts of a run's time.
pub fn sweep(
    bundle: &Path,
    count: u32,
    seed: u64,
    report: &mut dyn FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let settings = Settings { nodes: 1, ..Settings::default() };
    let (whole, time) = {
        let lab = fresh(&settings, bundle)?;
        let node = first(&lab)?;
        let start = Instant::now();
        cluster::master(node, "")?;
        (files(node)?, start.elapsed())
    };
    report(&format!("undisturbed: {} s\n", time.as_secs()))?;
    let mut random = fastrand::Rng::with_seed(seed);
    for number in 1..=count {
        let lab = fresh(&settings, bundle)?;
        let node = first(&lab)?;
        let after = time.mul_f64(random.f64());
        kill_after(node, after)?;
        let last = node.run(["tail", "-n", "1", LOG]).unwrap_or_default();
        let start = Instant::now();
        cluster::master(node, "")
            .with_context(|| format!("after a kill at {} ms of a run", after.as_millis()))?;
        let finished = start.elapsed().as_secs();
        let again = cluster::master(node, "")?;
        if again != AGAIN {
            bail!("a run on the finished node said: {again}");
        }
        let now = files(node)?;
        if now != whole {
            bail!("its files are not those of an undisturbed run: {:?}", difference(&now, &whole));
        }
        report(&format!(
            "{number}/{count}: killed after {} ms, at `{}`; finished in {finished} s\n",
            after.as_millis(),
            last.trim()
        ))?;
    }
    Ok(())
}

const LOG: &str = "/var/log/kubeferry/install.log";

fn fresh(settings: &Settings, bundle: &Path) -> anyhow::Result<Lab> {
    let lab = Lab::up(settings)?;
    cluster::insert_stick(&lab, bundle)?;
    Ok(lab)
}

fn first(lab: &Lab) -> anyhow::Result<&Node> {
    lab.nodes().first().context("there is no node")
}

fn kill_after(node: &Node, after: Duration) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let running = scope.spawn(|| cluster::master(node, ""));
        thread::sleep(after);
        node.kill()?;
        // It ended with the node, or had just finished: both are instants of a run.
        running.join().map_err(|_| anyhow!("the run's thread ended")).map(drop)
    })?;
    node.start()
}

/// The names, kinds and permissions of what an installation makes.
fn files(node: &Node) -> anyhow::Result<Vec<String>> {
    let script = "find /etc /opt /root -printf '%p %y %m %u %l\\n' | sort";
    Ok(node.run(["sh", "-c", script])?.lines().map(str::to_owned).collect())
}

fn difference(left: &[String], right: &[String]) -> Vec<String> {
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|line| !other.contains(line)).cloned().collect()
    };
    [only(left, right), only(right, left)].concat()
}
