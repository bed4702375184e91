//! Asking all hosts at once, as soon as the first one does not answer. Otherwise each
//! run would wait for one host after the other, and report one of them.

use std::sync::{Mutex, Once, PoisonError};

use url::Url;

use super::fetcher::Fetch;
use super::request::Request;

/// The places that will be asked for something, and whether all have been tried.
pub(super) struct Survey {
    places: Mutex<Vec<Url>>,
    done: Once,
}

impl Survey {
    /// A survey without places does nothing.
    pub(super) fn new() -> Self {
        Self { places: Mutex::default(), done: Once::new() }
    }

    /// Sets the places.
    pub(super) fn expect(&self, places: Vec<Url>) {
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// Asks all places at the same time, once. Ignores their answers: `fetch`
    /// itself remembers which hosts do not answer.
    pub(super) fn run(&self, fetch: &dyn Fetch) {
        self.done.call_once(|| {
            let places = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
            std::thread::scope(|scope| {
                for place in places {
                    scope.spawn(|| drop(fetch.open(&Request::new(place))));
                }
            });
        });
    }
}
