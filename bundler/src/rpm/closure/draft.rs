//! A draft of the answer, made in libsolv's order of decisions (`solver_run_sat`
//! in its `src/solver.c`), since what is decided first decides what is left to
//! choose: what follows from something comes before what has one best answer,
//! and that before all choices between packages of different names. The search
//! tries what the draft took first; it alone answers for the result.

use std::collections::{BTreeSet, VecDeque};

use super::Installed;
use super::policy::{self, Preference};
use super::rules::Rules;
use super::universe::{Id, Universe};
use super::weak;

/// How many decisions are taken back before the draft is left as it is.
const MAX_RETRACTED: usize = 1000;

/// The packages that libsolv would take for `wanted`; only some of them, and
/// false, where it cannot be told without a search.
pub(super) fn draft(
    universe: &Universe,
    installed: &Installed,
    wanted: &[Vec<Id>],
) -> (BTreeSet<Id>, bool) {
    let rules = Rules::new(universe, installed, wanted);
    let left = rules.rules.iter().map(|rule| rule.any.len()).collect();
    let mut draft = Draft {
        universe,
        installed,
        rules: &rules,
        taken: BTreeSet::new(),
        out: BTreeSet::new(),
        left,
        trail: Vec::new(),
        decisions: Vec::new(),
    };
    let is_whole = draft.complete();
    (draft.taken, is_whole)
}

/// A choice that was made, and what else there was.
struct Decision {
    /// How much had been settled before.
    before: usize,
    taken: Id,
    others: Vec<Id>,
}

struct Draft<'a> {
    universe: &'a Universe<'a>,
    installed: &'a Installed,
    rules: &'a Rules,
    taken: BTreeSet<Id>,
    out: BTreeSet<Id>,
    /// For each rule, how many of its packages are not out.
    left: Vec<usize>,
    /// What was settled, in order, and whether it was taken.
    trail: Vec<(Id, bool)>,
    decisions: Vec<Decision>,
}

/// It cannot go on like this.
struct Contradiction;

