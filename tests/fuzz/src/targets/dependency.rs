use bundler::rpm::dependency::Dependency;

use super::{READ, outcome, text};

/// A requirement of a package, also a boolean one. It means the same when it is
/// written and read again.
pub(super) fn dependency(bytes: &[u8]) -> String {
    let dependency = match Dependency::parse(&text(bytes)) {
        Ok(dependency) => dependency,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    let written = dependency.to_string();
    assert_eq!(Dependency::parse(&written).as_ref(), Ok(&dependency), "{written}");
    assert!(dependency.capabilities().len() <= bytes.len());
    READ.to_owned()
}
