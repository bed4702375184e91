//! The modules of a Go program, which its linker wrote into it (Go's
//! `src/debug/buildinfo/buildinfo.go`). Programs of Go before 1.18 have pointers in place of
//! the texts, and are not read.

use std::io::{self, ErrorKind, Read};

use bundle_format::input::bounded;

use super::package::{Package, add};

/// How an ELF file begins.
pub(crate) const ELF: &[u8] = b"\x7fELF";
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The bytes up to the texts.
const HEADER: usize = 32;
/// In the header: the texts follow it, and are not pointed to.
const INLINE: u8 = 2;
const MAX_VERSION: u64 = 256;
/// The largest list of modules. kube-apiserver 1.37 has 20 kB.
const MAX_MODULES: u64 = 4 << 20;
const CHUNK: usize = 256 << 10;
/// How often the magic may stand before the list: each time, what was read ahead is copied.
const MAX_FALSE: usize = 64;

/// The modules of a program, with Go's own library as `stdlib`. `None` if it is no Go
/// program. It is read only as far as the list.
pub(crate) fn modules(program: &mut dyn Read) -> io::Result<Option<Vec<Package>>> {
    let (mut buffer, mut false_ones) = (Vec::new(), 0);
    loop {
        let Some(at) = memchr::memmem::find(&buffer, MAGIC) else {
            buffer.drain(..buffer.len().saturating_sub(MAGIC.len() - 1));
            match (&mut *program).take(CHUNK as u64).read_to_end(&mut buffer)? {
                0 => return Ok(None),
                _ => continue,
            }
        };
        let own = buffer.get(at..).unwrap_or_default();
        let mut rest = own.chain(&mut *program);
        if let Some(found) = list(&mut rest)? {
            return packages(&found).map(Some);
        }
        // A program that reads these lists has the magic in its own data. The rest of the
        // buffer may have the list.
        false_ones += 1;
        if false_ones > MAX_FALSE {
            return Ok(None);
        }
        let (left, _) = rest.into_inner();
        buffer = left.to_vec();
    }
}

/// The texts behind the magic.
struct List {
    go: String,
    modules: String,
}

/// Reads the texts. `None` if this is not where the linker wrote them.
fn list(reader: &mut dyn Read) -> io::Result<Option<List>> {
    match read_list(reader) {
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            Ok(None)
        }
        other => other,
    }
}

fn read_list(reader: &mut dyn Read) -> io::Result<Option<List>> {
    let mut header = [0; HEADER];
    reader.read_exact(&mut header)?;
    if header.get(15).is_none_or(|flags| flags & INLINE == 0) {
        return Ok(None);
    }
    let go = text(reader, MAX_VERSION)?;
    if !go.starts_with("go") && !go.starts_with("devel") {
        return Ok(None);
    }
    let modules = text(reader, MAX_MODULES)?;
    // Marks of 16 bytes stand around it (Go's `src/cmd/go/internal/modload/build.go`).
    let modules = match modules.find("path\t") {
        Some(at) => modules.get(at..).unwrap_or_default().to_owned(),
        None => String::new(),
    };
    Ok(Some(List { go, modules }))
}

