//! `wright pack test`: the scenarios of a pack, run, and how many breaks in it they would notice.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use definition::lint::lint;
use definition::pack::Pack;
use serde_json::json;

use super::install::files;
use super::{Outcome, block_on, print};
use crate::cli::{Format, PackTestArguments};
use crate::desk::compiler;
use crate::scenario::Bench;

pub(super) fn run(arguments: &PackTestArguments, format: Format) -> Result<Outcome> {
    let files = files(&arguments.pack)?;
    let pack = Pack::read(&files.texts)?;
    let found = lint(&pack);
    if found.has_errors() {
        bail!("the pack is not right:\n{found}");
    }
    block_on(async {
        let mut bench = Bench::new(&pack, &files, Some(Arc::new(compiler))).await?;
        if let Some(pattern) = &arguments.only {
            bench.only(pattern);
        }
        if arguments.mutants {
            return mutants(arguments, &bench, &pack, format).await;
        }
        let report = bench.run().await;
        if report.ran.is_empty() {
            match &arguments.only {
                Some(pattern) => bail!("no scenario of {} is called `{pattern}`", pack.id),
                None => bail!(
                    "the pack {} has no scenarios: write some to its folder `scenarios`",
                    pack.id
                ),
            }
        }
        if let Some(junit) = &arguments.junit {
            std::fs::write(junit, report.junit(pack.id.as_str()))
                .with_context(|| format!("cannot write {}", junit.display()))?;
        }
        let result = json!({
            "pack": pack.id, "version": pack.header.version, "digest": pack.digest,
            "passed": report.passed(), "failed": report.failed(), "skipped": report.skipped(),
            "scenarios": report.ran,
        });
        print(format, &result, || report.told())?;
        Ok(Outcome::done_if(report.failed() == 0))
    })
}

async fn mutants(
    arguments: &PackTestArguments,
    bench: &Bench,
    pack: &Pack,
    format: Format,
) -> Result<Outcome> {
    let found = bench.mutants(pack).await?;
    print(format, &found, || found.told())?;
    let least = arguments.at_least.unwrap_or(0);
    Ok(Outcome::done_if(found.reaches(least)))
}
