//! The [`Fetch`] for every kind of URL.

use url::Url;

use super::error::FetchError;
use super::fetcher::Fetch;
use super::file::FileFetch;
use super::http::{HttpError, HttpFetch};
use super::notice::Notices;
use super::request::Request;
use super::response::Response;
use super::retry::Retry;
use super::spelling;
use super::survey::Survey;

/// Passes each request to the implementation for its scheme.
pub struct Client {
    http: Retry<HttpFetch>,
    survey: Survey,
}

impl Client {
    /// A client that trusts the authorities in `extra` (a name and PEM text
    /// each) besides the system's.
    pub fn new(extra: &[(String, Vec<u8>)]) -> Result<Self, HttpError> {
        Ok(Self { http: Retry::new(HttpFetch::new(extra, None)?), survey: Survey::new() })
    }

    /// The same client, but it tells `notices` when it tries a request again.
    pub fn telling(self, notices: &Notices) -> Self {
        Self { http: self.http.telling(notices), ..self }
    }

    /// Sets the places that will be asked, one for each host. If the first host
    /// cannot be reached, all of them are tried at once.
    pub fn expect(&self, places: Vec<Url>) {
        self.survey.expect(places);
    }

    /// The hosts that could not be reached, as `https://HOST`, each with the
    /// reason.
    pub fn unreachable(&self) -> Vec<(String, String)> {
        self.http.all_unreachable()
    }

    fn open_over_http(&self, request: &Request) -> Result<Response, FetchError> {
        if request.is_sending() {
            return self.http.open(request);
        }
        let mut spellings = spelling::spellings(&request.url).into_iter().peekable();
        loop {
            // There is always one spelling.
            let url = spellings.next().unwrap_or_else(|| request.url.clone());
            let result = self.http.open(&Request { url, ..request.clone() });
            if let Err(FetchError::Unreachable { .. }) = &result {
                self.survey.run(&self.http);
            }
            let response = result?;
            if spellings.peek().is_none() || !spelling::is_another_worth_it(response.status) {
                return Ok(response);
            }
        }
    }
}

impl Fetch for Client {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        match request.url.scheme() {
            "file" => FileFetch.open(request),
            _ => self.open_over_http(request),
        }
    }
}
