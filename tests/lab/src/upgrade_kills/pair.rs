//! One master and one worker that go forward and back, and what they must keep.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use super::round::{BACK, Move, NEW, Round, State};
use crate::Node;
use crate::cluster::INSTALLER;

const LOG: &str = "/var/log/kubeferry/install.log";

/// How long the cluster may take until it is whole again.
const PATIENCE: Duration = Duration::from_secs(240);

/// What the installer says if there is nothing to take back.
const NOTHING: &str = "no upgrade that can be taken back";

/// The two nodes.
pub(super) struct Pair<'a> {
    master: &'a Node,
    worker: &'a Node,
    state: State,
    /// The version before, and the one after.
    versions: [&'static str; 2],
    /// The UIDs of objects that must stay.
    objects: String,
    /// The images of the master and of the worker before anything came.
    images: [BTreeSet<String>; 2],
}

impl<'a> Pair<'a> {
    /// The nodes of a new cluster.
    pub(super) fn of(
        master: &'a Node,
        worker: &'a Node,
        versions: [&'static str; 2],
    ) -> anyhow::Result<Self> {
        kubectl(master, "create configmap kept --from-literal=a=b")?;
        kubectl(master, "create deployment own --image=registry.lab.example/web:1.0")?;
        kubectl(master, "rollout status deploy/own --timeout=140s")?;
        let images = [images(master)?, images(worker)?];
        let state = State::default();
        let mut pair = Self { master, worker, state, versions, objects: String::new(), images };
        pair.objects = pair.objects()?;
        Ok(pair)
    }

    fn objects(&self) -> anyhow::Result<String> {
        let path = "jsonpath={.items[*].metadata.uid}";
        kubectl(self.master, &format!("get configmap/kept deploy/own deploy/web -o {path}"))
    }

    fn node(&self, step: Move) -> &'a Node {
        if step.is_of_master() { self.master } else { self.worker }
    }

    /// Makes a move, undisturbed.
    pub(super) fn go(&mut self, step: Move) -> anyhow::Result<()> {
        self.prepare(step)?;
        run(self.node(step), step.line())?;
        self.settle(self.state.after(step))
    }

    /// Brings both nodes into a state, move by move.
    pub(super) fn bring_to(&mut self, wanted: State) -> anyhow::Result<()> {
        while self.state != wanted {
            let step = match (self.state, wanted) {
                (State { is_worker_new: true, .. }, _) => Move::WorkerBack,
                (State { is_master_new: true, .. }, State { is_master_new: false, .. })
                | (State { has_images: true, .. }, State { has_images: false, .. }) => {
                    Move::MasterBack
                }
                (State { has_images: false, .. }, _) => Move::Images,
                (State { is_master_new: false, .. }, _) => Move::MasterForward,
                _ => Move::WorkerForward,
            };
            if (step, self.state.is_master_new) == (Move::MasterBack, false) {
                self.settle(State::default())?;
            } else {
                self.go(step)?;
            }
        }
        Ok(())
    }

    /// Makes a move whose node loses its power so long after it began. Says what came of it.
    pub(super) fn lose(&mut self, round: Round, after: Duration) -> anyhow::Result<String> {
        let (step, node) = (round.step, self.node(round.step));
        self.prepare(step)?;
        node.run(["truncate", "--size=0", LOG])?;
        thread::scope(|scope| {
            let running = scope.spawn(|| run(node, step.line()));
            thread::sleep(after);
            node.kill()?;
            // It ended with the node, or had just finished: both are instants of a run.
            running.join().map_err(|_| anyhow!("the run's thread ended")).map(drop)
        })?;
        node.start()?;
        let last = node.run(["sh", "-c", &format!("grep '^run \\|^write ' {LOG} | tail -n 1")]);
        let last: String = last.unwrap_or_default().trim().chars().take(70).collect();
        let begun = Instant::now();
        let line = if round.gives_up { BACK } else { step.line() };
        match run(node, line) {
            // The power went before it had begun, or when it was all back.
            Err(error) if line == BACK && format!("{error:#}").contains(NOTHING) => {}
            other => drop(other.with_context(|| format!("after the loss, at `{last}`"))?),
        }
        let took = begun.elapsed().as_secs();
        self.settle(round.after()).with_context(|| format!("after the loss at `{last}`"))?;
        let how = if round.gives_up { "taken back" } else { "ended" };
        let whole = begun.elapsed().as_secs();
        Ok(format!("at `{last}`; {how} in {took} s, whole after {whole} s"))
    }

