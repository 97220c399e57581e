//! The token of a link by which somebody can vote: whose vote of which opening of which stage, who may
//! give it, and a signature over all of it (HMAC-SHA-256, RFC 2104). It holds all that it is signed over,
//! so that one that is no longer good is still known to have come from here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use model::Instant;
use model::command::LinkUse;
use model::id::{PersonId, RecordId, StageId};
use model::record::OpenStage;
use sha2::Sha256;

use crate::port::LinkKey;

/// What is signed before everything else, so that no other signature under the key means the same.
const PURPOSE: &[u8] = b"servicewright vote link 1\0";
/// How many bytes the signature has.
const SIGNATURE: usize = 32;
/// The longest token that is looked at, in characters: ids of people have up to 200 bytes, the rest less.
const LONGEST: usize = 1_000;
/// What stands between the parts: no id holds it.
const BETWEEN: char = '\0';

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoteLink {
    pub(crate) record: RecordId,
    pub(crate) stage: StageId,
    /// Whose vote it is.
    pub(crate) whose: PersonId,
    /// Who may give it: the same, or who stands in for them.
    pub(crate) voter: PersonId,
    pub(crate) used: LinkUse,
}

impl VoteLink {
    /// The token, the same whenever it is made of the same.
    pub(crate) fn token(&self, key: &LinkKey) -> String {
        let told = self.written();
        let signature = signer(key).chain_update(&told).finalize().into_bytes();
        let signed = [signature.as_slice(), told.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(signed)
    }

    /// What a token stands for that was signed with this key; none for anything else.
    pub(crate) fn read(token: &str, key: &LinkKey) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let signed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, told) = signed.split_first_chunk::<SIGNATURE>()?;
        // This takes as long wherever they differ.
        let verified = signer(key).chain_update(told).verify_slice(signature);
        verified.ok()?;
        Self::parse(std::str::from_utf8(told).ok()?)
    }

    fn written(&self) -> String {
        let LinkUse {
            opened_at,
            opened_in,
            recalled,
        } = self.used;
        let parts = [
            self.record.to_string(),
            self.stage.to_string(),
            self.whose.to_string(),
            self.voter.to_string(),
            opened_at.millis().to_string(),
            opened_in.to_string(),
            recalled.to_string(),
        ];
        parts.join(&BETWEEN.to_string())
    }

    fn parse(told: &str) -> Option<Self> {
        let mut parts = told.split(BETWEEN);
        let link = Self {
            record: parts.next()?.parse().ok()?,
            stage: parts.next()?.parse().ok()?,
            whose: parts.next()?.parse().ok()?,
            voter: parts.next()?.parse().ok()?,
            used: LinkUse {
                opened_at: Instant::from_millis(parts.next()?.parse().ok()?),
                opened_in: parts.next()?.parse().ok()?,
                recalled: parts.next()?.parse().ok()?,
            },
        };
        parts.next().is_none().then_some(link)
    }
}

fn signer(key: &LinkKey) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key.bytes());
    mac.expect("HMAC takes keys of every length")
        .chain_update(PURPOSE)
}

/// What a link for the vote of a person is given for, as the stage stands.
pub(crate) fn use_of(stage: &OpenStage, whose: &PersonId) -> LinkUse {
    LinkUse {
        opened_at: stage.opened_at,
        opened_in: stage.opened_in,
        recalled: stage.recalled.get(whose).copied().unwrap_or(0),
    }
}

