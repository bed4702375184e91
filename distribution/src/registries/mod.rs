//! Registries: how each is reached, who is logged in there, and the requests to one.

pub mod auth;
pub mod challenge;
pub mod credentials;
mod helper;
pub mod login;
pub mod login_file;
mod realm;
pub mod referrers;
pub mod registry;
pub mod writing;

#[cfg(test)]
mod scripted;
