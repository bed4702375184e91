//! A draft of the answer, made in libsolv's order of decisions (`solver_run_sat` in
//! its `src/solver.c`), because an earlier decision limits the later ones. First
//! comes what follows from something else, then what has one best answer, and last
//! the choices between packages of different names. The search tries the draft's
//! packages first. Only the search decides whether the result is right.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::installed::Installed;
use super::policy::{self, Preference};
use super::rules::{Rule, Rules};
use super::universe::{Id, Universe};
use super::weak;

/// How many decisions may be taken back. After that, the draft stays as it is.
const MAX_RETRACTED: usize = 1000;
/// How many rules and packages may be looked at. This is thousands of times what
/// CentOS 7 needs.
const MAX_LOOKS: usize = 1 << 26;

/// The packages that libsolv would take for `wanted`, and whether these are all. They
/// are not all if only a search can tell the rest.
pub(super) fn draft(
    universe: &Universe,
    installed: &Installed,
    wanted: &[Vec<Id>],
) -> (BTreeSet<Id>, bool) {
    let Some(rules) = Rules::new(universe, installed, wanted) else {
        return (BTreeSet::new(), false);
    };
    let left = rules.sets.iter().map(|set| set.ids.len()).collect();
    let mut draft = Draft {
        universe,
        installed,
        there: vec![0; rules.sets.len()],
        asked: rules.rules.iter().take_while(|rule| rule.owner.is_none()).count(),
        rules: &rules,
        taken: BTreeSet::new(),
        out: HashSet::new(),
        left,
        trail: Vec::new(),
        decisions: Vec::new(),
        looks: Cell::new(0),
    };
    let is_whole = draft.complete();
    (draft.taken, is_whole)
}

/// A choice that was made, and its alternatives.
struct Decision {
    /// How many packages were settled before it.
    before: usize,
    taken: Id,
    others: Vec<Id>,
}

struct Draft<'a> {
    universe: &'a Universe<'a>,
    installed: &'a Installed,
    rules: &'a Rules<'a>,
    /// How many rules are requests. They are the first ones.
    asked: usize,
    taken: BTreeSet<Id>,
    out: HashSet<Id>,
    /// For each set: in `left`, how many of its packages are not ruled out, and
    /// in `there`, how many are taken.
    left: Vec<usize>,
    there: Vec<usize>,
    /// The settled packages in order, each with whether it was taken.
    trail: Vec<(Id, bool)>,
    decisions: Vec<Decision>,
    /// How many rules and packages have been looked at.
    looks: Cell<usize>,
}

/// The draft contradicts itself.
struct Contradiction;

