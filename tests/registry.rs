//! The registry client against Debian's docker-registry.
