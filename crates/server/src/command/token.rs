//! `wright token`: a token's secret is made here and printed once. Only its digest goes further.

use std::io::Read as _;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::port::{Clock as _, SystemClock, TokenRecord};
use model::Digest;
use plugin_registry::Trust;
use serde_json::json;

use super::{Outcome, block_on, print};
use crate::admin::{self, Ask};
use crate::cli::{Format, TokenCommand};
use crate::secrets::Key;

/// What tokens begin with, so that one that leaked is recognised.
const PREFIX: &str = "wright_";
/// How many random bytes a token has.
const BYTES: usize = 32;
/// How much is read in search of a token.
const MOST_READ: u64 = 1_000;

pub(super) fn run(command: TokenCommand, format: Format) -> Result<Outcome> {
    match command {
        TokenCommand::Create {
            data,
            actor,
            roles,
            title,
            expires,
        } => {
            let created_at = SystemClock.now();
            let token = TokenRecord {
                actor,
                roles: roles.0,
                created_at,
                expires_at: expires.map(|after| created_at.saturating_add(after)),
                title,
            };
            let secret = secret()?;
            let ask = Ask::KeepToken {
                secret: Digest::of(secret.as_bytes()),
                token: token.clone(),
            };
            block_on(admin::ask(&data.data, ask))?;
            let result = json!({
                "token": secret, "actor": token.actor, "roles": token.roles,
                "expires_at": token.expires_at, "title": token.title,
            });
            print(format, &result, || secret.clone())?;
        }
        TokenCommand::Revoke(data) => {
            let mut text = String::new();
            std::io::stdin()
                .take(MOST_READ)
                .read_to_string(&mut text)
                .context("cannot read the token from standard input")?;
            let secret = text.trim();
            if secret.is_empty() {
                bail!("the token to be revoked is read from standard input, which is empty");
            }
            let secret = Digest::of(secret.as_bytes());
            block_on(admin::ask(&data.data, Ask::RevokeToken { secret }))?;
            print(format, &json!({ "revoked": true }), || "revoked".to_owned())?;
        }
        TokenCommand::RevokeVoteLinks { key, data } => {
            let key = Key::find(key.secrets_key_file.as_deref())?;
            let ask = Ask::RenewLinkKey;
            block_on(admin::ask_with(&data.data, ask, key, &Trust::default()))?;
            print(format, &json!({ "revoked": true }), || {
                "every link for a vote that was given out is revoked".to_owned()
            })?;
        }
    }
    Ok(Outcome::Done)
}

fn secret() -> Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("there is no randomness: {error}"))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_token_has_256_bits_and_is_recognised() {
        let (one, other) = (super::secret(), super::secret());
        let (one, other) = (one.expect("random"), other.expect("random"));
        assert_ne!(one, other);
        assert!(one.starts_with("wright_"));
        assert_eq!(one.len(), "wright_".len() + 43);
    }
}