    /// What must be before a move.
    fn prepare(&self, step: Move) -> anyhow::Result<()> {
        if step != Move::MasterForward {
            return Ok(());
        }
        // kubelet tells the API server of its images now and then.
        let plan = ["timeout", "60", INSTALLER, "upgrade", "--dry-run", "--bundle", NEW];
        wait("the API server to know the worker's images", || self.master.run(plan).map(drop))
    }

    /// The nodes are so, and whole.
    fn settle(&mut self, state: State) -> anyhow::Result<()> {
        self.state = state;
        let nodes = [self.master, self.worker];
        let is_new = [state.is_master_new, state.is_worker_new];
        for (node, is_new) in nodes.into_iter().zip(is_new) {
            let version = self.versions[usize::from(is_new)];
            wait(&format!("{} to be Ready in {version}", node.name), || {
                let line = format!("get node {} --no-headers", node.name);
                let said = kubectl(self.master, &line)?;
                let is_so = said.contains(" Ready ") && said.trim_end().ends_with(version);
                if is_so { Ok(()) } else { Err(anyhow!("{said}")) }
            })?;
        }
        let of_cluster = self.versions[usize::from(state.is_master_new)];
        for pod in ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            let name = format!("{pod}-{}", self.master.name);
            let path = "jsonpath={.spec.containers[0].image}";
            let image = kubectl(self.master, &format!("-n kube-system get pod {name} -o {path}"))?;
            if !image.ends_with(of_cluster) {
                bail!("{name} is {image}, not {of_cluster}");
            }
        }
        let objects = self.objects()?;
        if objects != self.objects {
            bail!("the objects were {}, and are {objects}", self.objects);
        }
        for what in ["-n kube-system ds/kube-proxy", "-n kube-system deploy/coredns", "deploy/own"]
        {
            kubectl(self.master, &format!("rollout status --timeout=140s {what}"))?;
        }
        for (node, before) in nodes.into_iter().zip(&self.images) {
            // A worker keeps its images for the next move, a master does not.
            if !state.is_master_new && (node.name == self.master.name || !state.has_images) {
                remove_images(node, before)?;
            }
            wait(&format!("doctor to find nothing on {}", node.name), || {
                node.run(["timeout", "120", INSTALLER, "doctor"]).map(drop)
            })?;
        }
        Ok(())
    }
}

/// Runs the installer. One that hangs is ended.
fn run(node: &Node, line: &[&str]) -> anyhow::Result<String> {
    node.run([&["timeout", "900", INSTALLER], line].concat())
}

fn kubectl(master: &Node, line: &str) -> anyhow::Result<String> {
    let words = ["timeout", "150", "kubectl"].into_iter().chain(line.split(' '));
    master.run(words)
}

fn images(node: &Node) -> anyhow::Result<BTreeSet<String>> {
    let list = node.run(["ctr", "-n", "k8s.io", "images", "list", "--quiet"])?;
    Ok(list.lines().map(str::to_owned).collect())
}

fn remove_images(node: &Node, keep: &BTreeSet<String>) -> anyhow::Result<()> {
    let all = images(node)?;
    let new: Vec<&str> = all.difference(keep).map(String::as_str).collect();
    if new.is_empty() {
        return Ok(());
    }
    node.run([&["ctr", "-n", "k8s.io", "images", "rm"], &new[..]].concat()).map(drop)
}

/// Asks again until the answer is good.
fn wait(what: &str, mut ask: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let Err(error) = ask() else { return Ok(()) };
        if begun.elapsed() > PATIENCE {
            return Err(error.context(format!("waited in vain for {what}")));
        }
        thread::sleep(Duration::from_millis(500));
    }
}
