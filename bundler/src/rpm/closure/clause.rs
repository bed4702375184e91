//! Boolean dependencies as the solver takes them: a list of clauses, each "one
//! of these packages, if one of each of those is there".

use crate::rpm::dependency::Dependency;

use super::universe::{Id, Universe};

/// One of `any` must be installed when, for each set of `given`, one of the set
/// is. With `any` empty the sets of `given` exclude one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clause {
    /// The packages, any of which will do.
    pub any: Vec<Id>,
    /// The condition; empty for always.
    pub given: Vec<Vec<Id>>,
}

/// Distributing `and` over `or` can blow up; an expression that makes more
/// clauses than this is nobody's honest dependency.
const MAX_CLAUSES: usize = 1024;

/// The clauses that make `dependency` true; none where it makes too many.
pub(super) fn required(universe: &Universe, dependency: &Dependency) -> Option<Vec<Clause>> {
    convert(universe, dependency, true)
}

/// The clauses that make `dependency` false, as a conflict with it demands.
pub(super) fn forbidden(universe: &Universe, dependency: &Dependency) -> Option<Vec<Clause>> {
    convert(universe, dependency, false)
}

/// Conjunctive normal form of `dependency`, or of its negation. `a if b else c`
/// is `(a or not b) and (c or b)`, `a unless b else c` is `(a and not b) or
/// (c and b)` (rpm's `boolean_dependencies.md`).
fn convert(universe: &Universe, dependency: &Dependency, positive: bool) -> Option<Vec<Clause>> {
    let part = |dependency: &Dependency, positive| convert(universe, dependency, positive);
    match dependency {
        Dependency::Capability(_) | Dependency::With(..) | Dependency::Without(..) => {
            let ids = universe.fulfilling(dependency);
            Some(vec![match (positive, ids.is_empty()) {
                (true, _) => Clause { any: ids, given: Vec::new() },
                (false, true) => return Some(Vec::new()),
                (false, false) => Clause { any: Vec::new(), given: vec![ids] },
            }])
        }
        Dependency::And(a, b) if positive => both(part(a, true)?, part(b, true)?),
        Dependency::And(a, b) => either(&part(a, false)?, &part(b, false)?),
        Dependency::Or(a, b) if positive => either(&part(a, true)?, &part(b, true)?),
        Dependency::Or(a, b) => both(part(a, false)?, part(b, false)?),
        Dependency::If(a, b, otherwise) => {
            let first = either(&part(a, positive)?, &part(b, !positive)?);
            let then = |positive_condition| part(b, positive_condition);
            match (positive, otherwise) {
                (true, None) => first,
                (true, Some(c)) => both(first?, either(&part(c, true)?, &then(true)?)?),
                // not(a or not b) = not a and b
                (false, None) => both(part(a, false)?, then(true)?),
                // not((a or not b) and (c or b)), in conjunctive form
                (false, Some(c)) => both(
                    either(&part(a, false)?, &then(false)?)?,
                    either(&part(c, false)?, &then(true)?)?,
                ),
            }
        }
        Dependency::Unless(a, b, otherwise) => match (positive, otherwise) {
            (true, None) => both(part(a, true)?, part(b, false)?),
            (false, None) => either(&part(a, false)?, &part(b, true)?),
            (_, Some(c)) => both(
                either(&part(a, positive)?, &part(b, true)?)?,
                either(&part(c, positive)?, &part(b, false)?)?,
            ),
        },
    }
}

fn both(mut a: Vec<Clause>, b: Vec<Clause>) -> Option<Vec<Clause>> {
    a.extend(b);
    (a.len() <= MAX_CLAUSES).then_some(a)
}

fn either(a: &[Clause], b: &[Clause]) -> Option<Vec<Clause>> {
    if a.len() * b.len() > MAX_CLAUSES {
        return None;
    }
    let mut clauses = Vec::new();
    for first in a {
        for second in b {
            let mut clause = first.clone();
            for id in &second.any {
                if !clause.any.contains(id) {
                    clause.any.push(*id);
                }
            }
            clause.given.extend(second.given.iter().cloned());
            clauses.push(clause);
        }
    }
    Some(clauses)
}
