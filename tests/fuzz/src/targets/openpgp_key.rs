use std::time::SystemTime;

use bundler::rpm::key::Keyring;

use super::{READ, outcome};

/// A vendor's key.
pub(super) fn openpgp_key(bytes: &[u8]) -> String {
    let mut keyring = Keyring::default();
    if let Err(error) = keyring.add("key.asc", bytes) {
        return outcome::<(), _>(Err(anyhow::Error::from(error)));
    }
    let keys = keyring.fingerprints().len();
    assert_eq!(keyring.expiries(SystemTime::UNIX_EPOCH).len(), keys);
    drop(keyring.united(bytes));
    READ.to_owned()
}
