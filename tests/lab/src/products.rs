//! The lab's products: what each is made from.

use std::path::PathBuf;

use crate::Places;
use crate::command::program;
use crate::product::Product;
use crate::upstream::serve;

/// The root file system that all nodes begin with.
pub fn base(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("base", "base.sh")
        .own_file("recipes/rootfs.sh")
        .own_file("recipes/base-os.sh")
        .own_folder("PACKAGES", "packages")
        .own_file("recipes/runc.sh")
        .own_file("recipes/swap.sh")
        .get(places)
}

/// The programs of Kubernetes 1.20.2, and the lab's own that are compiled with them.
pub fn kubernetes(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("kubernetes", "kubernetes.sh").own_folder("PROGRAMS", "programs").get(places)
}

/// A root file system that no node has: files of Debian's packages are taken
/// from it, for RPMs and images.
pub fn parts(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("parts", "parts.sh").own_file("recipes/rootfs.sh").get(places)
}

/// The secrets of the upstream.
pub fn keys(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("keys", "keys.sh").arguments(&[serve::ADDRESS, serve::REGISTRY]).get(places)
}

/// The signed yum repositories.
pub fn packages(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("packages", "packages.sh")
        .own_folder("PACKAGES", "packages")
        .product("PARTS", &parts(places)?)
        .product("KUBERNETES", &kubernetes(places)?)
        .product("KEYS", &keys(places)?)
        .product("BASE", &base(places)?)
        .get(places)
}

/// The registry's storage, and the manifests that name its images.
pub fn images(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("images", "images.sh")
        .own_folder("MANIFESTS", "manifests")
        .product("PARTS", &parts(places)?)
        .product("KUBERNETES", &kubernetes(places)?)
        .product("KEYS", &keys(places)?)
        .tool("LAB", program("lab")?)
        .get(places)
}

/// What a virtual machine boots from.
pub fn virtual_machine(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("vm", "vm.sh")
        .product("BASE", &base(places)?)
        .product("PARTS", &parts(places)?)
        .get(places)
}
