use std::path::Path;

use installer::node::join::JoinFile;

use super::{READ, outcome, text};

/// A join file. It means the same when it is written and read again.
pub(super) fn join_file(bytes: &[u8]) -> String {
    let path = Path::new("join.yaml");
    let join = match JoinFile::parse(&text(bytes), path) {
        Ok(join) => join,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    join.problem();
    let written = join.text().expect("it can be written");
    let again = JoinFile::parse(&written, path).expect("what we write, we read");
    assert_eq!(again.text().expect("it can be written"), written);
    READ.to_owned()
}
