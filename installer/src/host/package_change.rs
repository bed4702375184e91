//! What becomes of a package.

use std::fmt;

use bundle_format::{Evr, Nevra};

use crate::receipt::Replaced;

/// What becomes of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// The bundle's.
    pub package: Nevra,
    /// The version whose place it takes; none where there is none.
    pub from: Option<Evr>,
}

impl PackageChange {
    /// Whether it takes the place of a newer one.
    pub fn is_downgrade(&self) -> bool {
        self.from.as_ref().is_some_and(|from| *from > self.package.evr)
    }

    /// What it is called in a plan.
    pub(crate) fn verb(&self) -> &'static str {
        match &self.from {
            None => "install",
            Some(_) if self.is_downgrade() => "downgrade",
            Some(_) => "upgrade",
        }
    }

    /// The package whose place it takes.
    pub(crate) fn replaced(&self) -> Option<Replaced> {
        let was = Nevra { evr: self.from.clone()?, ..self.package.clone() };
        Some(Replaced { was, is: self.package.clone() })
    }
}

impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Nevra { name, evr, .. } = &self.package;
        match &self.from {
            None => write!(f, "{}", self.package),
            Some(from) => write!(f, "{name} from {from} to {evr}"),
        }
    }
}
