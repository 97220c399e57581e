//! Whom a record is for, and what they have signed.

use servicewright_sdk::{Error, Fields, Record, Result, directory};

use crate::settings::Settings;

/// Whom a record is for.
pub(crate) struct Customer {
    /// The organisation, where one is known.
    pub(crate) organisation: Option<String>,
    pub(crate) contract: Option<Contract>,
    /// Who of them is very important, in words; nothing where nobody is.
    pub(crate) vip: Option<String>,
}

/// What an organisation has signed.
pub(crate) struct Contract {
    pub(crate) id: String,
    pub(crate) tier: String,
    pub(crate) calendar: Option<String>,
}

impl Customer {
    /// Finds the organisation by the record's customer or else by its requester, and its contract.
    pub(crate) fn of(settings: &Settings, record: &Record) -> Result<Self> {
        let requester = match &record.requester {
            Some(id) => directory::user(id)?,
            None => None,
        };
        let customer: Option<String> = record.field(&settings.customer_field)?;
        let organisation = customer.or_else(|| {
            requester
                .as_ref()
                .and_then(|person| person.organisation.clone())
        });
        let kept = match &organisation {
            Some(id) => directory::find("organisation", id)?.unwrap_or_default(),
            None => Fields::new(),
        };
        let is_vip = |fields: &Fields| {
            fields
                .get::<Option<bool>>("vip")
                .map(Option::unwrap_or_default)
        };
        let vip = match (&requester, &organisation) {
            (Some(person), _) if is_vip(&person.facts)? => Some(person.name.clone()),
            (_, Some(organisation)) if is_vip(&kept)? => Some(organisation.clone()),
            _ => None,
        };
        Ok(Self {
            contract: contract(&kept)?,
            organisation,
            vip,
        })
    }
}

fn contract(organisation: &Fields) -> Result<Option<Contract>> {
    let Some(id) = organisation.get::<Option<String>>("contract")? else {
        return Ok(None);
    };
    let Some(kept) = directory::find("contract", &id)? else {
        let message = format!("the contract `{id}` is not in the directory");
        return Err(Error::InvalidInput(message));
    };
    let tier = kept.get::<Option<String>>("tier")?;
    let tier = tier
        .ok_or_else(|| Error::InvalidInput(format!("the contract `{id}` does not say its tier")))?;
    Ok(Some(Contract {
        tier,
        calendar: kept.get("calendar")?,
        id,
    }))
}
