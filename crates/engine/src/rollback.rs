//! Putting the version of a pack in force again that was in force before: another configuration, with
//! its digest and its place in the journal, like the installation of a pack. Records and clocks stay
//! with the versions that they are pinned to, and other packs as they are.

use std::collections::BTreeMap;
use std::fmt::Display;

use definition::compile::{Installable, Versioned};
use model::Digest;
use model::configuration::{InstalledBinding, InstalledPack};
use model::id::PackId;
use model::journal::Item;

use crate::deploy;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::install::{InstalledReport, News, remove};
use crate::port::{Store, Supply};
use crate::rejection::Rejection;

/// How many items of the journal are read at a time.
const STEP: usize = 1_000;

impl Engine {
    /// Puts the version of a pack in force again that was in force before its last installation.
    /// Once more, and the version that was rolled back is in force. `supply` says who vouches for the
    /// components of its bindings, as it does for those of packs. Reads the journal from its
    /// beginning, so call it where that may take its time.
    ///
    /// # Errors
    /// Where the pack is not in force, never was in another version, something of that version is
    /// another pack's by now, one of its components may not be used, or the store fails; nothing is
    /// changed then.
    pub async fn rollback(
        &self,
        actor: &str,
        pack: &PackId,
        supply: &dyn Supply,
    ) -> Result<InstalledReport, EngineError> {
        let _alone = self.0.installing.lock().await;
        let mut installable = self.0.library.installable()?;
        let Some(now) = installable.packs.get(pack).cloned() else {
            return Err(Rejection::not_found("pack in force", pack).into());
        };
        let before = self.before(pack, &now, &installable.digest)?;
        let bindings = installable.bindings.clone();
        remove(&mut installable, pack, &now.chain);
        let mut news = News::default();
        let again = put_back(&mut installable, before, pack)?;
        for id in installable.bindings.keys().cloned().collect::<Vec<_>>() {
            let Some((installed, plugin)) = installable.bindings.get_mut(&id) else {
                continue;
            };
            if installed.pack != *pack {
                continue;
            }
            as_installed(installed);
            let vetted = self.vet_stored(&installed.component, supply)?;
            installed.provenance = Some(vetted.provenance.clone());
            if let Some((before, _)) = bindings.get(&id) {
                deploy::carry_over(before, installed);
            }
            news.also(vetted, &id, plugin);
        }
        let what = format!(
            "rolled back {pack} from {} to {}",
            now.version, again.version
        );
        let put = self.put_in_force(actor, what, installable, news, true);
        let (configuration, changed) = put.await?;
        Ok(InstalledReport {
            pack: pack.clone(),
            version: again.version,
            digest: again.digest,
            configuration,
            changed,
        })
    }

    /// What was in force when the pack last was another than it is now.
    fn before(
        &self,
        pack: &PackId,
        now: &InstalledPack,
        active: &Digest,
    ) -> Result<Installable, EngineError> {
        let library = &self.0.library;
        let all = configurations(&*self.0.store)?;
        for digest in all.iter().rev().filter(|digest| *digest != active) {
            let configuration = library.configuration_of(digest)?;
            let then = configuration.packs.get(pack);
            if then.is_some_and(|then| then.digest != now.digest) {
                return library.written(*digest, &configuration);
            }
        }
        let message = format!(
            "the pack {pack} was never in force in another version than {}: install the one you want",
            now.version
        );
        Err(Rejection::not_possible(message).into())
    }
}

/// The digest of everything that ever was in force, oldest first.
fn configurations(store: &dyn Store) -> Result<Vec<Digest>, EngineError> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let items = store.journal(after, STEP)?;
        let Some((last, _)) = items.last() else {
            return Ok(found);
        };
        after = *last;
        let active = items.into_iter().filter_map(|(_, item)| match item {
            Item::Configuration { active, .. } => Some(active),
            _ => None,
        });
        found.extend(active);
    }
}

/// A binding as its pack was installed with it: what is settled about versions is taken from now.
fn as_installed(installed: &mut InstalledBinding) {
    let packed = installed.deployment.take().and_then(|it| it.packed);
    if let Some(packed) = packed {
        installed.component = packed;
    }
}

/// Puts what was a pack's then beside what is in force now.
fn put_back(
    installable: &mut Installable,
    before: Installable,
    pack: &PackId,
) -> Result<InstalledPack, EngineError> {
    let mut claims = Claims {
        pack,
        faults: Vec::new(),
    };
    let own = |version: &PackId| version == pack;
    claims.put(
        "workflow",
        &mut installable.workflows,
        before.workflows,
        versioned,
    );
    claims.put(
        "service level",
        &mut installable.service_levels,
        before.service_levels,
        versioned,
    );
    claims.put(
        "calendar",
        &mut installable.calendars,
        before.calendars,
        versioned,
    );
    claims.put("team", &mut installable.teams, before.teams, versioned);
    claims.put(
        "notice",
        &mut installable.notices,
        before.notices,
        versioned,
    );
    claims.put(
        "binding",
        &mut installable.bindings,
        before.bindings,
        |it| &it.0.pack,
    );
    let then = before.packs.into_iter().find(|(id, _)| own(id));
    let Some((id, then)) = then else {
        return Err(Rejection::not_found("pack", pack).into());
    };
    if !claims.faults.is_empty() {
        return Err(EngineError::Install(claims.faults));
    }
    installable.packs.insert(id, then.clone());
    Ok(then)
}

const fn versioned<T>(version: &Versioned<T>) -> &PackId {
    &version.pack
}

/// Definitions of one pack, each held to what other packs have by now.
struct Claims<'c> {
    pack: &'c PackId,
    faults: Vec<String>,
}

impl Claims<'_> {
    fn put<I: Ord + Display, T>(
        &mut self,
        kind: &str,
        now: &mut BTreeMap<I, T>,
        then: BTreeMap<I, T>,
        of: fn(&T) -> &PackId,
    ) {
        for (id, it) in then.into_iter().filter(|(_, it)| of(it) == self.pack) {
            match now.get(&id) {
                Some(other) => self.faults.push(format!(
                    "the {kind} `{id}` is the pack {}'s by now: take that pack's out first",
                    of(other)
                )),
                None => {
                    now.insert(id, it);
                }
            }
        }
    }
}
