//! A day, as programs show it.

use std::time::SystemTime;

/// `02 Nov 2024`, by UTC. The year must be below 10000.
pub fn day(time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    date.get(5..16).unwrap_or(&date).to_owned()
}
