use std::io::Cursor;

use bundle_format::{Architecture, Digest};
use bundler::fetch::{Fetch, FetchError, Request, Response};
use bundler::rpm::repository::Repository;
use bundler::rpm::resolve::{Baseline, Goal, resolve};

use super::outcome;

const PRIMARY: &[u8] = b"<?xml version=\"1.0\"?>\n<metadata \
    xmlns=\"http://linux.duke.edu/metadata/common\" packages=\"0\"></metadata>";

/// The groups of a repository without packages, which a resolution reads.
pub(super) fn comps(bytes: &[u8]) -> String {
    let record = |kind: &str, bytes: &[u8]| {
        let sum = Digest::of(bytes).hex();
        format!(
            "<data type=\"{kind}\"><checksum type=\"sha256\">{sum}</checksum>\
             <location href=\"{kind}.xml\"/><timestamp>1</timestamp><size>{}</size></data>",
            bytes.len()
        )
    };
    let repomd = format!(
        "<?xml version=\"1.0\"?><repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\
         <revision>1</revision>{}{}</repomd>",
        record("primary", PRIMARY),
        record("group", bytes)
    );
    let fetch = Files(bytes.to_vec());
    let base = "https://example.com/os/".parse().expect("it is a URL");
    let repository = Repository::load(&fetch, "os", &base, 99, repomd.as_bytes());
    let mut repositories = [repository.expect("its other files are good")];
    let goal = Goal {
        architecture: Architecture::X86_64,
        platform: None,
        baseline: Baseline::Core,
        requests: &[],
        excluded: &|_, _| false,
    };
    let resolved = resolve(&fetch, &mut repositories, &goal);
    outcome(resolved.map_err(anyhow::Error::from))
}

/// A server that has the groups and an empty list of packages.
struct Files(Vec<u8>);

impl Fetch for Files {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let is_groups = request.url.path().ends_with("group.xml");
        let bytes = if is_groups { self.0.clone() } else { PRIMARY.to_vec() };
        Ok(Response {
            url: request.url.clone(),
            status: 200,
            headers: Vec::new(),
            offset: 0,
            length: Some(bytes.len() as u64),
            body: Box::new(Cursor::new(bytes)),
        })
    }
}
