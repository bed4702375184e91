//! The least HTTP client that is a `Fetch`: no retries, no resume.

use std::path::Path;

use bundler::fetch::{Fetch, FetchError, Request, Response};

pub struct Http(reqwest::blocking::Client);

impl Http {
    /// Trusts `ca` alone.
    pub fn new(ca: Option<&Path>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificates =
            ca.map(|path| reqwest::Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap());
        let builder = reqwest::blocking::Client::builder().no_proxy();
        Self(builder.tls_certs_only(certificates).build().unwrap())
    }
}

impl Fetch for Http {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let mut builder = self.0.get(request.url.clone());
        if !request.accept.is_empty() {
            builder = builder.header("accept", request.accept.join(", "));
        }
        if let Some(secret) = &request.authorization {
            builder = builder.header("authorization", secret.expose());
        }
        let response = builder.send().map_err(|error| FetchError::Transport {
            url: request.url.clone(),
            source: error.without_url().into(),
        })?;
        let headers = response.headers().iter();
        Ok(Response {
            url: response.url().clone(),
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            offset: 0,
            length: response.content_length(),
            body: Box::new(response),
        })
    }
}