impl Draft<'_> {
    fn complete(&mut self) -> bool {
        if self.without_hope().and_then(|()| self.follow()).is_err() {
            return false;
        }
        let mut retracted = 0;
        loop {
            if self.looks.get() > MAX_LOOKS {
                return false;
            }
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

    /// Rules out packages that need something that nobody provides.
    fn without_hope(&mut self) -> Result<(), Contradiction> {
        for rule in &self.rules.rules {
            if self.set(rule.any).is_empty() && rule.given.is_empty() {
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

    fn set(&self, place: usize) -> &[Id] {
        self.rules.sets.get(place).map(|set| set.ids.as_slice()).unwrap_or_default()
    }

    fn is_there(&self, set: usize) -> bool {
        self.there.get(set).is_some_and(|count| *count > 0)
    }

    fn look(&self, count: usize) {
        self.looks.set(self.looks.get().saturating_add(count));
    }

    /// The candidates of the next choice, the best first. A choice with one best
    /// answer comes first.
    fn next_choice(&self) -> Option<Vec<Id>> {
        let mut first = None;
        let recommended = weak::recommended(self.universe, &self.taken);
        self.look(self.taken.len());
        let mut seen = HashSet::new();
        for place in self.open() {
            let rule = self.rules.rules.get(place)?;
            // Rules with the same set make the same choice.
            if !seen.insert(rule.any) {
                continue;
            }
            let any = self.set(rule.any);
            self.look(any.len());
            let open: Vec<Id> = any.iter().copied().filter(|id| !self.out.contains(id)).collect();
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

    /// The positions of the rules that apply and are not fulfilled.
    fn open(&self) -> impl Iterator<Item = usize> {
        let own = self.trail.iter().filter(|(_, taken)| *taken);
        let own = own.filter_map(|(id, _)| self.rules.of_owner.get(id)).flatten().copied();
        (0..self.asked).chain(own).filter(|place| {
            self.look(1);
            self.rules.rules.get(*place).is_some_and(|rule| self.is_open(rule))
        })
    }

    fn is_open(&self, rule: &Rule) -> bool {
        !self.is_there(rule.any) && rule.given.iter().all(|set| self.is_there(*set))
    }

    /// Takes each package that alone can fulfil a rule, until there is none.
    fn follow(&mut self) -> Result<(), Contradiction> {
        loop {
            let before = self.trail.len();
            let mut pending: VecDeque<usize> = self.open().collect();
            while let Some(place) = pending.pop_front() {
                let Some(rule) = self.rules.rules.get(place).filter(|rule| self.is_open(rule))
                else {
                    continue;
                };
                match self.left.get(rule.any) {
                    None | Some(0) => return Err(Contradiction),
                    Some(1) => {
                        let any = self.set(rule.any);
                        self.look(any.len());
                        let only = any.iter().copied().find(|id| !self.out.contains(id));
                        let only = only.ok_or(Contradiction)?;
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
            let sets = self.rules.sets_of.get(&id).into_iter().flatten();
            for set in sets {
                self.there.get_mut(*set).into_iter().for_each(|count| *count += 1);
            }
            let others = self.rules.exclusions.beside(id);
            self.look(others.len());
            for other in others {
                self.exclude(other)?;
            }
        }
        Ok(())
    }

    /// Rules out `id`, and with it all packages that cannot be installed without
    /// it.
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
            let sets = self.rules.sets_of.get(&id).map(Vec::as_slice).unwrap_or_default();
            self.look(sets.len());
            // All sets must be counted, even if there is a contradiction
            // already.
            let mut is_asked = false;
            for place in sets {
                let (Some(left), Some(set)) =
                    (self.left.get_mut(*place), self.rules.sets.get(*place))
                else {
                    continue;
                };
                *left -= 1;
                if *left == 0 {
                    is_asked |= set.owners.contains(&None);
                    pending.extend(set.owners.iter().flatten());
                }
            }
            if is_asked {
                return Err(Contradiction);
            }
        }
        Ok(())
    }

    fn undo(&mut self, until: usize) {
        for (id, was_taken) in self.trail.drain(until..).rev() {
            let counts = match was_taken {
                true => &mut self.there,
                false => &mut self.left,
            };
            for place in self.rules.sets_of.get(&id).into_iter().flatten() {
                match (counts.get_mut(*place), was_taken) {
                    (Some(count), true) => *count -= 1,
                    (Some(count), false) => *count += 1,
                    (None, _) => {}
                }
            }
            match was_taken {
                true => drop(self.taken.remove(&id)),
                false => drop(self.out.remove(&id)),
            }
        }
    }

    /// The first decision that turned out to be worse than an alternative, with
    /// that alternative: a package that was taken later for another reason, or
    /// that the others recommend by now.
    fn better(&self) -> Option<(usize, Id)> {
        let recommended = weak::recommended(self.universe, &self.taken);
        let trail = self.trail.iter().enumerate().filter(|(_, (_, taken))| *taken);
        let came: HashMap<Id, usize> = trail.map(|(place, (id, _))| (*id, place)).collect();
        self.look(came.len());
        self.decisions.iter().enumerate().find_map(|(place, decision)| {
            self.look(decision.others.len());
            let came = |id: &&Id| came.get(id).is_some_and(|place| *place >= decision.before);
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
        // The package that was taken before is not tried again, so that this
        // ends.
        self.decide(std::iter::once(instead).chain(others).collect())
    }
}
