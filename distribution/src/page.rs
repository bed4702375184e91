//! Recognises what servers send instead of a file: login pages, errors, nothing.

use anyhow::bail;

/// What the bytes are, if they are certainly not a file that this program reads: `a
/// page of HTML ("Sign in")`.
pub fn instead(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    let text = text.trim_start_matches(['\u{feff}']).trim_start();
    let lower = text.to_ascii_lowercase();
    if text.is_empty() && bytes.iter().all(u8::is_ascii_whitespace) {
        return Some("nothing: it is empty".to_owned());
    }
    let is_page = ["<!doctype html", "<html", "<head", "<body", "<script", "<title"]
        .iter()
        .any(|tag| lower.starts_with(tag))
        || lower.starts_with("<!--") && lower.contains("<html")
        || lower.starts_with("<?xml") && (lower.contains("<html") || lower.contains("xhtml"));
    if is_page {
        return Some(match between(text, &lower, "title") {
            Some(title) => format!("a page of HTML (\"{title}\")"),
            None => "a page of HTML".to_owned(),
        });
    }
    if lower.starts_with("<error") || lower.starts_with("<?xml") && lower.contains("<error") {
        return Some(match between(text, &lower, "message") {
            Some(message) => format!("an error in XML (\"{message}\")"),
            None => "an error in XML".to_owned(),
        });
    }
    None
}

/// The same, for a file that is not XML either.
fn instead_of_text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start();
    let is_xml = text.starts_with("<?xml") || text.starts_with("<!");
    let message = || {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let found =
            ["message", "error", "errors", "detail"].iter().find_map(|key| json.get(*key))?;
        Some(format!("an answer in JSON ({})", short(&found.to_string())))
    };
    instead(bytes).or_else(|| is_xml.then(|| "XML".to_owned())).or_else(message).or_else(|| {
        text.starts_with("404").then(|| format!("the text \"{}\"", short(text.trim_end())))
    })
}

/// Fails if the bytes of `source` are not a file.
pub fn refuse(source: &str, bytes: &[u8]) -> anyhow::Result<()> {
    match instead_of_text(bytes) {
        Some(what) => bail!("{source} gave {what}: {}", advice(source)),
        None => Ok(()),
    }
}

/// What the user can do about it.
pub fn advice(source: &str) -> &'static str {
    match source.contains("://") {
        true => {
            "open it in a browser on this host; if a proxy or a portal asks for a login, log in \
             there; otherwise write a URL that gives the file itself"
        }
        false => "fetch the file again, and look into it before you put it there",
    }
}

/// The text of the first such element, on one line.
fn between(text: &str, lower: &str, tag: &str) -> Option<String> {
    let start = lower.find(&format!("<{tag}"))?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    let found = short(text.get(start..end)?.trim());
    (!found.is_empty()).then_some(found)
}

fn short(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_errors_are_told_from_files() {
        for (bytes, wanted) in [
            ("", Some("nothing")),
            (" \r\n", Some("nothing")),
            ("\u{feff}<!DOCTYPE html><html><head><title>\n Sign in</title>", Some("(\"Sign in\")")),
            ("<html>", Some("a page of HTML")),
            (
                "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0\">",
                Some("HTML"),
            ),
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>no such key</Message>",
                Some("(\"no such key\")"),
            ),
            ("<?xml version=\"1.0\"?>\n<repomd/>", None),
            ("a: b", None),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----", None),
        ] {
            let found = instead(bytes.as_bytes());
            assert_eq!(found.is_some(), wanted.is_some(), "{bytes}: {found:?}");
            assert!(found.unwrap_or_default().contains(wanted.unwrap_or_default()), "{bytes}");
        }
        assert_eq!(
            instead_of_text(b"{\"message\":\"Not Found\"}").as_deref(),
            Some("an answer in JSON (\"Not Found\")")
        );
        assert!(instead_of_text(b"404: Not Found").is_some());
        assert!(instead_of_text(b"<?xml version=\"1.0\"?>").is_some());
        assert_eq!(instead_of_text(b"bash\t5.1-1\tx86_64"), None);
    }
}
