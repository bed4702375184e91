//! The kernel's settings.

use crate::host::Host;

/// The kernel's value of a key; none if its module is not loaded. A dot in an
/// interface's name is written as a slash in a key.
pub(crate) fn now(host: &Host, key: &str) -> anyhow::Result<Option<String>> {
    let turned = |letter| match letter {
        '.' => '/',
        '/' => '.',
        letter => letter,
    };
    let path: String = key.chars().map(turned).collect();
    let text = host.read(format!("/proc/sys/{path}"))?;
    Ok(text.map(|text| text.trim().to_owned()))
}