impl Draft<'_> {
    fn complete(&mut self) -> bool {
        if self.without_hope().and_then(|()| self.follow()).is_err() {
            return false;
        }
        let mut retracted = 0;
        loop {
            let settled = match self.next_choice() {
                Some(choice) => self.decide(choice),
                None => match self.better() {
                    Some((decision, instead)) if retracted < MAX_RETRACTED => {
                        retracted += 1;
                        self.redo(decision, instead)
                    }
                    None => return true,
                    Some(_) => return false,
                },
            };
            if settled.is_ok() {
                continue;
            }
            loop {
                retracted += 1;
                let Some(decision) = self.decisions.pop() else { return false };
                self.undo(decision.before);
                if retracted > MAX_RETRACTED {
                    return false;
                }
                if self.exclude(decision.taken).and_then(|()| self.follow()).is_ok() {
                    break;
                }
            }
        }
    }

    /// Rules out what needs something that nobody provides.
    fn without_hope(&mut self) -> Result<(), Contradiction> {
        for rule in &self.rules.rules {
            if rule.any.is_empty() && rule.given.is_empty() {
                self.exclude(rule.owner.ok_or(Contradiction)?)?;
            }
        }
        Ok(())
    }

    fn decide(&mut self, choice: Vec<Id>) -> Result<(), Contradiction> {
        let mut others = choice.into_iter();
        let Some(taken) = others.next() else { return Err(Contradiction) };
        let before = self.trail.len();
        self.decisions.push(Decision { before, taken, others: others.collect() });
        self.take(taken)?;
        self.follow()
    }

    /// What is still to be chosen from, the best first: one that has one best
    /// answer, if there is one.
    fn next_choice(&self) -> Option<Vec<Id>> {
        let mut first = None;
        let recommended = weak::recommended(self.universe, &self.taken);
        for place in self.open() {
            let rule = self.rules.rules.get(place)?;
            let open: Vec<Id> =
                rule.any.iter().copied().filter(|id| !self.out.contains(id)).collect();
            let standing = open.iter().find(|id| self.installed.packages.contains(id));
            if let Some(id) = standing {
                return Some(vec![*id]);
            }
            let best = policy::best(self.universe, &open);
            let best = recommended.of(best);
            if best.len() < 2 {
                return Some(best);
            }
            first.get_or_insert(best);
        }
        let preference = Preference {
            installed: self.installed.packages.clone(),
            suggested: weak::suggested(self.universe, &self.taken, first.as_deref()?),
            ..Preference::default()
        };
        first.map(|ids| policy::reordered(self.universe, &preference, ids))
    }

    /// The places of the rules that hold and are not fulfilled.
    fn open(&self) -> impl Iterator<Item = usize> {
        let own = self.trail.iter().filter(|(_, taken)| *taken);
        let own = own.filter_map(|(id, _)| self.rules.of_owner.get(id)).flatten().copied();
        let asked = self.rules.rules.iter().take_while(|rule| rule.owner.is_none()).count();
        (0..asked).chain(own).filter(|place| {
            self.rules.rules.get(*place).is_some_and(|rule| {
                let is_there = |ids: &Vec<Id>| ids.iter().any(|id| self.taken.contains(id));
                !is_there(&rule.any) && rule.given.iter().all(is_there)
            })
        })
    }

    /// Takes what nothing but one package can fulfil, until there is no such
    /// thing.
    fn follow(&mut self) -> Result<(), Contradiction> {
        loop {
            let before = self.trail.len();
            let mut pending: VecDeque<usize> = self.open().collect();
            while let Some(place) = pending.pop_front() {
                let Some(rule) = self.rules.rules.get(place) else { continue };
                let is_there = |ids: &Vec<Id>| ids.iter().any(|id| self.taken.contains(id));
                if is_there(&rule.any) || !rule.given.iter().all(is_there) {
                    continue;
                }
                let mut left = rule.any.iter().copied().filter(|id| !self.out.contains(id));
                match (left.next(), left.next()) {
                    (None, _) => return Err(Contradiction),
                    (Some(only), None) => {
                        self.take(only)?;
                        pending.extend(self.rules.of_owner.get(&only).into_iter().flatten());
                    }
                    _ => {}
                }
            }
            if self.trail.len() == before {
                return Ok(());
            }
        }
    }

    fn take(&mut self, id: Id) -> Result<(), Contradiction> {
        if self.out.contains(&id) {
            return Err(Contradiction);
        }
        if self.taken.insert(id) {
            self.trail.push((id, true));
            for other in self.rules.excluded_by.get(&id).into_iter().flatten() {
                self.exclude(*other)?;
            }
        }
        Ok(())
    }

    /// Rules out `id`, and with it all that cannot be without it.
    fn exclude(&mut self, id: Id) -> Result<(), Contradiction> {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            if self.taken.contains(&id) {
                return Err(Contradiction);
            }
            if !self.out.insert(id) {
                continue;
            }
            self.trail.push((id, false));
            for place in self.rules.fulfilled_by.get(&id).into_iter().flatten() {
                let Some(left) = self.left.get_mut(*place) else { continue };
                *left -= 1;
                if *left == 0 {
                    let owner = self.rules.rules.get(*place).and_then(|rule| rule.owner);
                    pending.push(owner.ok_or(Contradiction)?);
                }
            }
        }
        Ok(())
    }

    fn undo(&mut self, until: usize) {
        for (id, was_taken) in self.trail.drain(until..).rev() {
            if was_taken {
                self.taken.remove(&id);
                continue;
            }
            self.out.remove(&id);
            for place in self.rules.fulfilled_by.get(&id).into_iter().flatten() {
                if let Some(left) = self.left.get_mut(*place) {
                    *left += 1;
                }
            }
        }
    }

    /// The first decision that turned out to be the worse one, with the package
    /// to take instead: one that would have done came along later, or the others
    /// recommend it by now.
    fn better(&self) -> Option<(usize, Id)> {
        let recommended = weak::recommended(self.universe, &self.taken);
        self.decisions.iter().enumerate().find_map(|(place, decision)| {
            let later = self.trail.get(decision.before..)?;
            let came = |id: &&Id| later.contains(&(**id, true));
            if let Some(id) = decision.others.iter().find(came) {
                return Some((place, *id));
            }
            let all: Vec<Id> =
                std::iter::once(&decision.taken).chain(&decision.others).copied().collect();
            let recommended = recommended.of(all);
            let instead = recommended.first().filter(|_| !recommended.contains(&decision.taken));
            instead.map(|id| (place, *id))
        })
    }

    fn redo(&mut self, decision: usize, instead: Id) -> Result<(), Contradiction> {
        let Some(made) = self.decisions.drain(decision..).next() else { return Ok(()) };
        self.undo(made.before);
        let others = made.others.into_iter().filter(|id| *id != instead);
        // What was there before is not gone back to, so that this ends.
        self.decide(std::iter::once(instead).chain(others).collect())
    }
}
