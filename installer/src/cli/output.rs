//! Where a command's text goes, and which files it replaces.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::replaced::{self, Kind};
use bundle_format::text::stdout;
use bundle_format::{output, recognise};

use crate::failure::Failure;

/// A join file.
pub(super) const JOIN_FILE: Kind = Kind {
    words: "join file",
    begins: |head| recognise::what_begins(head) == recognise::JOIN_FILE,
};
/// A kubeconfig.
pub(super) const KUBECONFIG: Kind = Kind {
    words: "kubeconfig",
    begins: |head| recognise::what_begins(head) == recognise::KUBECONFIG,
};

/// Fails if a file of this kind cannot be written to what `--output` names, or would replace
/// another kind of file or one of `inputs`.
pub(super) fn check(path: &Path, kind: &Kind, inputs: &[PathBuf]) -> anyhow::Result<()> {
    let inputs = inputs.iter().map(PathBuf::as_path);
    replaced::check(path, kind, inputs).map_err(|refused| match refused.cure() {
        Some(cure) => Failure::new(refused.to_string(), cure).into(),
        None => refused.into(),
    })
}

/// Prints to standard output.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("printing")
}

/// Writes a secret to a file that only its owner can read, or prints it. Before it was made,
/// [`check`] was asked.
pub(super) fn secret(path: Option<&Path>, text: &str, what: &str) -> anyhow::Result<()> {
    match path {
        None => print(text),
        Some(path) => output::write(path, text.as_bytes(), 0o600)
            .with_context(|| format!("writing the {what} to {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_secret_replaces_no_device_and_no_link_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        secret(Some(Path::new("/dev/null")), "token", "join file").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        fs::write(at("real"), "for all to read").unwrap();
        fs::set_permissions(at("real"), fs::Permissions::from_mode(0o644)).unwrap();
        symlink("real", at("link")).unwrap();
        secret(Some(&at("link")), "token", "join file").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read_to_string(at("real")).unwrap(), "token");
        assert_eq!(fs::metadata(at("real")).unwrap().permissions().mode() & 0o7777, 0o600);
        let error = secret(Some(folder.path()), "token", "join file").unwrap_err();
        let error = format!("{error:#}");
        assert!(error.starts_with("writing the join file to ") && !error.contains("token"));
        assert!(error.contains("it is a folder; name a file in it"), "{error}");
    }
}
