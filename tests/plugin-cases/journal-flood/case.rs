//! Looks things up by names of half a mebibyte: the journal keeps what was looked up.

use servicewright_sdk::{Fields, Instant, Result, directory};

pub(crate) fn run() -> Result<String> {
    let texts: Vec<String> = (0..500).map(|number| format!("{number:0>1000}")).collect();
    let mut found = 0;
    for since in 0..1_900 {
        let fields = Fields::new().with("labels", texts.clone());
        found += directory::alike("incident", fields, Instant::from_millis(since))?.len();
    }
    Ok(format!("{found} found"))
}
