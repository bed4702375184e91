//! Tests of `bundler`, and of both programs together, on real parts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it expects"
)]

mod architecture;
mod audit;
mod bundle;
mod by_hand;
mod charts;
mod closure;
mod closure_choices;
mod closure_generated;
mod closure_modules;
mod closure_size;
mod cosign;
mod delta;
mod documents;
mod far;
mod faults;
mod hops;
mod hostile_bundle;
mod image_bundles;
mod image_signatures;
mod images;
mod interoperation;
mod inventory;
mod kept_packages;
mod kernel;
mod keyless;
mod kit;
mod kubeadm_asked;
mod kustomize;
mod local_files;
mod manifests;
mod metadata;
mod naming;
mod outputs;
mod outside;
mod page;
mod pages;
mod plus_sign;
mod real_registry;
mod real_upstreams;
mod referrers;
mod registry;
mod registry_refusals;
mod review;
mod sbom;
mod serve;
mod shipped;
mod signature;
mod site;
mod streams;
mod support;
mod transfer;
mod trust;
mod trust_bundle;
mod trust_expiry;
mod trust_keys;
mod trust_metadata;
mod trust_packages;
mod trust_revoker;
