//! RPMs: repositories, the dependency closure, signatures.
