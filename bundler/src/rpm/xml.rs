//! Whether a text is XML at all. The metadata library takes that for granted:
//! on a document that breaks off it reads for ever.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::Event;

/// How deep yum metadata nests at most; comps, the deepest, has six levels.
const MAX_DEPTH: usize = 32;

/// Reads the whole document and fails unless every element that begins in it
/// ends in it, nothing nests too deep, and no entities are defined.
pub(super) fn check(reader: impl BufRead) -> Result<(), String> {
    let mut reader = Reader::from_reader(reader);
    let mut buffer = Vec::new();
    let mut depth = 0usize;
    let mut elements = 0u64;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(_) => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
                }
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(text) if text.contains("!ENTITY") => {
                return Err("it defines XML entities".to_owned());
            }
            Event::Eof if depth > 0 => return Err("it breaks off".to_owned()),
            Event::Eof if elements == 0 => return Err("it holds no element".to_owned()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_whole_documents_pass() {
        assert_eq!(
            check(&b"<?xml version='1.0'?><!DOCTYPE comps PUBLIC 'x' 'y'><a><b c='d'/>e</a>"[..]),
            Ok(())
        );
        let deep = "<a>".repeat(1000);
        for text in [
            "",
            "text",
            "<a>",
            "<a><b></a>",
            "<a></b>",
            "<a",
            &deep,
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        ] {
            assert!(check(text.as_bytes()).is_err(), "{text:.30}");
        }
    }
}
