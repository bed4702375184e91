//! What several tests ask.

pub(crate) mod demo;
pub(crate) mod dnf;
pub(crate) mod gpg;
pub(crate) mod help;
pub(crate) mod key_life;
pub(crate) mod shared_data;
pub(crate) mod stock;
