//! The lab's products: what each is made from.

use std::path::PathBuf;

use crate::command::program;
use crate::product::Product;
use crate::upstream::serve;
use crate::{Line, Places};

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

/// The programs of a folder of `modules/`, called by their name and version.
fn module(places: &Places, name: &str, version: &str) -> anyhow::Result<PathBuf> {
    of_module(name, version).get(places)
}

fn of_module(name: &str, version: &str) -> Product {
    let name = format!("{name}-{version}");
    Product::new(&name, "module.sh").own_folder("MODULE", &format!("modules/{name}"))
}

/// The programs of a line's Kubernetes.
pub fn kubernetes(places: &Places, line: Line) -> anyhow::Result<PathBuf> {
    match line.minor {
        "1.20" => Product::new("kubernetes-1.20.2", "kubernetes-1.20.sh").get(places),
        // Its kubeadm asks for `https://[10.96.0.1]:1234/`, which Go refuses since 1.24.8.
        "1.28" => {
            of_module("kubernetes", line.kubernetes).value("GOTOOLCHAIN", "go1.24.7").get(places)
        }
        "1.37.3" => {
            let newest = Line::default();
            Product::new("kubernetes-1.37.3", "restamp.sh")
                .product("KUBERNETES", &kubernetes(places, newest)?)
                .value("FROM", newest.kubernetes)
                .value("TO", line.kubernetes)
                .get(places)
        }
        _ => module(places, "kubernetes", line.kubernetes),
    }
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

/// The distribution's signed yum repositories.
pub fn packages(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("packages", "packages.sh")
        .own_file("recipes/rpm.sh")
        .own_folder("PACKAGES", "packages")
        .product("PARTS", &parts(places)?)
        .product("KEYS", &keys(places)?)
        .product("BASE", &base(places)?)
        .get(places)
}

/// A line's signed yum repositories.
pub fn line_packages(places: &Places, line: Line) -> anyhow::Result<PathBuf> {
    Product::new(&format!("packages-{}", line.minor), "line-packages.sh")
        .own_file("recipes/rpm.sh")
        .own_folder("PACKAGES", "packages")
        .product("PARTS", &parts(places)?)
        .product("KEYS", &keys(places)?)
        .product("KUBERNETES", &kubernetes(places, line)?)
        .value("KUBERNETES_VERSION", line.kubernetes)
        .product("CRI_TOOLS", &module(places, "cri-tools", line.cri_tools)?)
        .value("CRI_TOOLS_VERSION", line.cri_tools)
        .product("CNI_PLUGINS", &module(places, "cni-plugins", line.cni_plugins)?)
        .value("CNI_PLUGINS_VERSION", line.cni_plugins)
        .product("CONTAINERD", &module(places, "containerd", line.containerd)?)
        .value("CONTAINERD_VERSION", line.containerd)
        .get(places)
}

/// The registry's storage with a line's images, and the manifests that name them.
pub fn images(places: &Places, line: Line) -> anyhow::Result<PathBuf> {
    let mut product = Product::new(&format!("images-{}", line.minor), "images.sh")
        .own_folder("MANIFESTS", "manifests")
        .product("PARTS", &parts(places)?)
        .product("KEYS", &keys(places)?)
        .product("KUBERNETES", &kubernetes(places, line)?)
        .value("KUBERNETES_VERSION", line.kubernetes)
        .product("COREDNS", &module(places, "coredns", line.coredns)?)
        .product("FLANNEL", &module(places, "flannel", "0.27.4")?)
        .product("FLANNEL_CNI", &module(places, "flannel-cni", "0.9.1")?)
        .product("WEB", &module(places, "web", "1.0")?)
        .tool("LAB", program("lab")?);
    if let Some(version) = line.etcd {
        product = product.product("ETCD", &module(places, "etcd", version)?);
    }
    product.get(places)
}

/// What a virtual machine boots from.
pub fn virtual_machine(places: &Places) -> anyhow::Result<PathBuf> {
    Product::new("vm", "vm.sh")
        .product("BASE", &base(places)?)
        .product("PARTS", &parts(places)?)
        .get(places)
}
