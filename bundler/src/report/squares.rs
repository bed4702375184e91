//! Divides a rectangle into tiles whose areas are given, and that are near to squares: the
//! "squarified treemaps" of Bruls, Huizing and van Wijk (2000).

/// A tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tile {
    /// The left edge.
    pub(super) x: f64,
    /// The upper edge.
    pub(super) y: f64,
    /// The width.
    pub(super) width: f64,
    /// The height.
    pub(super) height: f64,
}

/// A tile for each weight, in the same order. The weights are sorted, the largest first.
pub(super) fn tiles(whole: Tile, weights: &[f64]) -> Vec<Tile> {
    let sum: f64 = weights.iter().sum();
    let scale = if sum > 0.0 { whole.width * whole.height / sum } else { 0.0 };
    let areas: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
    let (mut free, mut rest, mut tiles) = (whole, areas.as_slice(), Vec::new());
    while !rest.is_empty() {
        let side = free.width.min(free.height);
        let mut length = 1;
        while length < rest.len() && worst(&rest[..=length], side) <= worst(&rest[..length], side) {
            length += 1;
        }
        let (row, others) = rest.split_at(length);
        free = place(row, free, &mut tiles);
        rest = others;
    }
    tiles
}

/// How far from a square the worst tile of a row is; 1 is a square.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let ratio = |area: f64| {
        let ratio = side * side * area / (sum * sum);
        ratio.max(1.0 / ratio)
    };
    row.iter().copied().map(ratio).fold(1.0, f64::max)
}

/// Places a row along the shorter side, and gives what stays free.
fn place(row: &[f64], free: Tile, tiles: &mut Vec<Tile>) -> Tile {
    let sum: f64 = row.iter().sum();
    let is_wide = free.width >= free.height;
    let side = free.width.min(free.height);
    let depth = if side > 0.0 { sum / side } else { 0.0 };
    let mut at = 0.0;
    for area in row {
        let length = if depth > 0.0 { area / depth } else { 0.0 };
        tiles.push(match is_wide {
            true => Tile { x: free.x, y: free.y + at, width: depth, height: length },
            false => Tile { x: free.x + at, y: free.y, width: length, height: depth },
        });
        at += length;
    }
    match is_wide {
        true => Tile { x: free.x + depth, width: free.width - depth, ..free },
        false => Tile { y: free.y + depth, height: free.height - depth, ..free },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fill_the_whole_and_stay_within_it() {
        let whole = Tile { x: 0.0, y: 0.0, width: 600.0, height: 400.0 };
        for weights in [vec![6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], vec![1.0], vec![5.0, 0.0], vec![]]
        {
            let tiles = tiles(whole, &weights);
            assert_eq!(tiles.len(), weights.len());
            let sum: f64 = weights.iter().sum();
            for (tile, weight) in tiles.iter().zip(&weights) {
                let area = tile.width * tile.height;
                assert!((area - weight / sum * 240_000.0).abs() < 0.01, "{tile:?} of {weight}");
                assert!(tile.x >= 0.0 && tile.x + tile.width <= 600.01, "{tile:?}");
                assert!(tile.y >= 0.0 && tile.y + tile.height <= 400.01, "{tile:?}");
            }
        }
    }

    #[test]
    fn nothing_to_divide_gives_no_number_that_is_none() {
        let whole = Tile { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
        for tile in tiles(whole, &[0.0, 0.0]) {
            assert!(tile.x.is_finite() && tile.y.is_finite() && tile.width.is_finite());
        }
    }
}
