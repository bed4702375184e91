//! Looking through a JSON document of unknown origin before it is parsed into types:
//! many small values take many times the memory of their text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::bounds::MAX_VALUES;

/// Is called with each text: the name of its field, and the text.
pub(crate) trait Listener: FnMut(&str, &str) {}
impl<F: FnMut(&str, &str)> Listener for F {}

/// Visits all texts of a document, its keys included. It is an error if the bytes are
/// not JSON, or have more values than any document of a bundle.
pub(crate) fn walk(bytes: &[u8], mut listener: impl Listener) -> Result<(), serde_json::Error> {
    let mut left = MAX_VALUES;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Walk { field: "", left: &mut left, listener: &mut listener }.deserialize(&mut deserializer)?;
    deserializer.end()
}

struct Walk<'a, L> {
    field: &'a str,
    left: &'a mut usize,
    listener: &'a mut L,
}

impl<L: Listener> Walk<'_, L> {
    fn within<'b>(&'b mut self, field: &'b str) -> Walk<'b, L> {
        Walk { field, left: self.left, listener: self.listener }
    }

    fn count<E: Error>(&mut self) -> Result<(), E> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| {
            E::custom(format_args!(
                "it has more than {MAX_VALUES} values, and no real one has so many"
            ))
        })?;
        Ok(())
    }
}

impl<'de, L: Listener> DeserializeSeed<'de> for Walk<'_, L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, L: Listener> Visitor<'de> for Walk<'_, L> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.count()
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.count()
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.count()
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        self.count()
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.count()
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        (self.listener)(self.field, text);
        self.count()
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        self.count()?;
        let field = self.field;
        while sequence.next_element_seed(self.within(field))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.count()?;
        while let Some(key) = map.next_key::<String>()? {
            self.count()?;
            (self.listener)("key", &key);
            map.next_value_seed(self.within(&key))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_heard_with_its_field() {
        let mut heard = Vec::new();
        let json = br#"{"a": ["x", {"b": "y"}, 1, null, -1, 0.5, true], "c": "z"}"#;
        walk(json, |field, text| heard.push(format!("{field}={text}"))).unwrap();
        assert_eq!(heard, ["key=a", "a=x", "key=b", "b=y", "key=c", "c=z"]);
        assert!(walk(b"{} {}", |_, _| ()).is_err());
    }

    #[test]
    fn values_are_counted() {
        let many = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        walk(many(MAX_VALUES - 1).as_bytes(), |_, _| ()).unwrap();
        let error = walk(many(MAX_VALUES).as_bytes(), |_, _| ()).unwrap_err().to_string();
        assert!(error.contains("more than 1000000 values"), "{error}");
    }
}
