//! Sets the goals that the customer's contract promises.
//!
//! The record's customer, or else the requester's organisation, has a contract; the contract has a
//! tier, which with the record's priority gives the goals, and perhaps hours of its own. A very
//! important person counts as if the priority were higher.

mod customer;
mod settings;

use std::collections::BTreeMap;

use customer::{Contract, Customer};
use servicewright_sdk::service_level::{self, Agreement, Call, Goal, Record, ServiceLevel, Target};
use servicewright_sdk::{Error, IsoDuration};
use settings::{ANY, Settings};

/// The `service-level` hook.
pub struct ContractHours;

servicewright_sdk::export_service_level!(ContractHours);

impl ServiceLevel for ContractHours {
    fn targets(
        call: &Call,
        record: &Record,
        agreement: &Agreement,
    ) -> service_level::Result<Vec<Target>> {
        let settings: Settings = call.settings()?;
        let customer = Customer::of(&settings, record)?;
        let terms = Terms::of(&settings, &customer)?;
        let said: &str = record.field(&settings.priority_field)?;
        let priority = raised(&settings, said, customer.vip.is_some());
        let goals = goals(&settings, &terms, priority)?;
        let calendar = calendar(&settings, &customer, &terms, agreement);
        let why = match &customer.vip {
            Some(vip) => format!("{}, and {vip} is very important", terms.words),
            None => terms.words.clone(),
        };
        let asked = |id: &String| goals.get(id).map(|goal| (id.clone(), *goal));
        Ok(agreement
            .targets
            .iter()
            .filter_map(asked)
            .map(|(id, goal)| Target {
                reason: reason(&id, goal, calendar, said, priority, &why),
                goal: Goal::within(goal.0, calendar),
                warn_at_percent: rising(&settings.warn_at_percent),
                id,
            })
            .collect())
    }
}

/// What applies to a customer.
struct Terms<'a> {
    tier: &'a str,
    contract: Option<&'a Contract>,
    /// Where it comes from.
    words: String,
}

impl<'a> Terms<'a> {
    fn of(settings: &'a Settings, customer: &'a Customer) -> service_level::Result<Self> {
        if let Some(contract) = &customer.contract {
            return Ok(Self {
                tier: &contract.tier,
                contract: Some(contract),
                words: format!("contract {} is {}", contract.id, contract.tier),
            });
        }
        let who = match &customer.organisation {
            Some(id) => format!("`{id}` has no contract"),
            None => "nobody knows whose contract applies".to_owned(),
        };
        let tier = settings.default_tier.as_deref();
        let tier = tier.ok_or_else(|| Error::InvalidInput(who.clone()))?;
        Ok(Self {
            tier,
            contract: None,
            words: format!("{who}, so that {tier} applies"),
        })
    }
}

/// The priority that counts: higher than the record's own for whoever is very important.
fn raised<'a>(settings: &'a Settings, said: &'a str, vip: bool) -> &'a str {
    let place = settings.priorities.iter().position(|one| one == said);
    match place {
        Some(place) if vip => &settings.priorities[place.saturating_sub(settings.vip.raise)],
        _ => said,
    }
}

fn goals<'a>(
    settings: &'a Settings,
    terms: &Terms<'_>,
    priority: &str,
) -> service_level::Result<&'a BTreeMap<String, IsoDuration>> {
    let tier = settings.tiers.get(terms.tier).ok_or_else(|| {
        Error::Misconfigured(format!("`tiers` does not say what {} is", terms.tier))
    })?;
    tier.get(priority).or_else(|| tier.get(ANY)).ok_or_else(|| {
        let message = format!("`tiers.{}` does not say what {priority} gets", terms.tier);
        Error::Misconfigured(message)
    })
}

/// The hours that count: the most particular that somebody has set.
fn calendar<'a>(
    settings: &'a Settings,
    customer: &Customer,
    terms: &Terms<'a>,
    agreement: &'a Agreement,
) -> &'a str {
    let for_vip = settings.vip.calendar.as_deref();
    let of_contract = terms.contract.and_then(|one| one.calendar.as_deref());
    let of_tier = settings.calendars.get(terms.tier).map(String::as_str);
    for_vip
        .filter(|_| customer.vip.is_some())
        .or(of_contract)
        .or(of_tier)
        .unwrap_or(&agreement.calendar)
}

fn reason(
    target: &str,
    goal: IsoDuration,
    calendar: &str,
    said: &str,
    counts_as: &str,
    why: &str,
) -> String {
    let priority = if said == counts_as {
        said.to_owned()
    } else {
        format!("{said} counted as {counts_as}")
    };
    format!("The {target} of {priority} is due within {goal} of {calendar}: {why}.")
}

/// Each once, the smallest first, as an answer has to have them.
fn rising(percents: &[u32]) -> Vec<u32> {
    let mut percents = percents.to_vec();
    percents.sort_unstable();
    percents.dedup();
    percents
}

#[cfg(test)]
mod tests;
