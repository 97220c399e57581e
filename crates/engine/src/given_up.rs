//! Digests that were given up, for operators: whose, by which binding, why, and trying them again.

use model::Instant;
use model::command::Actor;
use model::directory::kind;
use model::id::{BindingId, DirectoryId, DirectoryKind, PersonId};

use crate::desk::check_administrator;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::port::PendingDigest;
use crate::rejection::Rejection;

/// How many people's digests are looked at for one part.
const MOST_LOOKED_AT: usize = 1_000;

/// A digest that was tried as often as it is, and did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestGivenUp {
    /// Whose it is.
    pub person: PersonId,
    /// By which binding.
    pub binding: BindingId,
    /// For which time.
    pub due: Instant,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
}

impl Engine {
    /// The digests of people after one that were given up, in order of person; the last person that was
    /// looked at is beside them, where there may be more. Those of a person are told together, so that
    /// there may be a few more than `limit`.
    ///
    /// # Errors
    /// Where the actor is no administrator, or the store fails.
    pub fn digests_given_up(
        &self,
        actor: &Actor,
        after: Option<&DirectoryId>,
        limit: usize,
    ) -> Result<(Vec<DigestGivenUp>, Option<DirectoryId>), EngineError> {
        check_administrator(actor, "see digests that were given up")?;
        let of = DirectoryKind::new(kind::PREFERENCE);
        let of = of.map_err(|error| Rejection::not_possible(error.to_string()))?;
        // Whoever has digests has said so.
        let people = self.0.store.things(&of, after, MOST_LOOKED_AT)?;
        let is_part = people.len() == MOST_LOOKED_AT;
        let (mut given_up, mut last) = (Vec::new(), None);
        for (id, _) in people {
            if given_up.len() >= limit {
                return Ok((given_up, last));
            }
            if let Ok(person) = PersonId::new(id.as_str()) {
                let open = self.0.store.digest(&person)?.open;
                let dead = open.into_iter().filter_map(|open| told(&person, open));
                given_up.extend(dead);
            }
            last = Some(id);
        }
        Ok((given_up, last.filter(|_| is_part)))
    }

    /// Tries a person's digests again that were given up, within a minute; says which.
    ///
    /// # Errors
    /// Where the actor is no administrator, none of theirs was given up, they are changed by somebody else
    /// just then, or the store fails.
    pub async fn redrive_digests(
        &self,
        actor: &Actor,
        person: &PersonId,
    ) -> Result<Vec<DigestGivenUp>, EngineError> {
        check_administrator(actor, "try digests again")?;
        let state = self.0.store.digest(person)?;
        let open = state.open.iter().cloned();
        let dead: Vec<_> = open.filter_map(|open| told(person, open)).collect();
        if dead.is_empty() {
            return Err(Rejection::not_found("digest that was given up, of", person).into());
        }
        let mut after = state.clone();
        for open in after.open.iter_mut().filter(|open| open.dead.is_some()) {
            open.dead = None;
            open.attempts = 0;
            open.next_at = self.now();
        }
        self.keep_digest(person, state, after).await?;
        Ok(dead)
    }
}

fn told(person: &PersonId, open: PendingDigest) -> Option<DigestGivenUp> {
    Some(DigestGivenUp {
        person: person.clone(),
        binding: open.binding,
        due: open.due,
        attempts: open.attempts,
        error: open.dead?,
    })
}
