use bundle_format::have::Have;

use super::READ;

/// A have-list. What it means is the same when it is written and read again.
pub(super) fn have(bytes: &[u8]) -> String {
    match Have::parse(bytes) {
        Ok(have) => {
            let text = have.text().expect("a list is JSON");
            assert_eq!(Have::parse(text.as_bytes()).as_ref(), Ok(&have), "{text}");
            READ.to_owned()
        }
        Err(error) => error.to_string(),
    }
}
