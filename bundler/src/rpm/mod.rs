//! RPMs: repositories, the dependency closure, signatures.

pub mod checksum;
pub mod closure;
pub mod compression;
pub mod dependency;
pub mod package;
pub mod primary;
pub mod repomd;
pub mod repository;
