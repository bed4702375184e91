use bundler::rpm::modules::Documents;

use super::{READ, outcome, text};

/// `modules.yaml`, and what a node sees by it.
pub(super) fn modules(bytes: &[u8]) -> String {
    let mut documents = Documents::default();
    if let Err(error) = documents.add(&text(bytes)) {
        return outcome::<(), _>(Err(error));
    }
    documents.modules(Some("el9"), "x86_64");
    READ.to_owned()
}
