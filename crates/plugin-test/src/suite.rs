//! Files of cases, and the files of answers beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{Case, Error};

/// The largest file of cases, in bytes.
const MAX_BYTES: u64 = 4 << 20;
/// The most files in one folder, and the most cases in one file.
const MAX_COUNT: usize = 1000;

/// The cases of one file, in its order.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file.
    pub path: PathBuf,
    /// Its cases, by name.
    pub cases: Vec<(String, Case)>,
    /// What cases without an expectation answered when somebody last looked.
    answers: BTreeMap<String, Json>,
}

/// Reads the files of cases in a plugin's folder, in order of their names: `tests/*.yaml`.
///
/// # Errors
/// Where one cannot be read, or is not right.
pub fn read(folder: &Path) -> Result<Vec<Suite>, Error> {
    let tests = folder.join("tests");
    let entries = match std::fs::read_dir(&tests) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(Error::File { path: tests, cause }),
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .take(MAX_COUNT)
        .collect();
    files.sort();
    files.iter().map(|file| Suite::read(file)).collect()
}

impl Suite {
    fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |message: String| Error::Case {
            path: path.to_owned(),
            message,
        };
        let text = text(path)?;
        let whole: Json =
            serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let Json::Object(mut shared) = whole else {
            return Err(wrong("it is not a map with `cases`".to_owned()));
        };
        let Some(Json::Object(cases)) = shared.shift_remove("cases") else {
            return Err(wrong("it has no map `cases`, of cases by name".to_owned()));
        };
        if cases.len() > MAX_COUNT {
            return Err(wrong(format!("it has more than {MAX_COUNT} cases")));
        }
        let cases = cases.into_iter().map(|(name, case)| {
            let mut whole = Json::Object(shared.clone());
            merge(&mut whole, case);
            let case = serde_path_to_error::deserialize(&whole).map_err(|error| {
                wrong(format!(
                    "case `{name}`: {}: {}",
                    error.path(),
                    error.inner()
                ))
            })?;
            Ok((name, case))
        });
        let cases = cases.collect::<Result<_, Error>>()?;
        Ok(Self {
            answers: answers(&answers_path(path))?,
            path: path.to_owned(),
            cases,
        })
    }

    /// What a case is held to: what it expects itself, or what it answered before.
    pub(crate) fn expected(&self, name: &str, case: &Case) -> Option<Map<String, Json>> {
        case.expect.clone().or_else(|| {
            let answered = self.answers.get(name)?;
            answered.as_object().cloned()
        })
    }

    /// Keeps these outcomes as the answers of the cases that expect nothing themselves; says whether
    /// that changed anything.
    ///
    /// # Errors
    /// Where the file of answers cannot be written.
    pub fn keep(&self, outcomes: &BTreeMap<String, Json>) -> Result<bool, Error> {
        let kept: BTreeMap<&String, &Json> = self
            .cases
            .iter()
            .filter(|(_, case)| case.expect.is_none())
            .filter_map(|(name, _)| {
                Some((name, outcomes.get(name).or_else(|| self.answers.get(name))?))
            })
            .collect();
        if kept
            .iter()
            .map(|(name, answer)| (*name, *answer))
            .eq(self.answers.iter())
        {
            return Ok(false);
        }
        let path = answers_path(&self.path);
        let text = serde_json::to_string_pretty(&kept).expect("JSON can be written") + "\n";
        std::fs::write(&path, text).map_err(|cause| Error::File { path, cause })?;
        Ok(true)
    }
}

/// `tests/routing.yaml` has its answers in `tests/routing.answers.json`.
fn answers_path(path: &Path) -> PathBuf {
    path.with_extension("answers.json")
}

fn answers(path: &Path) -> Result<BTreeMap<String, Json>, Error> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    BTreeMap::deserialize(&mut serde_json::Deserializer::from_str(&text(path)?)).map_err(|error| {
        Error::Case {
            path: path.to_owned(),
            message: format!("it is not answers by case: {error}; remove it and make it anew"),
        }
    })
}

fn text(path: &Path) -> Result<String, Error> {
    let failed = |cause| Error::File {
        path: path.to_owned(),
        cause,
    };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > MAX_BYTES {
        let message = format!("it has {bytes} bytes, at most {MAX_BYTES} are read");
        return Err(Error::Case {
            path: path.to_owned(),
            message,
        });
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// Merges a patch into a document as RFC 7386 has it: maps by key, `null` removes, the rest replaces.
fn merge(document: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *document = patch;
        return;
    };
    if !document.is_object() {
        *document = Json::Object(Map::new());
    }
    let Json::Object(entries) = document else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            entries.shift_remove(&key);
        } else {
            merge(entries.entry(key).or_insert(Json::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    #[test]
    fn what_a_case_says_goes_over_what_all_say() {
        let mut document = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        merge(
            &mut document,
            json!({ "a": { "b": null, "e": 3 }, "d": [2] }),
        );
        assert_eq!(document, json!({ "a": { "c": 2, "e": 3 }, "d": [2] }));
    }
}
