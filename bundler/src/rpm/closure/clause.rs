//! Boolean dependencies in the form for the solver: a list of clauses, each "one of
//! these packages, if one of each of those is installed".

use std::collections::BTreeSet;

use super::universe::{Id, Universe};
use crate::rpm::dependency::Dependency;

/// If one package of each set in `given` is installed, one of `any` must be too. If
/// `any` is empty, the sets of `given` exclude each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clause {
    /// The packages. One of them is enough.
    pub any: Vec<Id>,
    /// The condition. Empty if there is none.
    pub given: Vec<Vec<Id>>,
}

impl Clause {
    /// Whether the condition is true if `chosen` are installed.
    pub(super) fn applies(&self, chosen: &BTreeSet<Id>) -> bool {
        self.given.iter().all(|set| set.iter().any(|id| chosen.contains(id)))
    }

    /// The number of packages in it.
    fn size(&self) -> usize {
        self.any.len() + self.given.iter().map(|set| set.len() + 1).sum::<usize>()
    }
}

/// The most clauses of an expression. Distributing `and` over `or` can make very
/// many. No real dependency makes more than this.
const MAX_CLAUSES: usize = 1024;
/// The most packages in all clauses of an expression, for the same reason.
const MAX_SIZE: usize = 1 << 18;

/// Clauses that must all be true. `None` if there are too many.
type Clauses = Option<Vec<Clause>>;

/// The clauses that make `dependency` true. `None` if there are too many.
pub(super) fn required(universe: &Universe, dependency: &Dependency) -> Clauses {
    match dependency {
        // Nearly all dependencies are single capabilities. They do not need
        // all of `convert`.
        Dependency::Capability(_) => {
            Some(vec![Clause { any: universe.fulfilling(dependency), given: Vec::new() }])
        }
        _ => convert(universe, dependency).holds,
    }
}

/// The clauses that make `dependency` false, which a conflict with it requires.
pub(super) fn forbidden(universe: &Universe, dependency: &Dependency) -> Clauses {
    convert(universe, dependency).fails
}

/// What makes an expression true, and what makes it false. Both are made at once: `a
/// if b else c` contains `b` twice, and making each alone would double the work at
/// every level of nesting.
struct Converted {
    holds: Clauses,
    fails: Clauses,
}

/// Conjunctive normal form of `dependency`, and of its negation. `a if b else c`
/// is `(a or not b) and (c or b)`, `a unless b else c` is `(a and not b) or
/// (c and b)` (rpm's `boolean_dependencies.md`).
fn convert(universe: &Universe, dependency: &Dependency) -> Converted {
    let part = |dependency: &Dependency| convert(universe, dependency);
    match dependency {
        Dependency::Capability(_) | Dependency::With(..) | Dependency::Without(..) => {
            let ids = universe.fulfilling(dependency);
            let fails = match ids.is_empty() {
                true => Vec::new(),
                false => vec![Clause { any: Vec::new(), given: vec![ids.clone()] }],
            };
            Converted {
                holds: Some(vec![Clause { any: ids, given: Vec::new() }]),
                fails: Some(fails),
            }
        }
        Dependency::And(parts) => {
            let (holds, fails) = parts.iter().map(part).map(|one| (one.holds, one.fails)).unzip();
            Converted { holds: all(holds), fails: any(fails) }
        }
        Dependency::Or(parts) => {
            let (holds, fails) = parts.iter().map(part).map(|one| (one.holds, one.fails)).unzip();
            Converted { holds: any(holds), fails: all(fails) }
        }
        Dependency::If(a, b, None) => {
            let (a, b) = (part(a), part(b));
            // not(a or not b) = not a and b
            Converted { holds: any(vec![a.holds, b.fails]), fails: all(vec![a.fails, b.holds]) }
        }
        Dependency::Unless(a, b, None) => {
            let (a, b) = (part(a), part(b));
            Converted { holds: all(vec![a.holds, b.fails]), fails: any(vec![a.fails, b.holds]) }
        }
        Dependency::If(a, b, Some(c)) | Dependency::Unless(a, b, Some(c)) => {
            let (a, b, c) = (part(a), part(b), part(c));
            // Both choose between a and c by b, in this form and in its negation.
            let chosen = |if_not: Clauses, otherwise: Clauses| {
                let (first, second) = match dependency {
                    Dependency::If(..) => (b.fails.clone(), b.holds.clone()),
                    _ => (b.holds.clone(), b.fails.clone()),
                };
                all(vec![any(vec![if_not, first]), any(vec![otherwise, second])])
            };
            Converted { holds: chosen(a.holds, c.holds), fails: chosen(a.fails, c.fails) }
        }
    }
}

/// The clauses of all parts.
fn all(parts: Vec<Clauses>) -> Clauses {
    let mut clauses = Vec::new();
    for part in parts {
        clauses.extend(part?);
    }
    (clauses.len() <= MAX_CLAUSES && total(&clauses) <= MAX_SIZE).then_some(clauses)
}

/// The clauses that make at least one of these parts true. Each takes one clause of
/// every part, and all combinations are needed.
fn any(parts: Vec<Clauses>) -> Clauses {
    let mut clauses = vec![Clause::default()];
    let mut size = 0usize;
    for part in parts {
        let part = part?;
        // The size is computed before the clauses are made.
        size = size * part.len() + total(&part) * clauses.len();
        if clauses.len() * part.len() > MAX_CLAUSES || size > MAX_SIZE {
            return None;
        }
        if let [only] = part.as_slice() {
            for clause in &mut clauses {
                clause.any.extend(&only.any);
                clause.given.extend(only.given.iter().cloned());
            }
        } else {
            let joined = |clause: &Clause| {
                let clause = clause.clone();
                let join = move |other: &Clause| Clause {
                    any: clause.any.iter().chain(&other.any).copied().collect(),
                    given: clause.given.iter().chain(&other.given).cloned().collect(),
                };
                part.iter().map(join).collect::<Vec<_>>()
            };
            clauses = clauses.iter().flat_map(joined).collect();
        }
    }
    for clause in &mut clauses {
        clause.any.sort_unstable();
        clause.any.dedup();
    }
    Some(clauses)
}

fn total(clauses: &[Clause]) -> usize {
    clauses.iter().map(Clause::size).sum()
}

#[cfg(test)]
mod tests {
    use bundle_format::Architecture;

    use super::*;
    use crate::rpm::repository::Repository;

    #[test]
    fn expressions_that_blow_up_are_given_up_at_once() {
        let none: [Repository; 0] = [];
        let universe = Universe::new(&none, Architecture::X86_64, |_, _| false);
        let parse = |text: &str| Dependency::parse(text).unwrap();
        // Each level contains the one below it twice.
        let mut nest = "x".to_owned();
        for _ in 0..30 {
            nest = format!("(a if {nest} else b)");
        }
        required(&universe, &parse(&nest));
        forbidden(&universe, &parse(&nest));
        let many = |count: usize, operator: &str| {
            let names: Vec<String> = (0..count).map(|number| format!("n{number}")).collect();
            format!("({})", names.join(&format!(" {operator} ")))
        };
        assert_eq!(required(&universe, &parse(&many(20_000, "or"))).map(|all| all.len()), Some(1));
        assert_eq!(required(&universe, &parse(&many(20_000, "and"))), None);
        let product = format!("({0} or {0} or {0})", many(100, "and"));
        assert_eq!(required(&universe, &parse(&product)), None);
    }
}