/// Whether a link was given for this opening of a stage.
pub(crate) fn is_of_opening(stage: &OpenStage, used: LinkUse) -> bool {
    (stage.opened_at, stage.opened_in) == (used.opened_at, used.opened_in)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use model::Instant;
    use model::command::LinkUse;
    use proptest::prelude::*;

    use super::VoteLink;
    use crate::port::LinkKey;

    fn key(byte: u8) -> LinkKey {
        LinkKey::new([byte; LinkKey::BYTES])
    }

    fn link() -> VoteLink {
        VoteLink {
            record: "CHG-7".parse().expect("a number"),
            stage: "manager".parse().expect("a stage"),
            whose: "mona".parse().expect("a person"),
            voter: "emma".parse().expect("a person"),
            used: LinkUse {
                opened_at: Instant::from_millis(1_790_000_000_123),
                opened_in: 3,
                recalled: 1,
            },
        }
    }

    /// The link with one of its parts otherwise.
    fn others() -> Vec<VoteLink> {
        let changes: [fn(&mut VoteLink); 7] = [
            |it| it.record = "CHG-8".parse().expect("a number"),
            |it| it.stage = "cab".parse().expect("a stage"),
            |it| it.whose = "carla".parse().expect("a person"),
            |it| it.voter = "dirk".parse().expect("a person"),
            |it| it.used.opened_at = Instant::from_millis(1_790_000_000_124),
            |it| it.used.opened_in = 4,
            |it| it.used.recalled = 2,
        ];
        let changed = changes.map(|change| {
            let mut other = link();
            change(&mut other);
            other
        });
        changed.to_vec()
    }

    #[test]
    fn a_token_is_the_same_each_time_and_read_under_its_key_alone() {
        let token = link().token(&key(1));
        assert_eq!(token, link().token(&key(1)));
        assert_eq!(VoteLink::read(&token, &key(1)), Some(link()));
        assert_eq!(VoteLink::read(&token, &key(2)), None);
        let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(token.chars().all(is_safe), "{token}");
        assert!(!format!("{:?}", key(7)).contains('7'));
    }

    #[test]
    fn no_part_of_it_can_be_changed_or_moved_to_another_signature() {
        let ours = URL_SAFE_NO_PAD.decode(link().token(&key(1))).expect("ours");
        let mut tokens = vec![link().token(&key(1))];
        for other in others() {
            let token = other.token(&key(1));
            assert_eq!(VoteLink::read(&token, &key(1)), Some(other.clone()));
            let theirs = URL_SAFE_NO_PAD.decode(&token).expect("theirs");
            let mixed = [&ours[..super::SIGNATURE], &theirs[super::SIGNATURE..]].concat();
            let mixed = URL_SAFE_NO_PAD.encode(mixed);
            assert_eq!(VoteLink::read(&mixed, &key(1)), None, "{other:?}");
            tokens.push(token);
        }
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 8, "no two say the same");
    }

    #[test]
    fn a_token_is_good_as_it_is_written_and_not_otherwise() {
        let token = link().token(&key(1));
        for other in [
            format!("{token}="),
            format!("{token}A"),
            token.to_lowercase(),
            token[1..].to_owned(),
            token[..token.len() - 1].to_owned(),
            format!(" {token}"),
            String::new(),
            "A".repeat(100_000),
        ] {
            assert_eq!(VoteLink::read(&other, &key(1)), None);
        }
    }

    proptest! {
        #[test]
        fn any_change_of_any_byte_refuses(place: prop::sample::Index, change in 1_u8..) {
            let mut signed = URL_SAFE_NO_PAD.decode(link().token(&key(1))).expect("ours");
            let place = place.index(signed.len());
            signed[place] ^= change;
            prop_assert_eq!(VoteLink::read(&URL_SAFE_NO_PAD.encode(signed), &key(1)), None);
        }

        #[test]
        fn any_other_character_at_any_place_refuses(place: prop::sample::Index, other in "[A-Za-z0-9_-]") {
            let token = link().token(&key(1));
            let place = place.index(token.len());
            let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            prop_assume!(changed != token);
            prop_assert_eq!(VoteLink::read(&changed, &key(1)), None);
        }

        #[test]
        fn whatever_is_sent_is_read_or_refused(token in "\\PC{0,300}", bytes: Vec<u8>) {
            prop_assert_eq!(VoteLink::read(&token, &key(1)), None);
            prop_assert_eq!(VoteLink::read(&URL_SAFE_NO_PAD.encode(&bytes), &key(1)), None);
        }

        #[test]
        fn what_is_signed_reads_even_where_it_was_written_otherwise(told in "\\PC{0,80}(\0\\PC{0,8}){0,8}") {
            // Nothing but the key's holder signs; what a later version signs must not trip an earlier one.
            let _ = VoteLink::parse(&told);
        }

        #[test]
        fn people_are_told_apart_whatever_they_are_called(
            one in "\\S(\\PC{0,20}\\S)?", other in "\\S(\\PC{0,20}\\S)?",
        ) {
            let (Ok(one), Ok(other)) = (one.parse(), other.parse()) else { return Ok(()) };
            let mut link = link();
            (link.whose, link.voter) = (one, other);
            let read = VoteLink::read(&link.token(&key(1)), &key(1));
            prop_assert_eq!(read, Some(link));
        }
    }
}
