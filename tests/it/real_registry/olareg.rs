//! olareg, which lists what refers to a manifest (OCI distribution spec, "Listing Referrers").

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};

use lab::built;

use super::{RealRegistry, spawn, write_login_file};

impl RealRegistry {
    /// olareg without TLS, open to all. None, with a word on stderr, if it was not built.
    pub(crate) fn olareg(options: &[&str]) -> Option<Self> {
        if built::programs("olareg").is_empty() {
            eprintln!("skipped: no olareg: `scripts/tools --judges` builds it");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        write_login_file(folder.path(), &address.to_string(), false);
        let process = serve(folder.path(), address.port(), options);
        let registry = Self { process, address, folder, tls: false, login: false, tokens: None };
        Some(registry.ready())
    }

    /// The same one with other options.
    pub(crate) fn olareg_again(mut self, options: &[&str]) -> Self {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = serve(self.folder.path(), self.address.port(), options);
        self.ready()
    }
}

fn serve(folder: &Path, port: u16, options: &[&str]) -> Child {
    let (_, program) = built::programs("olareg").pop().unwrap();
    let mut serve = Command::new(program);
    serve.args(["serve", "--addr", "127.0.0.1", "--port", &port.to_string(), "--dir"]);
    spawn(serve.arg(folder.join("storage")).args(options), folder)
}
