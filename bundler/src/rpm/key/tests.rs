//! What a file that is no key is told to be.

use super::*;

#[test]
fn a_file_that_is_no_key_says_what_it_is() {
    for (bytes, words) in [
        (&b""[..], "it is empty"),
        (b"<!doctype html>", "it is an HTML page"),
        (b"-----BEGIN CERTIFICATE-----\n", "it is a certificate in PEM form"),
        (b"garbage\n", "it is a text of another kind"),
        (b"podCidr: 10.0.0.0/8\n", "it is a cluster file"),
    ] {
        let error = Keyring::default().add("k.asc", bytes).unwrap_err().to_string();
        let cure = "such a file begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`";
        assert!(error.contains(words) && error.contains(cure), "{error}");
    }
    // A broken key is not reported as another kind of file.
    let broken = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nQQ\n";
    let error = Keyring::default().add("k.asc", broken).unwrap_err().to_string();
    assert!(!error.contains("such a file begins with"), "{error}");
}
