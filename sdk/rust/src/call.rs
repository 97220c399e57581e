//! The circumstances of one call of a hook.

use serde::de::DeserializeOwned;

use crate::{Error, Fields, Instant, Result};

/// The circumstances of one call. A pure hook has no other clock and no other source of chance.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// Unchanged when a call is tried again, and so fit to be an idempotency key elsewhere.
    pub id: String,
    /// Counts tries, from 1.
    pub attempt: u32,
    /// The time it is.
    pub now: Instant,
    /// What to draw chance from: the same whenever this decision is replayed.
    pub seed: u64,
    /// Whoever set this off: the id of a person, `binding:` and the id of a binding, or `timer`.
    pub actor: String,
    /// What servers say beyond the rest: `binding` is the id of the binding that is asked, by which an
    /// integration knows the events that it caused itself.
    pub facts: Fields,
    pub(crate) settings: String,
}

impl Call {
    /// Whether the binding itself set this off: what an integration is told of then is its own echo.
    pub fn is_own(&self) -> bool {
        let binding = self.facts.get::<Option<&str>>("binding").ok().flatten();
        let actor = self.actor.strip_prefix("binding:");
        binding.is_some() && binding == actor
    }

    /// The settings of the binding, as the plugin's own type.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] with what does not fit. The server has checked them against the
    /// plugin's schema before, so this happens where the schema allows more than the type.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.settings)
            .map_err(|error| Error::Misconfigured(format!("the settings do not fit: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::testing;

    #[derive(Debug, Deserialize)]
    struct Settings {
        #[serde(rename = "team")]
        _team: String,
    }

    #[test]
    fn a_binding_knows_its_own_echo() {
        let mut call = testing::call(&serde_json::json!({}));
        call.facts.set("binding", "github");
        assert!(!call.is_own());
        call.actor = "binding:monitoring".to_owned();
        assert!(!call.is_own());
        call.actor = "binding:github".to_owned();
        assert!(call.is_own());
    }

    #[test]
    fn settings_that_do_not_fit_are_a_matter_of_configuration() {
        let call = testing::call(&serde_json::json!({ "teams": 3 }));
        let error = call.settings::<Settings>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("misconfigured: the settings do not fit: missing field `team`"),
            "{error}"
        );
    }
}