/// A text with its length before it, as a varint.
fn text(reader: &mut dyn Read, limit: u64) -> io::Result<String> {
    let mut length = 0_u64;
    for shift in (0..).step_by(7) {
        let mut byte = [0; 1];
        reader.read_exact(&mut byte)?;
        let [byte] = byte;
        if shift > 28 {
            return Err(ErrorKind::InvalidData.into());
        }
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if length > limit {
        return Err(ErrorKind::InvalidData.into());
    }
    let bytes = bounded(reader.take(length), limit)?;
    if bytes.len() as u64 != length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The modules in a list: `mod`, the program's own, and each `dep`, or what replaces it.
fn packages(list: &List) -> io::Result<Vec<Package>> {
    let named = |name: &str, version: &str| Package {
        name: name.to_owned(),
        // A program that was built in its own folder does not know its version.
        version: if version == "(devel)" { String::new() } else { version.to_owned() },
        ..Package::default()
    };
    let version = list.go.split_ascii_whitespace().next().unwrap_or_default();
    let mut packages = Vec::new();
    add(&mut packages, named("stdlib", version.strip_prefix("go").unwrap_or(version)))?;
    for line in list.modules.lines() {
        let mut fields = line.split('\t');
        let kind = fields.next().unwrap_or_default();
        let (Some(name), version) = (fields.next(), fields.next().unwrap_or_default()) else {
            continue;
        };
        match kind {
            "mod" | "dep" => add(&mut packages, named(name, version))?,
            "=>" if packages.len() > 1 => {
                packages.pop();
                add(&mut packages, named(name, version))?;
            }
            _ => {}
        }
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(before: usize, modules: &str) -> Vec<u8> {
        let mut bytes = ELF.to_vec();
        bytes.resize(before, 0);
        bytes.extend(MAGIC);
        bytes.extend([8, INLINE]);
        bytes.resize(before + HEADER, 0);
        let list = [&[0x30; 16][..], modules.as_bytes(), &[0xf9; 16]].concat();
        for text in [&b"go1.26.1 X:a"[..], &list] {
            let length = text.len();
            bytes.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8]);
            bytes.extend(text);
        }
        bytes.extend(b"the rest");
        bytes
    }

    const MODULES: &str = "path\tk8s.io/pause\nmod\tk8s.io/pause\t(devel)\t\n\
        dep\tgolang.org/x/sys\tv0.1.0\th1:a=\ndep\told.org/a\tv1.0.0\n=>\tnew.org/a\tv1.1.0\th1:b=\n\
        build\t-compiler=gc\n";

    fn names(bytes: &[u8]) -> Vec<String> {
        let found = modules(&mut { bytes }).unwrap().unwrap_or_default();
        found.into_iter().map(|one| format!("{}@{}", one.name, one.version)).collect()
    }

    #[test]
    fn a_program_has_its_modules_wherever_the_list_is() {
        let wanted =
            ["stdlib@1.26.1", "k8s.io/pause@", "golang.org/x/sys@v0.1.0", "new.org/a@v1.1.0"];
        for before in [16, CHUNK - 20, CHUNK - 7, CHUNK, 3 * CHUNK - 1] {
            assert_eq!(names(&program(before, MODULES)), wanted, "{before}");
        }
    }

    #[test]
    fn the_magic_in_a_programs_own_data_is_passed_over() {
        let mut bytes = [ELF, MAGIC, &[0; 64], MAGIC, b"\x08\x02", &[0xff; 64]].concat();
        assert_eq!(names(&bytes), Vec::<String>::new());
        bytes.extend(program(64, MODULES));
        assert_eq!(names(&bytes).len(), 4);
    }

    #[test]
    fn a_program_of_magics_takes_no_time_and_no_memory() {
        // 256 MiB, each of which would be copied for each magic.
        let magics = MAGIC.repeat(1 << 14);
        let mut read = 0;
        let mut program = Counted { magics: &magics, left: 1 << 28, read: &mut read };
        assert_eq!(modules(&mut program).unwrap(), None);
        assert!(read < 1 << 20, "{read}");
    }

    /// Magics without an end, and how much of them was read.
    struct Counted<'a> {
        magics: &'a [u8],
        left: usize,
        read: &'a mut usize,
    }

    impl Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(self.magics.len()).min(self.left);
            buffer[..count].copy_from_slice(&self.magics[..count]);
            self.left -= count;
            *self.read += count;
            Ok(count)
        }
    }

    #[test]
    fn what_is_cut_or_too_long_is_no_list() {
        let whole = program(16, MODULES);
        for end in 0..whole.len() {
            modules(&mut &whole[..end]).unwrap();
        }
        let mut long = program(16, MODULES);
        long[16 + HEADER..16 + HEADER + 2].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(modules(&mut long.as_slice()).unwrap(), None);
    }
}
