//! What members of teams are good at: skills by name, each with a level.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// How many skills a member may have.
pub const MOST_SKILLS: usize = 200;
/// The longest name of a skill, in characters.
pub const LONGEST_NAME: usize = 100;
/// The highest level; the lowest is 1.
pub const HIGHEST_LEVEL: u8 = 10;

/// Skills with their levels. Written as a map from name to level; read from a list of names too, where
/// each has the level 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Skills(pub IndexMap<String, u8>);

impl Skills {
    /// The level of a skill; none where it is not had.
    pub fn level(&self, name: &str) -> Option<u8> {
        self.0.get(name).copied()
    }

    /// The names, in the order in which they were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What is wrong with them, for whoever put them there.
    ///
    /// # Errors
    /// More than [`MOST_SKILLS`], a name of none or of more than [`LONGEST_NAME`] characters, or a level
    /// other than 1 to [`HIGHEST_LEVEL`].
    pub fn check(&self) -> Result<(), String> {
        if self.0.len() > MOST_SKILLS {
            return Err(format!("a member has at most {MOST_SKILLS} skills"));
        }
        for (name, level) in &self.0 {
            let shown: String = name.chars().take(40).collect();
            if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
                return Err(format!(
                    "`{shown}`: the name of a skill has 1 to {LONGEST_NAME} characters"
                ));
            }
            if !(1..=HIGHEST_LEVEL).contains(level) {
                return Err(format!(
                    "`{shown}`: {level} is no level; levels go from 1 to {HIGHEST_LEVEL}"
                ));
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Skills {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Skills;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from skills to levels, or a list of skills")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Skills, A::Error> {
                let mut skills = IndexMap::new();
                while let Some(name) = names.next_element()? {
                    skills.insert(name, 1);
                }
                Ok(Skills(skills))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut levels: A) -> Result<Skills, A::Error> {
                let mut skills = IndexMap::new();
                while let Some((name, level)) = levels.next_entry()? {
                    skills.insert(name, level);
                }
                Ok(Skills(skills))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Skills;

    fn read(json: serde_json::Value) -> Skills {
        serde_json::from_value(json).expect("skills")
    }

    #[test]
    fn a_list_of_names_gives_each_the_first_level() {
        let skills = read(json!(["cisco", "wifi"]));
        assert_eq!(skills, read(json!({ "cisco": 1, "wifi": 1 })));
        assert_eq!(skills.level("wifi"), Some(1));
        assert_eq!(skills.level("dns"), None);
        assert_eq!(skills.names().collect::<Vec<_>>(), ["cisco", "wifi"]);
    }

    #[test]
    fn levels_have_bounds() {
        assert_eq!(read(json!({ "cisco": 10 })).check(), Ok(()));
        let wrong = read(json!({ "cisco": 11 })).check();
        assert_eq!(
            wrong.expect_err("too high"),
            "`cisco`: 11 is no level; levels go from 1 to 10"
        );
        assert!(read(json!({ "": 1 })).check().is_err());
        assert!(serde_json::from_value::<Skills>(json!({ "cisco": -1 })).is_err());
    }
}
