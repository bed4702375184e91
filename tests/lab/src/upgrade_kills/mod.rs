//! The long sweep of upgrades: one master and one worker go forward and back between two
//! bundles. At each round the node that moves loses its power at a random instant. The same
//! line must then end the move, or the way back must; and the cluster must be whole.

mod pair;
mod round;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};

use self::pair::Pair;
use self::round::{Move, rounds};
use crate::{Lab, Line, Settings, cluster};

/// Which rounds are done.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    /// What they are drawn by. The same seed gives the same rounds, with the same parts of
    /// a move's time.
    pub seed: u64,
    /// The first one, from 1 on.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Does the rounds, and says to `report` what came of each. The new bundle is called
/// `new.tar`.
pub fn sweep(
    [(from, old), (to, new)]: [(Line, &Path); 2],
    chosen: Chosen,
    report: &mut dyn FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let lab = Lab::up(&Settings { nodes: 2, ..Settings::default() })?;
    let [master, worker] = lab.nodes() else { bail!("there are not two nodes") };
    let begun = Instant::now();
    cluster::install(&lab, old, "")?;
    lab.nodes().iter().try_for_each(|node| node.insert(new))?;
    let mut pair = Pair::of(master, worker, [from.kubernetes, to.kubernetes])?;
    report(&format!("a cluster of {} in {} s\n", from.kubernetes, begun.elapsed().as_secs()))?;
    let mut times = Vec::new();
    for step in Move::ALL {
        let start = Instant::now();
        pair.go(step)?;
        times.push((step, start.elapsed()));
        report(&format!("undisturbed, {step}: {} s\n", start.elapsed().as_secs()))?;
    }
    let (skipped, count) = (chosen.first.saturating_sub(1) as usize, chosen.count as usize);
    for (number, round) in (chosen.first..).zip(rounds(chosen.seed).skip(skipped).take(count)) {
        let time = times.iter().find(|(step, _)| *step == round.step).map(|(_, time)| *time);
        let after = time.unwrap_or_default().mul_f64(round.part);
        pair.bring_to(round.before)?;
        let told = format!("{number}: {}, power off after {} ms", round.step, after.as_millis());
        let Chosen { seed, .. } = chosen;
        let said = pair.lose(round, after).with_context(|| {
            format!("{told}; to do it again: --seed {seed} --first {number} --count 1")
        })?;
        report(&format!("{told}, {said}\n"))?;
    }
    Ok(())
}
