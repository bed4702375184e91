//! Where a bundle is, and how a registry is reached that has it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use distribution::site::{Address, Reach};

/// Where a bundle is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A file, a part of it, or the folder it is in.
    Path(PathBuf),
    /// `oci://HOST/REPOSITORY:TAG`.
    Registry(Address),
}

impl Place {
    /// What was typed. Only what begins with `oci://` is in a registry.
    pub(crate) fn of(typed: OsString) -> Result<Self, String> {
        match typed.to_str().filter(|text| text.starts_with("oci://")) {
            Some(address) => Ok(Self::Registry(address.parse()?)),
            None => Ok(Self::Path(typed.into())),
        }
    }
}

/// The parser of an option's value.
pub(super) fn place() -> impl TypedValueParser<Value = Place> {
    OsStringValueParser::new().try_map(Place::of)
}

/// How a registry is reached that has the bundle.
#[derive(Args)]
pub(crate) struct ReachOptions {
    /// The certificate of an authority that counts for the bundle's registry besides the
    /// system's; repeat the option for more
    #[arg(long, value_name = "FILE")]
    pub(super) registry_ca: Vec<PathBuf>,
    /// Reach the bundle's registry without TLS: anybody on the way can read the password
    #[arg(long)]
    pub(super) plain_http: bool,
}

impl ReachOptions {
    pub(super) fn reach(&self) -> Reach {
        Reach { ca: self.registry_ca.clone(), plain_http: self.plain_http }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_the_scheme_is_in_a_registry() {
        let of = |text: &str| Place::of(text.into());
        assert!(matches!(of("demo.tar"), Ok(Place::Path(_))));
        assert!(matches!(of("./oci://r.io/a:t"), Ok(Place::Path(_))));
        assert!(matches!(of("oci://r.io/a:t"), Ok(Place::Registry(_))));
        assert!(of("oci://r.io/a").unwrap_err().contains("has no tag"));
    }
}
