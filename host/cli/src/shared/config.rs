//! Values of a configuration file, in the notation of uv-run's options.

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Parses a file. The error's text follows the file's name: it says the line and the key.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        // serde says "field" for a key of TOML.
        let message = error.message().replace("unknown field", "unknown key").replace('\n', ", ");
        let Some(span) = error.span() else {
            return format!(": {message}");
        };
        let line = text.bytes().take(span.start).filter(|&byte| byte == b'\n').count();
        let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
        match key {
            Some(key) if !message.contains("unknown key") => {
                format!(", line {}: {message} (the key `{key}`)", line + 1)
            }
            _ => format!(", line {}: {message}", line + 1),
        }
    })
}

/// One value in the command line's notation. A TOML number is taken as its text.
pub fn value<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(Texts(PhantomData)).and_then(|mut texts: Vec<T>| match texts.pop() {
        Some(text) if texts.is_empty() => Ok(Some(text)),
        _ => Err(de::Error::custom("expected one value")),
    })
}

/// An option that may be given several times: an array of values in the command line's notation, a
/// table of names and values, or a single value.
pub fn entries<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(from: D) -> Result<Vec<T>, D::Error> {
    from.deserialize_any(Texts(PhantomData))
}

struct Texts<T>(PhantomData<T>);

impl<'de, T: FromStr<Err = String>> Visitor<'de> for Texts<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or number, an array of them, or a table")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        Ok(vec![text.parse().map_err(E::custom)?])
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Vec<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Vec<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(Text(text)) = array.next_element()? {
            all.push(text.parse().map_err(de::Error::custom)?);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some((name, Text(text))) = table.next_entry::<String, Text>()? {
            all.push(format!("{name}={text}").parse().map_err(de::Error::custom)?);
        }
        Ok(all)
    }
}

/// A text, or a number or boolean as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        Ok(Text(match toml::Value::deserialize(from)? {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(value) => value.to_string(),
            other => {
                let kind = other.type_str();
                return Err(de::Error::custom(format!(
                    "invalid type: {kind}, expected a text, number or boolean"
                )));
            }
        }))
    }
}
