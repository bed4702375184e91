//! A program as small as one can be: it prints a text and ends. It needs no library
//! and no file, so it runs where a real kubeadm runs.

/// Where the program lies in memory.
const BASE: u64 = 0x40_0000;
/// The ELF header and one program header.
const HEADERS: u64 = 64 + 56;

/// An ELF file for x86-64 Linux that crashes.
pub(crate) fn crashing() -> Vec<u8> {
    of_code(&[0x0f, 0x0b], b"") // ud2
}

/// An ELF file for x86-64 Linux that prints `text`.
pub(crate) fn printing(text: &str) -> Vec<u8> {
    let length = text.len() as u32;
    let mut code = vec![0xb8, 1, 0, 0, 0]; // mov eax, 1 (write)
    code.extend([0xbf, 1, 0, 0, 0]); // mov edi, 1
    code.extend([0x48, 0x8d, 0x35, 16, 0, 0, 0]); // lea rsi, [rip + 16], the text
    code.push(0xba); // mov edx, length
    code.extend(length.to_le_bytes());
    code.extend([0x0f, 0x05]); // syscall
    code.extend([0xb8, 60, 0, 0, 0]); // mov eax, 60 (exit)
    code.extend([0x31, 0xff]); // xor edi, edi
    code.extend([0x0f, 0x05]); // syscall
    of_code(&code, text.as_bytes())
}

fn of_code(code: &[u8], data: &[u8]) -> Vec<u8> {
    let size = HEADERS + (code.len() + data.len()) as u64;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    let word = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
    let half = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    let whole = |file: &mut Vec<u8>, value: u64| file.extend(value.to_le_bytes());
    word(&mut file, 2); // executable
    word(&mut file, 62); // x86-64
    half(&mut file, 1);
    whole(&mut file, BASE + HEADERS); // entry
    whole(&mut file, 64); // program headers
    whole(&mut file, 0); // no sections
    half(&mut file, 0);
    [64, 56, 1, 64, 0, 0].iter().for_each(|value| word(&mut file, *value));
    half(&mut file, 1); // load
    half(&mut file, 5); // read, execute
    [0, BASE, BASE, size, size, 0x1000].iter().for_each(|value| whole(&mut file, *value));
    file.extend(code);
    file.extend(data);
    file
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    #[test]
    fn it_prints_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, super::printing("two\nlines\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(&path).output().unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"two\nlines\n");
        fs::write(&path, super::crashing()).unwrap();
        assert!(!Command::new(&path).output().unwrap().status.success());
    }
}
