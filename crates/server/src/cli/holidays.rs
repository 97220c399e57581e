//! What can be said of `wright calendar import`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use model::id::HolidaysId;

/// The most years at a time.
const MAX_YEARS: i32 = 50;

/// Which holidays, and where they go.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright calendar import belgium.ics --id belgium --years 2026-2028 > holidays/belgium.yaml
  wright calendar import belgium.ics --id belgium --years 2026-2028 --pack ./our-pack --replace

A calendar then says `use: { belgium: true }`. What is no whole day is passed over, and told on standard
error with the reason. Exit code 1 where nothing was left.")]
pub(crate) struct HolidaysArguments {
    /// The iCalendar file
    #[arg(value_name = "FILE.ics")]
    pub(crate) file: PathBuf,
    /// The id by which calendars use them, such as belgium
    #[arg(long, env = "WRIGHT_ID")]
    pub(crate) id: HolidaysId,
    /// The years that are written, such as 2026 or 2026-2028
    #[arg(long, value_name = "YEAR[-YEAR]", env = "WRIGHT_YEARS")]
    pub(crate) years: Years,
    /// What people call them
    #[arg(long, env = "WRIGHT_TITLE")]
    pub(crate) title: Option<String>,
    /// The folder of the pack in whose holidays/ID.yaml they are written; standard output without it
    #[arg(long, value_name = "DIR", env = "WRIGHT_PACK")]
    pub(crate) pack: Option<PathBuf>,
    /// Write over a file that is there already
    #[arg(long, requires = "pack", env = "WRIGHT_REPLACE")]
    pub(crate) replace: bool,
}

/// A span of years, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Years {
    pub(crate) first: i32,
    pub(crate) last: i32,
}

impl FromStr for Years {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let year = |text: &str| {
            text.parse()
                .ok()
                .filter(|year| (1900..=2200).contains(year))
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (year(first), year(last)) {
            (Some(first), Some(last)) if first <= last && last - first < MAX_YEARS => {
                Ok(Self { first, last })
            }
            _ => Err(format!(
                "`{text}` is neither a year, such as 2026, nor a span of at most {MAX_YEARS} years, such as 2026-2028"
            )),
        }
    }
}
