//! The picture of where the bytes are: a tile for each large thing.

use indicatif::HumanBytes;
use maud::{Markup, html};

use super::entry::Kind;
use super::share::Share;
use super::squares::{Tile, tiles};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 380.0;
/// The width of a character of a label, as a guess: labels must not leave their tile.
const CHARACTER: f64 = 8.2;
/// The height of a line of a label.
const LINE: f64 = 17.0;
/// The space between a tile's edge and its label.
const EDGE: f64 = 8.0;

/// The picture of these shares, the largest first. The table beside it says the same in
/// words, so readers that see no picture miss nothing.
pub(super) fn of(shares: &[Share]) -> Markup {
    let mut shares: Vec<&Share> = shares.iter().collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.bytes));
    let weights: Vec<f64> = shares.iter().map(|share| share.bytes as f64).collect();
    let whole = Tile { x: 0.0, y: 0.0, width: WIDTH, height: HEIGHT };
    let tiles = tiles(whole, &weights);
    html! {
        svg.picture viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-label="Tiles, as large as the bytes of each thing; the tables below have the numbers" {
            @for (share, tile) in shares.iter().zip(&tiles) { (drawn(share, *tile)) }
        }
    }
}

fn drawn(share: &Share, tile: Tile) -> Markup {
    let room = tile.width - 2.0 * EDGE;
    let (name, size) = (short(&share.name, room), HumanBytes(share.bytes).to_string());
    let has_name = tile.height > LINE + EDGE && name.chars().count() > 3;
    let has_size = has_name && tile.height > 2.0 * LINE + EDGE && fits(&size, room);
    let at = |number: f64| format!("{number:.1}");
    html! {
        g class=(class(share.kind)) {
            title { (shown_plainly(&share.name)) ", " (size) }
            rect x=(at(tile.x + 1.0)) y=(at(tile.y + 1.0))
                width=(at((tile.width - 2.0).max(0.5))) height=(at((tile.height - 2.0).max(0.5))) {}
            @if has_name {
                text x=(at(tile.x + EDGE)) y=(at(tile.y + LINE + 2.0)) { (shown_plainly(&name)) }
            }
            @if has_size {
                text.size x=(at(tile.x + EDGE)) y=(at(tile.y + 2.0 * LINE + 2.0)) { (size) }
            }
        }
    }
}

/// SVG has no `bdi`, so that characters that hide become escapes.
fn shown_plainly(text: &str) -> String {
    bundle_format::text::printable(text)
}

fn fits(text: &str, room: f64) -> bool {
    text.chars().count() as f64 * CHARACTER <= room
}

/// As much of a name as there is room for. Of an image, first its folders are left out.
fn short(name: &str, room: f64) -> String {
    let name = match name.rsplit('/').next() {
        Some(last) if !fits(name, room) => last,
        _ => name,
    };
    if fits(name, room) {
        return name.to_owned();
    }
    let most = (room / CHARACTER).max(1.0) as usize;
    name.chars().take(most - 1).chain(['\u{2026}']).collect()
}

/// A small tile in the colour of a kind.
pub(super) fn swatch(kind: Option<Kind>) -> Markup {
    html! {
        svg.swatch viewBox="0 0 10 10" aria-hidden="true" {
            g class=(class(kind)) { rect width="10" height="10" {} }
        }
    }
}

fn class(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Package) => "package",
        Some(Kind::Image) => "image",
        Some(Kind::Manifest) => "manifest",
        Some(Kind::Installer) => "installer",
        Some(Kind::Key) => "key",
        None => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_to_its_tile() {
        assert_eq!(short("registry.k8s.io/etcd:3.6", 1000.0), "registry.k8s.io/etcd:3.6");
        assert_eq!(short("registry.k8s.io/etcd:3.6", 100.0), "etcd:3.6");
        assert_eq!(short("kubernetes-cni", 50.0), "kuber\u{2026}");
        assert_eq!(short("kubernetes-cni", 1.0), "\u{2026}");
    }
}
