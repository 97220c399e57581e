//! What the process owner can set; the defaults fit the incident workflow of the `itil` pack.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::IsoDuration;

/// For one tier of contract: the goals of the targets, by priority.
pub(crate) type Tier = BTreeMap<String, BTreeMap<String, IsoDuration>>;

/// Stands for every priority that a tier does not name.
pub(crate) const ANY: &str = "any";

/// Which contract promises what.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) tiers: BTreeMap<String, Tier>,
    /// The calendar of a tier, where the contract names none of its own.
    pub(crate) calendars: BTreeMap<String, String>,
    /// The tier of those who have no contract; without it, they get no answer.
    pub(crate) default_tier: Option<String>,
    pub(crate) priority_field: String,
    /// A reference to the organisation that the record is for; the requester's own without one.
    pub(crate) customer_field: String,
    /// All priorities, the most urgent first.
    pub(crate) priorities: Vec<String>,
    pub(crate) vip: Vip,
    pub(crate) warn_at_percent: Vec<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let priorities = ["p1", "p2", "p3", "p4", "p5"];
        Self {
            tiers: BTreeMap::from([
                (
                    "gold".to_owned(),
                    tier([(15, 4), (30, 8), (60, 16), (120, 40), (240, 80)]),
                ),
                (
                    "silver".to_owned(),
                    tier([(30, 8), (60, 16), (120, 24), (240, 60), (480, 120)]),
                ),
                (
                    "bronze".to_owned(),
                    tier([(60, 16), (120, 24), (240, 40), (480, 80), (960, 160)]),
                ),
            ]),
            calendars: BTreeMap::new(),
            default_tier: None,
            priority_field: "priority".to_owned(),
            customer_field: "customer".to_owned(),
            priorities: priorities.map(str::to_owned).into(),
            vip: Vip::default(),
            warn_at_percent: vec![50, 90],
        }
    }
}

/// A tier of minutes to respond and hours to resolve, from `p1` on.
fn tier(goals: [(u64, u64); 5]) -> Tier {
    (1..)
        .zip(goals)
        .map(|(level, (minutes, hours))| {
            let response = IsoDuration(Duration::from_mins(minutes));
            let resolution = IsoDuration(Duration::from_hours(hours));
            let targets = [("response", response), ("resolution", resolution)];
            let targets = targets.map(|(target, goal)| (target.to_owned(), goal));
            (format!("p{level}"), targets.into())
        })
        .collect()
}

/// What is different for those whom the desk treats as very important.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Vip {
    /// How many priorities higher they count.
    pub(crate) raise: usize,
    /// The calendar that then counts, in place of any other.
    pub(crate) calendar: Option<String>,
}

impl Default for Vip {
    fn default() -> Self {
        Self {
            raise: 1,
            calendar: None,
        }
    }
}
