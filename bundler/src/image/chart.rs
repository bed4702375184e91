//! Helm charts in a registry: an image manifest with one layer that is the packed chart
//! (helm.sh/docs/topics/registries).

use bundle_format::reference::ImageReference;

use super::document::DocumentError;
use super::pull::{MANIFEST_LIMIT, Puller};
use super::pull_error::{Attempt, PullError, ResolveError};
use super::registry::Endpoint;
use super::small_blob;

/// The media type of a packed chart.
const CHART_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

impl Puller {
    /// The packed chart with this name and tag, of at most `limit` bytes. Asks one registry
    /// or mirror after another.
    pub(crate) fn chart(&self, name: &ImageReference, limit: u64) -> Result<Vec<u8>, ResolveError> {
        let fail = |attempts| ResolveError { image: Box::new(name.clone()), attempts };
        let endpoints = self.endpoints(name).map_err(|error| {
            fail(vec![Attempt { host: name.registry().to_owned(), error: error.into() }])
        })?;
        let mut attempts = Vec::new();
        for endpoint in endpoints {
            match self.chart_at(&endpoint, name.tag().unwrap_or("latest"), limit) {
                Ok(chart) => return Ok(chart),
                Err(error) => attempts.push(Attempt { host: endpoint.host(), error }),
            }
        }
        Err(fail(attempts))
    }

    fn chart_at(&self, endpoint: &Endpoint, tag: &str, limit: u64) -> Result<Vec<u8>, PullError> {
        let request = endpoint.manifest(tag);
        let refused = |why: String| PullError::Document {
            url: Box::new(request.url.clone()),
            source: DocumentError::Malformed(why),
        };
        let manifest = self.read(&request, MANIFEST_LIMIT)?.bytes;
        let layers = small_blob::document(&request, &manifest)?.layers.unwrap_or_default();
        let chart = layers.iter().find(|layer| layer.media_type == CHART_TYPE);
        let chart = chart.ok_or_else(|| refused("it has no Helm chart".to_owned()))?;
        self.small_blob(endpoint, chart, limit, "chart").map_err(refused)
    }
}
