//! What people prefer: the language of what they are told, and by which bindings they are told it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{BindingId, NoticeId, PersonId};

/// How many bindings a person may say something of, in one place.
pub const MOST_CHANNELS: usize = 50;
/// How many notices a person may say something of.
pub const MOST_NOTICES: usize = 500;
/// The longest tag of a language, in bytes.
const LONGEST_LANGUAGE: usize = 35;

/// What a person prefers, as `preference` things of the directory hold it. Its id is the person's.
///
/// Whatever they prefer, a notice is in their inbox, and one that its definition calls mandatory goes by
/// every binding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The language that they read, such as `nl`; what the directory says of the person without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How notices come by a binding of which nothing else is said.
    #[serde(default, skip_serializing_if = "Way::is_at_once")]
    pub default: Way,
    /// How notices come by a binding.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<BindingId, Way>,
    /// How single notices come: what is said here counts more than what is said of all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notices: BTreeMap<NoticeId, OfNotice>,
}

/// How one notice comes to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfNotice {
    /// By a binding of which nothing else is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Way>,
    /// By a binding.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<BindingId, Way>,
}

/// How a person hears of something by a binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// As it happens.
    #[default]
    AtOnce,
    /// Not at all.
    Never,
}

impl Way {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    const fn is_at_once(&self) -> bool {
        matches!(self, Self::AtOnce)
    }
}

impl Preferences {
    /// How a notice comes by a binding: what is said of the notice and the binding counts most, then
    /// what is said of the notice, then of the binding.
    pub fn way(&self, notice: &NoticeId, binding: &BindingId) -> Way {
        let of = self.notices.get(notice);
        of.and_then(|of| of.channels.get(binding).copied().or(of.default))
            .or_else(|| self.channels.get(binding).copied())
            .unwrap_or(self.default)
    }

    /// What is wrong with them, for whoever put them there.
    ///
    /// # Errors
    /// More than [`MOST_CHANNELS`] bindings or [`MOST_NOTICES`] notices, or a language of another form
    /// than a tag such as `nl` or `pt-BR`. Each with the attribute that it is about.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let crowded = self
            .notices
            .values()
            .any(|of| of.channels.len() > MOST_CHANNELS);
        if crowded || self.notices.len() > MOST_NOTICES {
            let message =
                format!("at most {MOST_NOTICES} notices, and {MOST_CHANNELS} bindings for each");
            return Err(("notices", message));
        }
        if self.channels.len() > MOST_CHANNELS {
            let message = format!("a person says something of at most {MOST_CHANNELS} bindings");
            return Err(("channels", message));
        }
        if !self.language.as_deref().is_none_or(is_language) {
            let message = "a language is a tag such as `nl` or `pt-BR`";
            return Err(("language", message.to_owned()));
        }
        Ok(())
    }
}

/// Whether a text has the form of a language's tag (RFC 5646): parts of letters and digits, with `-`
/// between them.
fn is_language(tag: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag.len() <= LONGEST_LANGUAGE && tag.split('-').all(is_part)
}

/// How people hear of one notice, where it is otherwise than at once: by person and binding.
pub type Ways = BTreeMap<PersonId, BTreeMap<BindingId, Way>>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Preferences, Way};

    fn preferences(json: serde_json::Value) -> Preferences {
        serde_json::from_value(json).expect("preferences")
    }

    #[test]
    fn what_is_said_most_closely_counts_most() {
        let way = |preferences: &Preferences, notice: &str, binding: &str| {
            preferences.way(
                &notice.parse().expect("an id"),
                &binding.parse().expect("an id"),
            )
        };
        let nothing = preferences(json!({}));
        assert_eq!(way(&nothing, "mended", "chat"), Way::AtOnce);
        let some = preferences(json!({
            "default": "never",
            "channels": { "chat": "at-once" },
            "notices": {
                "nag": { "default": "never" },
                "mended": { "channels": { "mail": "at-once" } },
            },
        }));
        assert_eq!(way(&some, "mended", "chat"), Way::AtOnce);
        assert_eq!(way(&some, "mended", "mail"), Way::AtOnce);
        assert_eq!(way(&some, "known", "mail"), Way::Never);
        assert_eq!(way(&some, "nag", "chat"), Way::Never);
    }

    #[test]
    fn what_cannot_be_is_told() {
        let told = |json| preferences(json).check().expect_err("wrong").0;
        assert_eq!(preferences(json!({ "language": "pt-BR" })).check(), Ok(()));
        assert_eq!(told(json!({ "language": "de_DE" })), "language");
        assert_eq!(told(json!({ "language": "" })), "language");
        let many = |count: usize| -> serde_json::Map<_, _> {
            (0..count)
                .map(|it| (format!("b{it}"), json!("never")))
                .collect()
        };
        assert_eq!(told(json!({ "channels": many(51) })), "channels");
        let crowded = json!({ "notices": { "nag": { "channels": many(51) } } });
        assert_eq!(told(crowded), "notices");
    }
}
