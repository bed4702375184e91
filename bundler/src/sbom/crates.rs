//! The crates that an installer is made of. Its build puts the list into the program
//! (`installer/build.rs`), so it is right whichever version of the installer it is.

use std::io::{self, Read};

use bundle_format::bounds::MAX_INSTALLER;
use bundle_format::input::bounded;

use super::bom::Component;
use super::purl::Purl;

/// What stands before the list. A zero byte ends it.
const MARK: &[u8] = b"kubeferry-crates 1\n";
/// The longest list, in bytes. That of 130 crates has 5 kB.
const MAX_LIST: usize = 1 << 20;

/// A component for each crate in the list of this program; none if it has no list.
pub(super) fn components(program: &mut dyn Read, reference: &str) -> io::Result<Vec<Component>> {
    let bytes = bounded(program, MAX_INSTALLER)?;
    let Some(at) = memchr::memmem::find(&bytes, MARK) else { return Ok(Vec::new()) };
    let list = bytes.get(at + MARK.len()..).unwrap_or_default();
    let end = list.iter().take(MAX_LIST).position(|byte| *byte == 0).unwrap_or_default();
    let list = String::from_utf8_lossy(list.get(..end).unwrap_or_default());
    Ok(list.lines().filter_map(|line| component(line, reference)).collect())
}

/// The crate of a line: its name, version and licence.
fn component(line: &str, reference: &str) -> Option<Component> {
    let mut fields = line.split('\t');
    let (name, version, licence) = (fields.next()?, fields.next()?, fields.next()?);
    let component = Component {
        reference: format!("{reference} {name}@{version}"),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        purl: Some(Purl::new("cargo", name).version(version).to_string()),
        ..Component::default()
    };
    Some(component.with_licence(Some(licence.to_owned()).filter(|text| !text.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_list_is_found_and_what_is_none_is_passed_over() {
        let program =
            [&[0x7f; 99], MARK, b"serde\t1.0.0\tMIT\nbad\na\t1\t\n\0tail\t1\tMIT\n"].concat();
        let names = |bytes: &[u8]| -> Vec<String> {
            let found = components(&mut { bytes }, "installer").unwrap();
            found.into_iter().map(|one| one.purl.unwrap_or_default()).collect()
        };
        assert_eq!(names(&program), ["pkg:cargo/serde@1.0.0", "pkg:cargo/a@1"]);
        for end in 0..99 + MARK.len() + 20 {
            assert_eq!(names(&program[..end]), Vec::<String>::new());
        }
    }
}
