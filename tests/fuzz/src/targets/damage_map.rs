use bundle_format::Digest;
use bundle_format::damage::chunk::ChunkSet;
use bundle_format::damage::map::Map;

use super::{READ, text};
use crate::small_bundle;

/// The map of a bundle: what is taken is written as it was read.
pub(super) fn damage_map(bytes: &[u8]) -> String {
    match text(bytes).parse::<Map>() {
        Ok(map) => {
            assert_eq!(map.to_string().parse(), Ok(map));
            READ.to_owned()
        }
        Err(error) => error.to_string(),
    }
}

/// The map of the small bundle, whose first chunk is lost.
pub(crate) fn good() -> Map {
    let mut lost = ChunkSet::default();
    lost.add(0);
    let bundle = Digest::of(&small_bundle::index());
    Map::new(bundle, small_bundle::bytes().len() as u64, &lost)
}
