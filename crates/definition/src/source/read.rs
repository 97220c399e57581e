//! Turns a tree into a typed definition, by serde, keeping faults where they are.
//!
//! serde stops at the first fault. To find the others as well, what is at fault is taken out of
//! a copy and the rest is read again, a bounded number of times.

use std::collections::HashSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::fault::{About, Fault};
use super::{Diagnostics, Entry, Kind, Node, Sources, Span};

/// How many faults are looked for in one definition.
const MAX_ROUNDS: usize = 20;

/// Reads a typed value from a tree. Where something does not fit, it is added to `diagnostics`,
/// as many faults as can be told apart, and nothing is given.
pub fn read<T: DeserializeOwned>(
    node: &Node,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let mut fault = match T::deserialize(Reader::root(node)) {
        Ok(value) => return Some(value),
        Err(fault) => fault,
    };
    let mut rest = node.clone();
    let mut removed: HashSet<Vec<String>> = HashSet::new();
    for _ in 0..MAX_ROUNDS {
        let mut path = std::mem::take(&mut fault.path);
        path.reverse();
        let follows = match fault.about {
            About::Missing(key) => removed.contains(&[&path[..], &[key.to_owned()]].concat()),
            // A whole that no longer holds together may do so only for want of what was taken out.
            _ => {
                fault.rule == "value"
                    && removed
                        .iter()
                        .any(|gone| gone.len() > path.len() && gone.starts_with(&path))
            }
        };
        if let (About::Meant(near), Some((_, above))) = (fault.about, path.split_last()) {
            removed.insert([above, &[near.to_owned()]].concat());
        }
        if !follows {
            diagnostics.push(fault.into_diagnostic(node, sources));
        }
        if !remove(&mut rest, &path) {
            break;
        }
        removed.insert(path);
        match T::deserialize(Reader::root(&rest)) {
            Ok(_) => break,
            Err(next) => fault = next,
        }
    }
    None
}

/// Takes out what stands at the path. Whether there was anything.
fn remove(node: &mut Node, path: &[String]) -> bool {
    let Some((last, above)) = path.split_last() else {
        return false;
    };
    let parent = above
        .iter()
        .try_fold(node, |node, step| match &mut node.kind {
            Kind::Map(map) => map.get_mut(step).map(|entry| &mut entry.value),
            Kind::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            _ => None,
        });
    match parent.map(|parent| &mut parent.kind) {
        Some(Kind::Map(map)) => map.shift_remove(last).is_some(),
        Some(Kind::List(items)) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// A node as serde reads it.
#[derive(Clone, Copy)]
struct Reader<'de> {
    node: &'de Node,
    /// The key that leads to it: where what is missing in it is reported.
    key: Option<Span>,
}

impl<'de> Reader<'de> {
    const fn root(node: &'de Node) -> Self {
        Self { node, key: None }
    }

    fn unexpected(self) -> Unexpected<'de> {
        match &self.node.kind {
            Kind::Null => Unexpected::Unit,
            Kind::Boolean(value) => Unexpected::Bool(*value),
            Kind::Integer(value) => Unexpected::Signed(*value),
            Kind::Number(value) => Unexpected::Float(*value),
            Kind::Text { value, .. } => Unexpected::Str(value),
            Kind::Map(_) => Unexpected::Map,
            Kind::List(_) => Unexpected::Seq,
        }
    }

    /// Where to report a fault of the node as a whole.
    fn place(self, fault: Fault) -> Fault {
        let span = if matches!(fault.about, About::Missing(_)) {
            self.key.unwrap_or(self.node.span)
        } else {
            self.node.span
        };
        fault.at(span)
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Boolean(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => visitor.visit_i64(*value),
            Kind::Number(value) => visitor.visit_f64(*value),
            Kind::Text { value, .. } => visitor.visit_borrowed_str(value),
            Kind::Map(map) => visitor.visit_map(Entries {
                entries: map.iter(),
                value: None,
            }),
            Kind::List(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
            }),
        }
        .map_err(|fault| self.place(fault))
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|fault| self.place(fault))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let choice = match &self.node.kind {
            Kind::Text { value, .. } => Choice {
                word: value,
                word_span: self.node.span,
                content: None,
            },
            Kind::Map(map) if map.len() == 1 => {
                let (word, entry) = map.get_index(0).expect("the map has one entry");
                Choice {
                    word,
                    word_span: entry.key,
                    content: Some(entry),
                }
            }
            Kind::Map(map) => {
                let keys: Vec<String> = map.keys().take(5).map(|key| format!("`{key}`")).collect();
                let found = if keys.is_empty() {
                    "none".to_owned()
                } else {
                    keys.join(", ")
                };
                let message = format!("this is a choice of exactly one key; found {found}");
                return Err(self.place(Fault::new("choice", message)));
            }
            _ => {
                return Err(self.place(Fault::invalid_type(
                    self.unexpected(),
                    &"one of the known words or a map",
                )));
            }
        };
        visitor
            .visit_enum(choice)
            .map_err(|fault| self.place(fault))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        // serde would take a list as the keys in their order.
        match self.node.kind {
            Kind::List(_) => Err(self.place(Fault::invalid_type(Unexpected::Seq, &"a map"))),
            _ => self.visit(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Entries<'de> {
    entries: indexmap::map::Iter<'de, String, Entry>,
    value: Option<(&'de str, &'de Entry)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, entry)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some((key, entry));
        let key_reader: StrDeserializer<'de, Fault> = key.as_str().into_deserializer();
        match seed.deserialize(key_reader) {
            Ok(key) => Ok(Some(key)),
            Err(fault) => Err(fault.at(entry.key).under(key)),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, entry) = self
            .value
            .take()
            .expect("serde asks for a key before its value");
        let reader = Reader {
            node: &entry.value,
            key: Some(entry.key),
        };
        seed.deserialize(reader)
            .map_err(|fault| reader.place(fault).under(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let reader = Reader { node, key: None };
        match seed.deserialize(reader) {
            Ok(value) => Ok(Some(value)),
            Err(fault) => Err(reader.place(fault).under(&index.to_string())),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// One word of several, with what it takes.
struct Choice<'de> {
    word: &'de str,
    word_span: Span,
    content: Option<&'de Entry>,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let word: StrDeserializer<'de, Fault> = self.word.into_deserializer();
        match seed.deserialize(word) {
            Ok(value) => Ok((value, self)),
            Err(fault) => Err(fault.at(self.word_span)),
        }
    }
}

impl<'de> Choice<'de> {
    fn content(&self) -> Result<Reader<'de>, Fault> {
        if let Some(entry) = self.content {
            return Ok(Reader {
                node: &entry.value,
                key: Some(entry.key),
            });
        }
        let message = format!("`{}` needs a value: `{}: …`", self.word, self.word);
        Err(Fault::new("type", message).at(self.word_span))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        if self.content.is_none() {
            return Ok(());
        }
        let message = format!("`{}` stands alone, without a value", self.word);
        Err(Fault::new("type", message).at(self.word_span))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        let reader = self.content()?;
        seed.deserialize(reader)
            .map_err(|fault| reader.place(fault).under(self.word))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.content()?
            .visit(visitor)
            .map_err(|fault| fault.under(self.word))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.content()?
            .visit(visitor)
            .map_err(|fault| fault.under(self.word))
    }
}
