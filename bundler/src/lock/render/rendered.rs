//! A manifest that a program of others has made.

use bundle_format::lock::{LockedFile, LockedRendering};

/// A manifest that was made here.
pub(in crate::lock) struct Rendered {
    pub(in crate::lock) text: String,
    pub(in crate::lock) by: LockedRendering,
    /// The chart that it was made of, if it is of one.
    pub(in crate::lock) chart: Option<LockedFile>,
    pub(in crate::lock) warning: Option<String>,
}
