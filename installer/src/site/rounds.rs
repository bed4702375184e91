//! Who copies to whom next: a node that has everything gives it to the next one, so that all
//! have it after few rounds.

use std::collections::{BTreeSet, VecDeque};

/// How many copies go on at a time. Each is a process here, and two open files.
const MOST: usize = 256;

/// How many pairs may fail, before any has succeeded, until nodes are asked no more.
const TRIES: usize = 3;

/// Who gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Giver {
    /// The machine where this runs.
    Here,
    /// The node of this number.
    Node(usize),
}

/// A copy that may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Who gives.
    pub giver: Giver,
    /// The number of the node that takes.
    pub taker: usize,
}

/// How a copy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The taker has everything.
    Taken,
    /// The taker did not get it from this node, so it gets it from here.
    Missed,
    /// The taker does not get it at all.
    Failed,
}

/// The nodes that wait, and those that can give. Whoever can give takes the next that waits,
/// so that a slow node holds nobody.
pub struct Rounds {
    waiting: VecDeque<usize>,
    /// Those to which a node could not give.
    missed: VecDeque<usize>,
    free: VecDeque<usize>,
    /// The nodes from which one copy has failed.
    doubted: BTreeSet<usize>,
    /// How many copies from here go on, and how many at all.
    from_here: usize,
    under_way: usize,
    /// How many copies from node to node have succeeded, and how many have not.
    passed: usize,
    not_passed: usize,
    /// How many nodes are given to from here at a time, if nodes cannot pass it on.
    parallel: usize,
}

impl Rounds {
    /// `waiting` are the nodes that need it, `have` those that have it already.
    pub fn new(waiting: Vec<usize>, have: Vec<usize>, parallel: usize) -> Self {
        Self {
            waiting: waiting.into(),
            missed: VecDeque::new(),
            free: have.into(),
            doubted: BTreeSet::new(),
            from_here: 0,
            under_way: 0,
            passed: 0,
            not_passed: 0,
            parallel,
        }
    }

    /// The next copy; none if a copy has to end first, or all is done.
    pub fn next_copy(&mut self) -> Option<Copy> {
        if self.under_way >= MOST {
            return None;
        }
        let copy = self.next_from_here().or_else(|| self.next_from_node())?;
        self.under_way += 1;
        Some(copy)
    }

    fn next_from_here(&mut self) -> Option<Copy> {
        // The first node has it soonest if nobody shares the link with it.
        let most = if self.can_pass() && self.missed.is_empty() { 1 } else { self.parallel };
        if self.from_here >= most {
            return None;
        }
        let taker = self.missed.pop_front().or_else(|| self.waiting.pop_front())?;
        self.from_here += 1;
        Some(Copy { giver: Giver::Here, taker })
    }

    fn next_from_node(&mut self) -> Option<Copy> {
        if !self.can_pass() || self.waiting.is_empty() {
            return None;
        }
        let giver = Giver::Node(self.free.pop_front()?);
        self.waiting.pop_front().map(|taker| Copy { giver, taker })
    }

    /// Whether no copy goes on.
    pub fn are_idle(&self) -> bool {
        self.under_way == 0
    }

    /// Whether nodes may be asked to give.
    pub fn can_pass(&self) -> bool {
        self.passed > 0 || self.not_passed < TRIES
    }

    /// A copy has ended.
    pub fn ended(&mut self, copy: Copy, end: Ended) {
        self.under_way -= 1;
        match copy.giver {
            Giver::Here => self.from_here -= 1,
            Giver::Node(giver) => {
                let counted =
                    if end == Ended::Taken { &mut self.passed } else { &mut self.not_passed };
                *counted += 1;
                // The second failure is its own.
                if end == Ended::Taken || self.doubted.insert(giver) {
                    self.free.push_back(giver);
                }
            }
        }
        match end {
            Ended::Taken => self.free.push_back(copy.taker),
            Ended::Missed => self.missed.push_back(copy.taker),
            Ended::Failed => {}
        }
    }
}

/// The plan for so many nodes of which none has it, if each copy takes the same time: how many
/// copies go on in each round.
pub fn plan(nodes: usize) -> Vec<usize> {
    let mut rounds = Rounds::new((0..nodes).collect(), Vec::new(), 1);
    let mut plan = Vec::new();
    loop {
        let copies: Vec<Copy> = std::iter::from_fn(|| rounds.next_copy()).collect();
        if copies.is_empty() {
            return plan;
        }
        plan.push(copies.len());
        copies.into_iter().for_each(|copy| rounds.ended(copy, Ended::Taken));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_it_doubles_each_round() {
        assert_eq!(plan(0), [0_usize; 0]);
        assert_eq!(plan(1), [1]);
        assert_eq!(plan(10), [1, 2, 4, 3]);
        for nodes in 1..=1000_usize {
            let plan = plan(nodes);
            assert_eq!(plan.iter().sum::<usize>(), nodes);
            // With the machine that has it first, 2^r have it after r rounds.
            let least = (nodes + 1).next_power_of_two().trailing_zeros() as usize;
            let more = usize::from(nodes > 767);
            assert_eq!(plan.len(), least + more, "{nodes} nodes: {plan:?}");
            assert!(plan.iter().all(|copies| *copies <= MOST));
        }
    }

    /// Each copy takes the time that its taker needs; the moment when the last one ended.
    fn simulated(times: &[u64]) -> u64 {
        let mut rounds = Rounds::new((0..times.len()).collect(), Vec::new(), 8);
        let (mut now, mut under_way) = (0, Vec::new());
        loop {
            while let Some(copy) = rounds.next_copy() {
                under_way.push((now + times[copy.taker], copy));
            }
            under_way.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            let Some((at, copy)) = under_way.pop() else { return now };
            now = at;
            rounds.ended(copy, Ended::Taken);
        }
    }

    #[test]
    fn a_slow_node_holds_nobody_but_itself() {
        assert_eq!(simulated(&[1; 100]), 7);
        let mut times = [1; 100];
        times[5] = 20;
        // It begins in the third round.
        assert_eq!(simulated(&times), 22);
        // What it does not give meanwhile costs one round.
        times[5] = 4;
        assert_eq!(simulated(&times), 8);
    }

    #[test]
    fn where_nodes_cannot_pass_it_on_all_come_from_here() {
        let mut rounds = Rounds::new((0..20).collect(), Vec::new(), 8);
        let (mut asked, mut done, mut most) = (0, 0, 0);
        loop {
            let copies: Vec<Copy> = std::iter::from_fn(|| rounds.next_copy()).collect();
            most = most.max(copies.iter().filter(|copy| copy.giver == Giver::Here).count());
            if copies.is_empty() {
                break;
            }
            for copy in copies {
                let is_here = copy.giver == Giver::Here;
                asked += usize::from(!is_here);
                done += usize::from(is_here);
                rounds.ended(copy, if is_here { Ended::Taken } else { Ended::Missed });
            }
        }
        assert_eq!((done, most), (20, 8));
        assert!(asked <= TRIES + 1, "{asked}");
        assert!(!rounds.can_pass());
    }

    #[test]
    fn a_node_that_fails_twice_gives_no_more() {
        let mut rounds = Rounds::new((2..9).collect(), vec![0, 1], 1);
        let mut gave = 0;
        while let Some(copy) = rounds.next_copy() {
            gave += usize::from(copy.giver == Giver::Node(0));
            let misses = copy.giver == Giver::Node(0);
            rounds.ended(copy, if misses { Ended::Missed } else { Ended::Taken });
        }
        assert!(gave <= 2, "{gave}");
    }
}
