//! The embedded upstream, asked by real clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it expects"
)]

mod real_tools;
mod wire;
