//! What became of the mutants: how many were caught, by definition and kind of break, and which were not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use definition::overlay::DefinitionKind;
use definition::pack::Pack;
use serde::{Serialize, Serializer};

/// A definition with one thing broken, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mutant {
    /// The kind of the definition.
    definition: &'static str,
    /// Its id.
    id: String,
    /// The kind of break.
    change: &'static str,
    /// What was broken: the keys that lead to it.
    path: String,
    /// The file in which that stands, within the pack.
    file: String,
    /// The line.
    line: u32,
    /// The column.
    column: u32,
    /// What became of it.
    fate: Fate,
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    /// A scenario failed.
    Caught,
    /// No scenario noticed.
    Survived,
    /// It does not compile: nobody could put it in force.
    Refused,
}

impl Mutant {
    pub(super) fn new(
        pack: &Pack,
        kind: DefinitionKind,
        id: &str,
        change: &'static str,
        path: &[String],
    ) -> Self {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut trees = pack.trees();
        let tree = trees.find(|(of, own, _)| *of == kind && *own == id);
        let at = tree.map(|(.., tree)| tree.warning(&keys, "mutant", ""));
        let (file, line, column) = at.map_or_else(
            || (String::new(), 0, 0),
            |at| (at.file.clone(), at.line, at.column),
        );
        Self {
            definition: kind.as_str(),
            id: id.to_owned(),
            change,
            path: path.join("."),
            file,
            line,
            column,
            fate: Fate::Survived,
        }
    }

    pub(super) fn ended(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }
}

/// What became of all mutants of a run.
#[derive(Clone, Debug)]
pub(crate) struct MutationReport {
    pub(super) mutants: Vec<Mutant>,
}

/// How many mutants of a kind were caught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Count {
    caught: usize,
    survived: usize,
    refused: usize,
}

impl Count {
    fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Caught => self.caught += 1,
            Fate::Survived => self.survived += 1,
            Fate::Refused => self.refused += 1,
        }
    }

    /// Those that could run at all.
    const fn ran(self) -> usize {
        self.caught + self.survived
    }

    /// The share caught of those that ran, in tenths of a percent, rounded down.
    const fn per_mille(self) -> usize {
        match self.ran() {
            0 => 1_000,
            ran => self.caught * 1_000 / ran,
        }
    }
}

type Key = (&'static str, String);

impl MutationReport {
    fn count(&self) -> Count {
        let mut count = Count::default();
        self.mutants.iter().for_each(|it| count.add(it.fate));
        count
    }

    fn counts(&self) -> BTreeMap<Key, BTreeMap<&'static str, Count>> {
        let mut counts: BTreeMap<Key, BTreeMap<&'static str, Count>> = BTreeMap::new();
        for mutant in &self.mutants {
            let of = counts.entry((mutant.definition, mutant.id.clone()));
            let count = of.or_default().entry(mutant.change).or_default();
            count.add(mutant.fate);
        }
        counts
    }

    fn survivors(&self) -> impl Iterator<Item = &Mutant> {
        let all = self.mutants.iter();
        all.filter(|mutant| mutant.fate == Fate::Survived)
    }

    /// Whether at least this share was caught, in percent.
    pub(crate) fn reaches(&self, percent: u8) -> bool {
        self.count().per_mille() >= usize::from(percent) * 10
    }

    /// A table for each definition, the survivors, and the sum.
    pub(crate) fn told(&self) -> String {
        let mut told = String::new();
        for ((kind, id), changes) in self.counts() {
            let mut sum = Count::default();
            self.mutants
                .iter()
                .filter(|it| it.definition == kind && it.id == id)
                .for_each(|it| sum.add(it.fate));
            let _ = writeln!(told, "{kind} {id}: {}", share(sum));
            for (change, count) in changes {
                let _ = writeln!(told, "  {change:30} {}", share(count));
            }
        }
        if self.survivors().next().is_some() {
            let _ = writeln!(told, "\nno scenario noticed:");
        }
        for Mutant {
            file,
            line,
            column,
            change,
            id,
            path,
            ..
        } in self.survivors()
        {
            let _ = writeln!(told, "  {file}:{line}:{column}: {change}: {id}: {path}");
        }
        let count = self.count();
        told + &format!(
            "\n{} mutants: {}; {} more do not compile\n",
            count.ran(),
            share(count),
            count.refused
        )
    }
}

fn share(count: Count) -> String {
    if count.ran() == 0 {
        return "none compiles".to_owned();
    }
    let share = count.per_mille();
    format!(
        "{} of {} caught, {}.{} %",
        count.caught,
        count.ran(),
        share / 10,
        share % 10
    )
}

impl Serialize for MutationReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'r> {
            mutants: usize,
            per_mille: usize,
            #[serde(flatten)]
            count: Count,
            definitions: Vec<Definition<'r>>,
            survivors: Vec<&'r Mutant>,
        }
        #[derive(Serialize)]
        struct Definition<'r> {
            kind: &'static str,
            id: &'r str,
            changes: &'r BTreeMap<&'static str, Count>,
        }
        let (count, counts) = (self.count(), self.counts());
        let definitions =
            counts
                .iter()
                .map(|((kind, id), changes)| Definition { kind, id, changes });
        let whole = Whole {
            mutants: count.ran(),
            per_mille: count.per_mille(),
            count,
            definitions: definitions.collect(),
            survivors: self.survivors().collect(),
        };
        whole.serialize(serializer)
    }
}
