//! Whether a text is XML that the metadata library can take. If a document breaks off,
//! it reads for ever, and some attributes end the program.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// How deep yum metadata may nest. comps nests deepest, with six levels.
const MAX_DEPTH: usize = 32;

/// The most bytes of one entry: a package, a group. Real ones have less than ten
/// megabytes, and their readers hold one entry in memory.
const MAX_ENTRY: u64 = 32 << 20;

/// Reads the whole document. Fails if an element is not closed, elements nest too
/// deep, an entry is too large, an entity is defined, or an attribute is one that the
/// library cannot take.
pub(super) fn check(reader: impl BufRead) -> Result<(), String> {
    let mut reader = Reader::from_reader(Counting { reader, count: 0 });
    let mut buffer = Vec::new();
    let mut depth = 0usize;
    let mut elements = 0u64;
    loop {
        buffer.clear();
        if depth < 2 {
            reader.get_mut().count = 0;
        }
        match reader.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(element) => {
                attributes(&element)?;
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
                }
            }
            Event::Empty(element) => attributes(&element)?,
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

/// Fails at what the library, `rpmrepo_metadata` 0.9.1, panics at: a list of packages
/// without their number, and a file of an unknown kind.
fn attributes(element: &BytesStart<'_>) -> Result<(), String> {
    let value = |name: &str| {
        let attribute = element.try_get_attribute(name).map_err(|error| error.to_string())?;
        Ok::<_, String>(attribute.map(|attribute| attribute.value))
    };
    match element.name().as_ref() {
        list @ ("metadata" | "filelists") if value("packages")?.is_none() => {
            Err(format!("its `{list}` does not say how many `packages` it has"))
        }
        "file" => match value("type")?.as_deref() {
            None | Some("file" | "dir" | "ghost") => Ok(()),
            Some(_) => Err("a file in it is no file, folder or ghost".to_owned()),
        },
        _ => Ok(()),
    }
}

/// Fails before an entry that is too large has been read.
struct Counting<R> {
    reader: R,
    count: u64,
}

impl<R: BufRead> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.count > MAX_ENTRY {
            return Err(io::Error::other("an entry in it is larger than any real one"));
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    #[test]
    fn no_entry_is_read_without_bound() {
        let beyond = MAX_ENTRY as usize + (1 << 20);
        let inside = |text: &str| {
            let (start, end) =
                (&b"<metadata packages='1'><package>"[..], &b"</package></metadata>"[..]);
            let middle = text.repeat(1 + beyond / text.len());
            check(BufReader::new(start.chain(middle.as_bytes()).chain(end)))
        };
        let long = "x".repeat(10_000);
        for text in [&long, &format!("<a b='{long}'/>"), &format!("<!-- {long} -->")] {
            let error = inside(text).unwrap_err();
            assert!(error.contains("larger than any real one"), "{error}");
        }
        let comment = format!("<metadata packages='1'><!--{}--></metadata>", "<".repeat(beyond));
        assert!(check(BufReader::new(comment.as_bytes())).is_err());
        let many = format!("<a>{long}</a>").repeat(beyond / long.len());
        let many = format!("<metadata packages='1'>{many}</metadata>");
        assert_eq!(check(BufReader::new(many.as_bytes())), Ok(()));
    }

    #[test]
    fn only_whole_documents_pass() {
        assert_eq!(
            check(&b"<?xml version='1.0'?><!DOCTYPE comps PUBLIC 'x' 'y'><a><b c='d'/>e</a>"[..]),
            Ok(())
        );
        let files = "<filelists packages='1'><file>/a</file><file type='dir'>/b</file></filelists>";
        assert_eq!(check(files.as_bytes()), Ok(()));
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
            "<metadata xmlns='x'></metadata>",
            "<filelists package='1'></filelists>",
            "<a><file type='link'>/b</file></a>",
            "<a><file type=''/></a>",
        ] {
            assert!(check(text.as_bytes()).is_err(), "{text:.30}");
        }
    }
}
