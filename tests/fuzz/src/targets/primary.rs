use bundler::rpm::dependency::Dependency;
use bundler::rpm::primary::read_primary;

use super::{READ, outcome};

/// The most bytes of metadata when they are decompressed.
pub(super) const MOST: u64 = 16 << 20;

/// `primary.xml`. Each package has a name that reads back, and an address below its
/// repository's host.
pub(super) fn primary(bytes: &[u8]) -> String {
    let base = "https://example.com/os/".parse().expect("it is a URL");
    let packages = match read_primary(bytes, MOST, &base) {
        Ok(packages) => packages,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    for package in &packages {
        let again = package.nevra.to_string().parse();
        assert_eq!(again.as_ref(), Ok(&package.nevra), "it reads back");
        for dependency in package.requires.iter().chain(&package.conflicts) {
            drop(Dependency::parse(&dependency.to_string()));
        }
    }
    READ.to_owned()
}
