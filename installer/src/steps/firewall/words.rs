//! What `busctl call` prints: the types of the reply, then its values as words, in which
//! arrays begin with their length (busctl(1)). The types are those of the D-Bus Specification.

use std::iter::Peekable;
use std::str::Chars;

/// A value of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A text, number, path or truth value.
    Word(String),
    /// The members of an array, a structure or an entry.
    Members(Vec<Self>),
}

impl Value {
    /// The values of a reply. None if it is something else.
    pub(super) fn of_reply(reply: &str) -> Option<Vec<Self>> {
        let mut words = Words(reply.chars().peekable());
        let types = words.next()?;
        let mut types = types.chars().peekable();
        let mut values = Vec::new();
        while types.peek().is_some() {
            values.push(words.value(&mut types)?);
        }
        Some(values)
    }

    /// The word, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    /// The members; empty for a word.
    pub(super) fn members(&self) -> &[Self] {
        if let Self::Members(members) = self { members } else { &[] }
    }

    /// The value of an entry, if it has entries.
    pub(super) fn entry(&self, key: &str) -> Option<&Self> {
        let is = |entry: &&Self| entry.members().first().and_then(Self::word) == Some(key);
        self.members().iter().find(is)?.members().get(1)
    }

    /// The members that are words.
    pub(super) fn words(&self) -> Vec<String> {
        self.members().iter().filter_map(|one| Some(one.word()?.to_owned())).collect()
    }
}

/// The words that are still to be read.
struct Words<'a>(Peekable<Chars<'a>>);

impl Words<'_> {
    /// The next value, whose type is the first of `types`.
    fn value(&mut self, types: &mut Peekable<Chars<'_>>) -> Option<Value> {
        Some(match types.next()? {
            'a' => {
                let element = complete(types)?;
                let length: usize = self.next()?.parse().ok()?;
                let each = (0..length).map(|_| self.value(&mut element.chars().peekable()));
                Value::Members(each.collect::<Option<_>>()?)
            }
            '(' | '{' => {
                let mut members = Vec::new();
                while types.next_if(|one| [')', '}'].contains(one)).is_none() {
                    members.push(self.value(types)?);
                }
                Value::Members(members)
            }
            // A variant tells its type.
            'v' => {
                let own = self.next()?;
                self.value(&mut own.chars().peekable())?
            }
            _ => Value::Word(self.next()?),
        })
    }

    /// The next word. Texts are in quotes.
    fn next(&mut self) -> Option<String> {
        while self.0.next_if(|one| one.is_whitespace()).is_some() {}
        if self.0.next_if_eq(&'"').is_some() {
            return self.quoted();
        }
        let mut word = String::new();
        while let Some(one) = self.0.next_if(|one| !one.is_whitespace()) {
            word.push(one);
        }
        (!word.is_empty()).then_some(word)
    }

    /// A text up to its closing quote. busctl escapes special characters as C does (systemd's
    /// `cescape`). A byte outside ASCII is three octal digits.
    fn quoted(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            match self.0.next()? {
                '"' => return String::from_utf8(bytes).ok(),
                '\\' => bytes.push(self.escaped()?),
                plain => bytes.extend(plain.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
    }

    fn escaped(&mut self) -> Option<u8> {
        Some(match self.0.next()? {
            'a' => 7,
            'b' => 8,
            't' => b'\t',
            'n' => b'\n',
            'v' => 11,
            'f' => 12,
            'r' => b'\r',
            plain @ ('\\' | '"' | '\'') => u8::try_from(plain).ok()?,
            first => {
                let octal = [Some(first), self.0.next(), self.0.next()];
                let octal: String = octal.into_iter().collect::<Option<_>>()?;
                u8::from_str_radix(&octal, 8).ok()?
            }
        })
    }
}

/// Takes one whole type from the front: of an array with the type of its elements.
fn complete(types: &mut Peekable<Chars<'_>>) -> Option<String> {
    let first = types.next()?;
    let mut taken = String::from(first);
    match first {
        'a' => taken += &complete(types)?,
        '(' | '{' => {
            while types.peek().is_some_and(|one| ![')', '}'].contains(one)) {
                taken += &complete(types)?;
            }
            taken.push(types.next()?);
        }
        _ => {}
    }
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Value {
        Value::Word(text.to_owned())
    }

    fn members<const N: usize>(members: [Value; N]) -> Value {
        Value::Members(members.into())
    }

    #[test]
    fn values_are_read_by_their_types() {
        let names = Value::of_reply("as 2 \"public\" \"my zone\"\n").unwrap();
        assert_eq!(names, [members([word("public"), word("my zone")])]);
        assert_eq!(Value::of_reply("as 0\n").unwrap(), [members([])]);
        let settings =
            Value::of_reply("(sba(ss)as) \"\" false 2 \"22\" \"tcp\" \"53\" \"udp\" 0\n");
        let ports =
            members([members([word("22"), word("tcp")]), members([word("53"), word("udp")])]);
        assert_eq!(settings.unwrap(), [members([word(""), word("false"), ports, members([])])]);
    }

    #[test]
    fn a_variant_has_a_type_of_its_own() {
        let settings = Value::of_reply("a{sv} 2 \"priority\" i -1 \"zones\" as 1 \"ANY\"\n");
        let entries = members([
            members([word("priority"), word("-1")]),
            members([word("zones"), members([word("ANY")])]),
        ]);
        assert_eq!(settings.unwrap(), [entries]);
    }

    #[test]
    fn texts_are_as_they_were() {
        let reply = "ss \"rule family=\\\"ipv4\\\" accept\" \"caf\\303\\251\\n\\\\\"\n";
        let texts = Value::of_reply(reply).unwrap();
        assert_eq!(texts, [word("rule family=\"ipv4\" accept"), word("café\n\\")]);
    }

    #[test]
    fn a_text_that_is_not_a_whole_reply_is_refused() {
        for text in ["", "as", "as 2 \"public\"", "s \"open", "s \"\\9\"", "a", "(s \"x\"", "v"] {
            assert_eq!(Value::of_reply(text), None, "{text}");
        }
    }
}
