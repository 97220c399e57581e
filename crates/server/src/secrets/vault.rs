//! Secrets at rest: in the store, each sealed for its binding and name under the operator's key. They
//! are opened when a call needs them, so that a change holds from the next call on. The key that links for
//! votes are signed with is sealed the same way, in a place of its own: it is no secret of any binding.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result, anyhow, bail};
use engine::port::{
    Clock as _, Commit, LinkKey, LinkKeyError, LinkKeys, SealedSecret, Store, SystemClock,
};
use futures::future::BoxFuture;
use model::id::{BindingId, SecretId};
use plugin_host::SecretValue;
use serde_json::{Value, json};

use super::key::{self, Key};

/// How long a secret may be, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// How many secrets there may be.
const MOST: usize = 10_000;
/// What the key of links is sealed for.
const ABOUT_LINKS: &[u8] = b"servicewright link key";

/// The secrets in a store.
pub(crate) struct Vault {
    store: Arc<dyn Store>,
    key: RwLock<Option<Key>>,
    /// Whoever changes secrets does it alone.
    changing: tokio::sync::Mutex<()>,
}

impl Vault {
    pub(crate) fn new(store: Arc<dyn Store>, key: Option<Key>) -> Self {
        Self {
            store,
            key: RwLock::new(key),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether every secret that is kept opens under the key that was given.
    ///
    /// # Errors
    /// What is missing or wrong, and what to do about it.
    pub(crate) fn check(&self) -> Result<()> {
        let kept = self.all()?;
        let link_key = self.store.sealed_link_key()?;
        let sealed = kept.iter().map(|(_, _, sealed)| sealed).chain(&link_key);
        let Some(first) = sealed.clone().next() else {
            return Ok(());
        };
        let Some(key) = self.key() else {
            bail!(
                "secrets are kept here ({}), sealed under the key {}: give it with --secrets-key-file or WRIGHT_SECRETS_KEY",
                sealed.count(),
                key::name(&first.key)
            );
        };
        for (binding, secret, sealed) in &kept {
            open(&key, binding, secret, sealed)?;
        }
        if let Some(sealed) = &link_key {
            open_link_key(&key, sealed)?;
        }
        Ok(())
    }

    /// The value of a secret, where one is set.
    pub(crate) fn value(&self, binding: &BindingId, secret: &SecretId) -> Option<SecretValue> {
        let opened = self
            .store
            .sealed_secret(binding, secret)
            .map_err(anyhow::Error::from)
            .and_then(|sealed| {
                let Some(sealed) = sealed else {
                    return Ok(None);
                };
                let key = self.key().ok_or_else(no_key)?;
                open(&key, binding, secret, &sealed).map(Some)
            });
        opened.unwrap_or_else(|error| {
            tracing::error!(%binding, %secret, error = format!("{error:#}"), "a secret cannot be read");
            None
        })
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// Where it is too long, there is no key, or the store fails.
    pub(crate) async fn set(
        &self,
        binding: BindingId,
        secret: SecretId,
        value: &[u8],
    ) -> Result<()> {
        if value.is_empty() || value.len() > MAX_BYTES {
            bail!(
                "a secret has from 1 to {MAX_BYTES} bytes, not {}",
                value.len()
            );
        }
        let _alone = self.changing.lock().await;
        let key = self.key().ok_or_else(no_key)?;
        // One key seals all: what was sealed under another would be lost with it unawares.
        self.check()?;
        if self.all()?.len() >= MOST && self.store.sealed_secret(&binding, &secret)?.is_none() {
            bail!("there are {MOST} secrets, and no more are kept");
        }
        let sealed = seal(&key, &binding, &secret, value)?;
        self.commit(vec![(binding, secret, Some(sealed))], None)
            .await
    }

    /// Takes a secret out.
    ///
    /// # Errors
    /// Where there is none, or the store fails.
    pub(crate) async fn remove(&self, binding: BindingId, secret: SecretId) -> Result<()> {
        let _alone = self.changing.lock().await;
        if self.store.sealed_secret(&binding, &secret)?.is_none() {
            bail!("no secret `{secret}` is kept for the binding `{binding}`");
        }
        self.commit(vec![(binding, secret, None)], None).await
    }

    /// Seals every secret under another key, all at once, and uses that from then on. Gives how many.
    ///
    /// # Errors
    /// Where one of them does not open, or the store fails; nothing is changed then.
    pub(crate) async fn rekey(&self, new: Key) -> Result<usize> {
        let _alone = self.changing.lock().await;
        let kept = self.all()?;
        let link_key = match self.store.sealed_link_key()? {
            Some(before) => {
                let old = self.key().ok_or_else(no_key)?;
                let opened = open_link_key(&old, &before)?;
                Some(SealedSecret {
                    set_at: before.set_at,
                    ..seal_link_key(&new, &opened)?
                })
            }
            None => None,
        };
        let mut sealed = Vec::with_capacity(kept.len());
        if !kept.is_empty() {
            let old = self.key().ok_or_else(no_key)?;
            for (binding, secret, before) in kept {
                let value = open(&old, &binding, &secret, &before)?;
                let after = SealedSecret {
                    set_at: before.set_at,
                    ..seal(&new, &binding, &secret, value.bytes())?
                };
                sealed.push((binding, secret, Some(after)));
            }
        }
        let count = sealed.len();
        self.commit(sealed, link_key).await?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some(new);
        Ok(count)
    }

    /// What is kept, and when it was set; never what it is.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) fn told(&self) -> Result<Value> {
        let kept = self.all()?;
        let secrets = kept.iter().map(|(binding, secret, sealed)| {
            let key = key::name(&sealed.key);
            json!({ "binding": binding, "name": secret, "set_at": sealed.set_at, "key": key })
        });
        Ok(json!({ "secrets": secrets.collect::<Vec<_>>() }))
    }

    fn key(&self) -> Option<Key> {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        key.clone()
    }

    fn all(&self) -> Result<Vec<(BindingId, SecretId, SealedSecret)>> {
        Ok(self.store.sealed_secrets(None, MOST)?)
    }

    /// Draws another key for links: those that were given out are good no more.
    ///
    /// # Errors
    /// Where there is no key to seal it under, or the store fails.
    pub(crate) async fn renew_link_key(&self) -> Result<()> {
        let _alone = self.changing.lock().await;
        self.make_link_key().await.map(|_| ())
    }

    /// Draws a key for links and keeps it.
    async fn make_link_key(&self) -> Result<LinkKey> {
        let key = self.key().ok_or_else(no_key)?;
        // One key seals all.
        self.check()?;
        let drawn = key::random()?;
        let sealed = seal_link_key(&key, &drawn)?;
        self.commit(Vec::new(), Some(sealed)).await?;
        Ok(LinkKey::new(drawn))
    }

    /// The key of links; made where there is none yet.
    async fn link_key_or_new(&self) -> Result<LinkKey> {
        if let Some(key) = self.link_key()? {
            return Ok(key);
        }
        let _alone = self.changing.lock().await;
        // Somebody else may have made it meanwhile.
        match self.link_key()? {
            Some(key) => Ok(key),
            None => self.make_link_key().await,
        }
    }

    fn link_key(&self) -> Result<Option<LinkKey>> {
        let Some(sealed) = self.store.sealed_link_key()? else {
            return Ok(None);
        };
        let key = self.key().ok_or_else(no_key)?;
        let opened = open_link_key(&key, &sealed)?;
        Ok(Some(LinkKey::new(opened)))
    }

    async fn commit(
        &self,
        secrets: Vec<(BindingId, SecretId, Option<SealedSecret>)>,
        link_key: Option<SealedSecret>,
    ) -> Result<()> {
        let commit = Commit::Secrets { secrets, link_key };
        let committed = self.store.commit(commit).await;
        committed.map(|_| ()).context("the secrets cannot be kept")
    }
}

impl LinkKeys for Vault {
    fn key(&self) -> Result<Option<LinkKey>, LinkKeyError> {
        self.link_key().map_err(|error| link_key_error(&error))
    }

    fn key_or_new(&self) -> BoxFuture<'_, Result<LinkKey, LinkKeyError>> {
        Box::pin(async {
            let key = self.link_key_or_new().await;
            key.map_err(|error| link_key_error(&error))
        })
    }
}

fn link_key_error(error: &anyhow::Error) -> LinkKeyError {
    LinkKeyError(format!("{error:#}"))
}

fn no_key() -> anyhow::Error {
    anyhow!(
        "there is no key to seal secrets under: `wright secret key FILE` makes one, and --secrets-key-file or WRIGHT_SECRETS_KEY gives it to the server"
    )
}

fn seal(key: &Key, binding: &BindingId, secret: &SecretId, value: &[u8]) -> Result<SealedSecret> {
    Ok(SealedSecret {
        key: key.digest(),
        set_at: SystemClock.now(),
        sealed: key.seal(&about(binding, secret), value)?,
    })
}

fn open(
    key: &Key,
    binding: &BindingId,
    secret: &SecretId,
    sealed: &SealedSecret,
) -> Result<SecretValue> {
    if sealed.key != key.digest() {
        bail!(
            "the secret `{secret}` of the binding `{binding}` is sealed under the key {}, and the key that was given is {}: give the one that was used before, or the one that `wright secret rekey` changed to",
            key::name(&sealed.key),
            key.name()
        );
    }
    let opened = key.open(&about(binding, secret), &sealed.sealed);
    let value = opened.with_context(|| {
        format!("the secret `{secret}` of the binding `{binding}` does not open")
    })?;
    Ok(SecretValue::new(value))
}

/// What a secret is sealed for. No id holds a zero byte.
fn about(binding: &BindingId, secret: &SecretId) -> Vec<u8> {
    format!("servicewright secret\0{binding}\0{secret}").into_bytes()
}

fn seal_link_key(key: &Key, link_key: &[u8]) -> Result<SealedSecret> {
    Ok(SealedSecret {
        key: key.digest(),
        set_at: SystemClock.now(),
        sealed: key.seal(ABOUT_LINKS, link_key)?,
    })
}

fn open_link_key(key: &Key, sealed: &SealedSecret) -> Result<[u8; LinkKey::BYTES]> {
    if sealed.key != key.digest() {
        bail!(
            "the key of links for votes is sealed under the key {}, and the key that was given is {}: give the one that was used before, or the one that `wright secret rekey` changed to",
            key::name(&sealed.key),
            key.name()
        );
    }
    let opened = key.open(ABOUT_LINKS, &sealed.sealed);
    let opened = opened.context("the key of links for votes does not open")?;
    let bytes = opened.try_into();
    bytes.map_err(|_| anyhow!("the key of links for votes is not one"))
}
