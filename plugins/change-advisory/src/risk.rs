//! How risky a change is: points, each with the reason for them in words.

use servicewright_sdk::{Error, Fields, Instant, Record, Result, business_time, directory};

use crate::settings::Settings;

/// Nobody is helped by a longer count: this many failures say enough.
const FAILURES_THAT_COUNT: usize = 5;

/// The risk of one change.
#[derive(Debug, Default)]
pub(crate) struct Risk {
    pub(crate) points: u32,
    /// What adds to the risk, as parts of a sentence.
    pub(crate) against: Vec<String>,
    /// What does not.
    pub(crate) favours: Vec<String>,
}

impl Risk {
    /// Looks at everything the settings name.
    pub(crate) fn assess(settings: &Settings, record: &Record, now: Instant) -> Result<Self> {
        let mut risk = Self::default();
        risk.impact(settings, record)?;
        risk.reach(settings, record)?;
        risk.window(settings, record)?;
        risk.past(settings, record, now)?;
        risk.rating(settings, record)?;
        Ok(risk)
    }

    fn count(&mut self, points: u32, words: String) {
        self.points = self.points.saturating_add(points);
        if points > 0 {
            self.against.push(words);
        } else {
            self.favours.push(words);
        }
    }

    fn impact(&mut self, settings: &Settings, record: &Record) -> Result<()> {
        let impact: &str = record.field(&settings.fields.impact)?;
        let points = settings.points.impact.get(impact).ok_or_else(|| {
            Error::Misconfigured(format!(
                "`points.impact` does not say what `{impact}` weighs"
            ))
        })?;
        self.count(*points, format!("the impact is {impact}"));
        Ok(())
    }

    fn reach(&mut self, settings: &Settings, record: &Record) -> Result<()> {
        let affected: Option<Vec<String>> = record.field(&settings.fields.affected)?;
        let count = affected.map_or(0, |services| services.len());
        let beyond_first = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
        let words = match count {
            0 => "no service is named as affected".to_owned(),
            1 => "one service is affected".to_owned(),
            count => format!("{count} services are affected"),
        };
        self.count(beyond_first.saturating_mul(settings.points.service), words);
        Ok(())
    }

    fn window(&mut self, settings: &Settings, record: &Record) -> Result<()> {
        let Some(freeze) = settings.freeze.calendar() else {
            return Ok(());
        };
        let start: Option<Instant> = record.field(&settings.fields.start)?;
        let end: Option<Instant> = record.field(&settings.fields.end)?;
        let (Some(start), Some(end)) = (start, end) else {
            let words = "it has no planned window".to_owned();
            self.count(settings.points.unplanned, words);
            return Ok(());
        };
        if end <= start {
            let message = format!("the window ends at {end}, and begins only at {start}");
            return Err(Error::InvalidInput(message));
        }
        if business_time::between(freeze, start, end)?.is_zero() {
            self.count(0, "its window is clear of any freeze".to_owned());
        } else {
            let words = format!("its window touches the calendar `{freeze}`");
            self.count(settings.points.freeze, words);
        }
        Ok(())
    }

    fn past(&mut self, settings: &Settings, record: &Record, now: Instant) -> Result<()> {
        let history = &settings.history;
        let mut same = Fields::new();
        for field in &history.same {
            match record.fields.value(field) {
                servicewright_sdk::Value::Null => {}
                value => same.set(field, value.clone()),
            }
        }
        // Without a kind of its own, every change would be one of the same kind.
        if same.is_empty() {
            return Ok(());
        }
        let since = now - history.within.0;
        let alike = directory::alike(&record.workflow, same, since)?;
        let mut failures = 0;
        for other in alike.iter().filter(|other| other.id != record.id) {
            let outcome: Option<&str> = other.field(&settings.fields.outcome)?;
            if outcome.is_some_and(|outcome| history.failed.iter().any(|one| one == outcome)) {
                failures += 1;
            }
        }
        let days = history.within.0.as_secs() / 86_400;
        let words = match failures {
            0 => format!("none of its kind has failed in {days} days"),
            1 => format!("one of its kind has failed in {days} days"),
            count => format!("{count} of its kind have failed in {days} days"),
        };
        let counted = u32::try_from(failures.min(FAILURES_THAT_COUNT)).unwrap_or(u32::MAX);
        self.count(counted.saturating_mul(settings.points.failure), words);
        Ok(())
    }

    /// What the workflow itself says is never gone below.
    fn rating(&mut self, settings: &Settings, record: &Record) -> Result<()> {
        let rating: Option<&str> = record.field(&settings.fields.rating)?;
        let floor = rating.and_then(|rating| settings.points.rating.get(rating));
        if let (Some(rating), Some(&floor)) = (rating, floor)
            && floor > self.points
        {
            self.points = floor;
            self.against
                .push(format!("the workflow rates its risk {rating}"));
        }
        Ok(())
    }
}

/// Parts of a sentence as one: `a`, `a and b`, `a, b and c`.
pub(crate) fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
