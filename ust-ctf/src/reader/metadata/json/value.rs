// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON objects with their place, and their properties as what they should be.

use serde_json::{Map, Value};

use super::place::{Places, Step};
use crate::class::{Identity, Range};
use crate::reader::error::Complaint;
use crate::reader::metadata::Result;

/// A JSON object and where it is.
#[derive(Clone, Copy)]
pub(super) struct Object<'j> {
    map: &'j Map<String, Value>,
    places: &'j Places,
    /// Number of its path in `places`.
    pub(super) at: usize,
}

impl<'j> Object<'j> {
    /// Returns `value`, which is at the place `at`, if it is an object that asks for no extension.
    pub(super) fn new(value: &'j Value, places: &'j Places, at: usize) -> Result<Self> {
        let Value::Object(map) = value else {
            return Err(Complaint::new(at, format!("this must be an object, not {}", kind(value))));
        };
        let object = Self { map, places, at };
        object.refuse_extensions()?;
        Ok(object)
    }

    /// Extensions change the format, so one that is not known makes all the rest unknown.
    fn refuse_extensions(self) -> Result<()> {
        let Some(Value::Object(namespaces)) = self.map.get("extensions") else {
            return match self.map.get("extensions") {
                None => Ok(()),
                Some(other) => Err(self.wrong("extensions", &format!("must be an object, not {}", kind(other)))),
            };
        };
        for (namespace, names) in namespaces {
            let name = match names {
                Value::Object(names) => match names.keys().next() {
                    Some(name) => format!("{namespace}/{name}"),
                    None => continue,
                },
                _ => namespace.clone(),
            };
            return Err(self.wrong("extensions", &format!("the extension `{name}` is not known; none is")));
        }
        Ok(())
    }

    /// Returns a complaint about the property `key`.
    #[cold]
    pub(super) fn wrong(self, key: &'static str, message: &str) -> Complaint {
        Complaint::new(self.place(key), message)
    }

    #[cold]
    pub(super) fn missing(self, key: &str) -> Complaint {
        Complaint::new(self.at, format!("the property `{key}` is missing"))
    }

    /// Returns the place of the property `key`.
    pub(super) fn place(self, key: &'static str) -> usize {
        self.places.child(self.at, Step::Key(key))
    }

    pub(super) fn places(self) -> &'j Places {
        self.places
    }

    pub(super) fn get(self, key: &str) -> Option<&'j Value> {
        self.map.get(key)
    }

    pub(super) fn required(self, key: &str) -> Result<&'j Value> {
        self.get(key).ok_or_else(|| self.missing(key))
    }

    pub(super) fn string(self, key: &'static str) -> Result<Option<&'j str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, &format!("this must be a string, not {}", kind(other)))),
        }
    }

    pub(super) fn required_string(self, key: &'static str) -> Result<&'j str> {
        self.string(key)?.ok_or_else(|| self.missing(key))
    }

    /// Returns a number that fits in `N`; `what` says which do.
    pub(super) fn number<N: TryFrom<i128>>(self, key: &'static str, what: &str) -> Result<Option<N>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = integer(value).and_then(|number| N::try_from(number).ok());
        number.map(Some).ok_or_else(|| self.wrong(key, &format!("this must be {what}, not {}", kind(value))))
    }

    /// Returns a whole number of 64 bits that is not negative.
    pub(super) fn unsigned(self, key: &'static str) -> Result<Option<u64>> {
        self.number(key, "a whole number from 0 to 18446744073709551615")
    }

    /// Returns the word of `words` that the property names; the first one if it is not there.
    pub(super) fn choice<T: Copy>(self, key: &'static str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(word) = self.string(key)? else { return Ok(None) };
        match words.iter().find(|(name, _)| *name == word) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let names: Vec<_> = words.iter().map(|(name, _)| format!("`{name}`")).collect();
                Err(self.wrong(key, &format!("`{word}` is not one of {}", names.join(", "))))
            }
        }
    }

    /// Returns an alignment; 1 if it is not there.
    pub(super) fn alignment(self, key: &'static str) -> Result<u64> {
        // 1 GiB, more than any packet.
        const MAX: u64 = 1 << 33;
        let align = self.unsigned(key)?.unwrap_or(1);
        if align.is_power_of_two() && align <= MAX {
            return Ok(align);
        }
        Err(self.wrong(key, &format!("an alignment cannot be {align}: it must be a power of two, and {MAX} at most")))
    }

    /// Returns the elements of an array with their places.
    pub(super) fn array(self, key: &'static str) -> Result<Option<impl Iterator<Item = (usize, &'j Value)>>> {
        let elements = match self.get(key) {
            None => return Ok(None),
            Some(Value::Array(elements)) => elements,
            Some(other) => return Err(self.wrong(key, &format!("this must be an array, not {}", kind(other)))),
        };
        let place = self.place(key);
        let places = self.places;
        Ok(Some(elements.iter().enumerate().map(move |(idx, value)| (places.child(place, Step::Index(idx)), value))))
    }

    /// Returns the properties of an object with their places.
    pub(super) fn properties(
        self,
        key: &'static str,
    ) -> Result<Option<impl Iterator<Item = (usize, &'j str, &'j Value)>>> {
        let map = match self.get(key) {
            None => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(other) => return Err(self.wrong(key, &format!("this must be an object, not {}", kind(other)))),
        };
        let place = self.place(key);
        let places = self.places;
        let at = move |name: &String| places.child(place, Step::Name(name.as_str().into()));
        Ok(Some(map.iter().map(move |(name, value)| (at(name), name.as_str(), value))))
    }

    /// Returns the ranges of `key`.
    pub(super) fn ranges(self, key: &'static str) -> Result<Option<Vec<Range>>> {
        self.get(key).map(|value| ranges(self.place(key), value)).transpose()
    }

    /// Returns who this is.
    pub(super) fn identity(self) -> Result<Identity> {
        Ok(Identity {
            namespace: self.string("namespace")?.map(str::to_owned),
            name: self.string("name")?.map(str::to_owned),
            uid: self.string("uid")?.map(str::to_owned),
        })
    }
}

/// Returns the ranges of an integer range set, which is at the place `at`.
pub(super) fn ranges(at: usize, value: &Value) -> Result<Vec<Range>> {
    let wrong = |what: String| Complaint::new(at, what);
    let Value::Array(list) = value else {
        return Err(wrong(format!("ranges must be an array of arrays of two whole numbers, not {}", kind(value))));
    };
    let mut ranges = Vec::with_capacity(list.len());
    for range in list {
        let bounds = range.as_array().map(|bounds| bounds.iter().map(integer).collect::<Vec<_>>());
        let Some([Some(low), Some(high)]) = bounds.as_deref() else {
            return Err(wrong("a range must be an array of two whole numbers of 64 bits".to_owned()));
        };
        if low > high {
            return Err(wrong(format!(
                "the range [{low}, {high}] is empty: the first must not be larger than the second"
            )));
        }
        ranges.push(Range { low: *low, high: *high });
    }
    if ranges.is_empty() {
        return Err(wrong("there must be at least one range".to_owned()));
    }
    Ok(ranges)
}

/// Returns the whole number `value`, if it is one of 64 bits of either sign.
pub(super) fn integer(value: &Value) -> Option<i128> {
    value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from))
}

/// Returns what `value` is, for complaints; long ones are cut.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the string `{}`", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
