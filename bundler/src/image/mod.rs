//! Container images: pulling them from registries, byte for byte.
