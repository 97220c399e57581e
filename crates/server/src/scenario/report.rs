//! What came of scenarios: for people, for programs, and as `JUnit`'s XML for whoever collects tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use model::id::ScenarioId;
use serde::Serialize;

use super::plan::Plan;
use super::run::{Outcome, Unmet};

/// What came of all scenarios of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The scenarios, in order of id.
    pub(crate) ran: Vec<Ran>,
}

/// What came of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ran {
    /// Its id.
    pub(crate) id: ScenarioId,
    /// What it tells.
    pub(crate) title: String,
    /// The file that it stands in.
    pub(crate) file: String,
    /// Its line there.
    pub(crate) line: u32,
    /// Why it was not run, where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
    /// What was not as expected; nothing where it passed.
    pub(crate) failures: Vec<Failure>,
    /// How long it took, in microseconds.
    pub(crate) micros: u64,
    /// What else became of it.
    #[serde(skip)]
    pub(super) outcome: Outcome,
}

/// Something that was not as expected.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    /// The step; none where the desk could not be set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    /// The file in which it was expected, within the pack.
    pub(crate) file: String,
    /// The line.
    pub(crate) line: u32,
    /// The column.
    pub(crate) column: u32,
    /// What was expected, and what was found.
    pub(crate) message: String,
}

impl From<&Unmet> for Failure {
    fn from(unmet: &Unmet) -> Self {
        Self {
            step: unmet.step.as_ref().map(ToString::to_string),
            file: unmet.position.file.to_string(),
            line: unmet.position.line,
            column: unmet.position.column,
            message: unmet.message.clone(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(step) = &self.step {
            write!(f, "step `{step}`: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Ran {
    pub(super) fn of(plan: &Plan, outcome: Outcome, took: Duration) -> Self {
        let position = plan.position(&["title"]);
        Self {
            id: plan.id.clone(),
            title: plan.scenario.title.clone(),
            file: position.file.to_string(),
            line: position.line,
            skipped: plan.skip.clone(),
            failures: outcome.unmet.iter().map(Failure::from).collect(),
            micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            outcome,
        }
    }

    pub(super) fn skipped(plan: &Plan) -> Self {
        Self::of(plan, Outcome::default(), Duration::ZERO)
    }

    /// Whether something was not as expected.
    pub(crate) fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl Report {
    /// How many scenarios failed.
    pub(crate) fn failed(&self) -> usize {
        self.ran.iter().filter(|ran| ran.failed()).count()
    }

    /// How many were not run.
    pub(crate) fn skipped(&self) -> usize {
        self.ran.iter().filter(|ran| ran.skipped.is_some()).count()
    }

    /// How many passed.
    pub(crate) fn passed(&self) -> usize {
        self.ran.len() - self.failed() - self.skipped()
    }

    /// The scenarios that are skipped here and were not in another run.
    pub(crate) fn newly_skipped(&self, before: &Self) -> Vec<ScenarioId> {
        let were: BTreeSet<&ScenarioId> = before.skipped_ids().collect();
        let new = self.skipped_ids().filter(|id| !were.contains(id));
        new.cloned().collect()
    }

    fn skipped_ids(&self) -> impl Iterator<Item = &ScenarioId> {
        let skipped = self.ran.iter().filter(|ran| ran.skipped.is_some());
        skipped.map(|ran| &ran.id)
    }

    /// A line for each scenario, the failures below theirs, and the sum.
    pub(crate) fn told(&self) -> String {
        self.told_of(|_| true)
    }

    /// What failed, and the sum.
    pub(crate) fn told_failures(&self) -> String {
        self.told_of(Ran::failed)
    }

    fn told_of(&self, is_told: impl Fn(&Ran) -> bool) -> String {
        let mut told = String::new();
        for ran in self.ran.iter().filter(|ran| is_told(ran)) {
            let result = match (&ran.skipped, ran.failed()) {
                (Some(_), _) => "skip",
                (None, true) => "FAIL",
                (None, false) => "ok  ",
            };
            let _ = write!(told, "{result} {}", ran.id);
            let _ = match &ran.skipped {
                Some(why) => writeln!(told, ": {why}"),
                None => writeln!(told, ": {}", ran.title),
            };
            for failure in &ran.failures {
                let _ = writeln!(told, "       {failure}");
            }
        }
        let (passed, failed, skipped) = (self.passed(), self.failed(), self.skipped());
        told + &format!("\n{passed} passed; {failed} failed; {skipped} skipped\n")
    }

    /// The report in the XML that `JUnit` made common: a suite of the pack's name, a case a scenario.
    pub(crate) fn junit(&self, pack: &str) -> String {
        let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let whole: u64 = self.ran.iter().map(|ran| ran.micros).sum();
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{}\"",
            self.ran.len(),
            self.failed(),
            self.skipped(),
            seconds(whole)
        );
        let pack = escaped(pack);
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{pack}\" {counts}>\n"
        );
        for ran in &self.ran {
            let (id, file) = (escaped(ran.id.as_str()), escaped(&ran.file));
            let _ = write!(
                xml,
                "    <testcase name=\"{id}\" classname=\"{pack}\" file=\"{file}\" line=\"{}\" time=\"{}\"",
                ran.line,
                seconds(ran.micros)
            );
            if let Some(why) = &ran.skipped {
                let _ = writeln!(
                    xml,
                    ">\n      <skipped message=\"{}\"/>\n    </testcase>",
                    escaped(why)
                );
                continue;
            }
            if !ran.failed() {
                xml.push_str("/>\n");
                continue;
            }
            let first = &ran.failures[0];
            let all: Vec<String> = ran.failures.iter().map(ToString::to_string).collect();
            let _ = writeln!(
                xml,
                ">\n      <failure type=\"unmet\" message=\"{}\">{}</failure>\n    </testcase>",
                escaped(&first.message),
                escaped(&all.join("\n"))
            );
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

/// A text as XML takes it, in elements and attributes. What XML has no character for is shown as such.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            character if character.is_control() || "\u{fffe}\u{ffff}".contains(character) => {
                escaped.push('\u{fffd}');
            }
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_would_read_is_escaped() {
        assert_eq!(
            escaped("a < b && \"c\" > 'd'\n\u{1}\u{ffff}é"),
            "a &lt; b &amp;&amp; &quot;c&quot; &gt; &apos;d&apos;&#10;\u{fffd}\u{fffd}é"
        );
    }
}
