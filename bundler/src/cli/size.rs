//! Sizes as people write them.

use std::str::FromStr;

/// A number of bytes: `4GiB-1`, `700MB`, `4G`, `1048576`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is not a size: write 4GiB-1, 700MB or a number of bytes");
        let (text_size, minus) = match text.split_once('-') {
            Some((size, minus)) => (size, minus.parse::<u64>().map_err(|_| fail())?),
            None => (text, 0),
        };
        let digits = text_size.chars().take_while(char::is_ascii_digit).count();
        let (number, unit) = text_size.split_at(digits);
        let number: u64 = number.parse().map_err(|_| fail())?;
        let factor: u64 = match unit {
            "" | "B" => 1,
            "K" | "KiB" => 1 << 10,
            "M" | "MiB" => 1 << 20,
            "G" | "GiB" => 1 << 30,
            "T" | "TiB" => 1 << 40,
            "kB" | "KB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => return Err(fail()),
        };
        let bytes = number.checked_mul(factor).and_then(|bytes| bytes.checked_sub(minus));
        bytes.filter(|bytes| *bytes > 0).map(Self).ok_or_else(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("4GiB-1", (4 << 30) - 1),
            ("4G", 4 << 30),
            ("700MB", 700_000_000),
            ("512", 512),
            ("1KiB", 1024),
        ] {
            assert_eq!(text.parse::<Size>().unwrap().0, bytes, "{text}");
        }
        for text in ["", "G", "4X", "-1", "1-1", "99999999T", "4GiB-x"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
