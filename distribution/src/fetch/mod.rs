//! Getting bytes from elsewhere, and bringing them to registries. [`Fetch`] is the only
//! way to the network and to `file://`. Everything above it (retries, resume, the cache, the registry protocol)
//! works the same with both, and tests replace it.

pub mod backoff;
pub mod cache;
mod cache_place;
pub mod checksum;
pub mod client;
mod document;
pub mod download;
mod error;
mod failure;
mod fetcher;
pub mod file;
pub mod http;
mod loopback;
pub mod memory;
mod no_proxy;
pub mod notice;
mod pace;
mod proxy;
pub mod queue;
mod request;
mod response;
pub mod retry;
mod secret;
mod source;
mod spelling;
mod survey;
mod transfer;

pub use document::Document;
pub use error::FetchError;
pub use error::with_causes;
pub use fetcher::{Fetch, bytes};
pub use loopback::is_loopback;
pub use request::{Action, Request, Sending, Verb};
pub use response::Response;
pub use secret::Secret;

/// How many requests are sent at a time: a lock spends most of its time waiting for answers.
pub const REQUESTS: usize = 8;
