//! Kubernetes YAML: which images it needs, and changing it without rewriting it.
