//! A day and a second, as programs show them.

use std::time::SystemTime;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `02 Nov 2024`, by UTC. The year must be below 10000.
pub fn day(time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    date.get(5..16).unwrap_or(&date).to_owned()
}

/// `02 Nov 2024, 13:05:09 UTC`. The year must be below 10000.
pub fn moment(time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    let clock = date.get(17..25).unwrap_or_default();
    format!("{}, {clock} UTC", day(time))
}

/// `2024-11-02`, by UTC, which sorts by time. The year must be below 10000.
pub fn sorting_day(time: SystemTime) -> String {
    let day = day(time);
    let mut words = day.split(' ');
    let (Some(day), Some(month), Some(year)) = (words.next(), words.next(), words.next()) else {
        return day;
    };
    let month = MONTHS.iter().position(|one| *one == month).unwrap_or_default() + 1;
    format!("{year}-{month:02}-{day}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_day_has_two_forms() {
        let time = UNIX_EPOCH + Duration::from_secs(1_730_505_600);
        assert_eq!((&*day(time), &*sorting_day(time)), ("02 Nov 2024", "2024-11-02"));
        let second = time + Duration::from_secs(13 * 3600 + 5 * 60 + 9);
        assert_eq!(moment(second), "02 Nov 2024, 13:05:09 UTC");
        let time = UNIX_EPOCH + Duration::from_secs(1_798_502_400);
        assert_eq!(sorting_day(time), "2026-12-29");
    }
}
