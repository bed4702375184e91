//! Fetches cosign's signatures over an image, in the two forms that it gives them.

use std::fmt;

use bundle_format::digest::Digest;
use bundle_format::lock::LockedSignature;
use bundle_format::reference::ImageReference;
use bundle_format::text::count;

use super::pull::Puller;
use super::pull_error::PullError;
use super::registry::Endpoint;
use super::signer::Signer;
use crate::fetch::{FetchError, with_causes};

/// How many signatures over one image are read of each form.
const MOST: usize = 100;

/// Why no signature over an image counts.
#[derive(Debug, thiserror::Error)]
#[error("{}", attempts.iter().map(|(host, why)| format!("\n  from {host}: {why}")).collect::<String>())]
pub struct SignatureError {
    /// What each registry or mirror had, in the order in which they were asked.
    pub attempts: Vec<(String, NotSigned)>,
}

/// Why one registry or mirror had no signature that counts.
#[derive(Debug, Default)]
pub struct NotSigned {
    /// How many signatures it has.
    pub number: usize,
    /// What is wrong with them, each once.
    pub refused: Vec<String>,
    /// Why it could not be asked for one of the forms, or does not answer as a registry.
    pub unknown: Vec<String>,
}

impl NotSigned {
    fn refuse(&mut self, why: String) {
        if !self.refused.contains(&why) {
            self.refused.push(why);
        }
    }
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, refused, unknown } = self;
        let mut parts = Vec::new();
        if *number > 0 {
            parts.push(format!("of {}, none counts", count(*number, "signature")));
        } else if unknown.is_empty() {
            parts.push("it has no signatures over this image".to_owned());
        }
        parts.extend(refused.iter().chain(unknown).cloned());
        f.write_str(&parts.join("; "))
    }
}

impl Puller {
    /// The first signature of `signer` over the image that `root` is the digest of. Asks one
    /// registry or mirror after another, until one has it.
    pub fn signature(
        &self,
        image: &ImageReference,
        root: Digest,
        signer: &Signer,
    ) -> Result<LockedSignature, SignatureError> {
        let endpoints = self.endpoints(image).map_err(|error| {
            let why = NotSigned { unknown: vec![error.to_string()], ..NotSigned::default() };
            SignatureError { attempts: vec![(image.registry().to_owned(), why)] }
        })?;
        let mut attempts = Vec::new();
        for endpoint in endpoints {
            match self.signature_at(&endpoint, root, signer) {
                Ok(found) => return Ok(found),
                Err(why) => attempts.push((endpoint.host(), why)),
            }
        }
        Err(SignatureError { attempts })
    }

    fn signature_at(
        &self,
        endpoint: &Endpoint,
        root: Digest,
        signer: &Signer,
    ) -> Result<LockedSignature, NotSigned> {
        let mut why = NotSigned::default();
        for form in [Form::Tagged, Form::Referring] {
            let listed = match form {
                Form::Tagged => self.tagged(endpoint, root),
                Form::Referring => self.referring(endpoint, root),
            };
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    why.unknown.push(with_causes(&error));
                    if is_away(&error) {
                        break;
                    }
                    continue;
                }
            };
            why.number += listed.len();
            for own in listed.iter().take(MOST) {
                let found = match form {
                    Form::Tagged => self.in_layer(endpoint, own),
                    Form::Referring => self.in_referrer(endpoint, own),
                };
                let accepted = found
                    .and_then(|found| signer.accept(found, root).map_err(|why| why.to_string()));
                match accepted {
                    Ok(own) => return Ok(own),
                    Err(refusal) => why.refuse(refusal),
                }
            }
            if listed.len() > MOST {
                why.refuse(format!("those after the first {MOST} are not read"));
            }
        }
        Err(why)
    }
}

/// Whether a registry does not answer, so that it would not answer another question either.
fn is_away(error: &PullError) -> bool {
    let PullError::Fetch(error) = error else { return false };
    matches!(error, FetchError::Unreachable { .. } | FetchError::Transport { .. })
}

/// The forms that cosign gives its signatures.
#[derive(Clone, Copy)]
enum Form {
    /// Of cosign 2: all are layers of one manifest.
    Tagged,
    /// Of cosign 3: each is a bundle that refers to the image.
    Referring,
}
