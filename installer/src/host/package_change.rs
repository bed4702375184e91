//! What happens to a package.

use std::fmt;

use bundle_format::{Evr, Nevra};

use crate::receipt::Replaced;

/// What happens to a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// The bundle's package.
    pub package: Nevra,
    /// The installed version that it replaces; none if there is none.
    pub from: Option<Evr>,
}

impl PackageChange {
    /// Whether it replaces a newer version.
    pub fn is_downgrade(&self) -> bool {
        self.from.as_ref().is_some_and(|from| *from > self.package.evr)
    }

    /// The word for it in a plan.
    pub(crate) fn verb(&self) -> &'static str {
        match &self.from {
            None => "install",
            Some(_) if self.is_downgrade() => "downgrade",
            Some(_) => "upgrade",
        }
    }

    /// The package that it replaces.
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
