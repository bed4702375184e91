//! Asking all hosts at once, as soon as the first does not answer. Otherwise each would be
//! waited for in turn, and an operator would learn of one in each run.

use std::sync::{Mutex, Once, PoisonError};

use url::Url;

use super::fetcher::Fetch;
use super::request::Request;

/// The places that will be asked for something, and whether all were looked at.
pub(super) struct Survey {
    places: Mutex<Vec<Url>>,
    done: Once,
}

impl Survey {
    /// Without places there is nothing to look at.
    pub(super) fn new() -> Self {
        Self { places: Mutex::default(), done: Once::new() }
    }

    /// Sets the places.
    pub(super) fn expect(&self, places: Vec<Url>) {
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// Asks each place, all at the same time, and forgets what they say: `fetch`
    /// keeps in mind who does not answer. Done once.
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
