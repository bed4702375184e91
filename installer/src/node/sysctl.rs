//! The kernel's settings.

use crate::host::Host;

/// What the kernel has for a key; none before its module is loaded. A dot in an
/// interface's name is a slash in a key.
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
