//! What can be said about taking an adaptation to another version of its base.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use definition::upgrade::{Side, Take};

/// What to upgrade, to what, and how conflicts are resolved.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright pack upgrade ./our-pack --to itil@1.1.0 --dry-run
  wright pack upgrade ./our-pack --to itil@1.1.0 --take ours=workflows/incident/fields/impact/label
  wright pack upgrade ./our-pack --to itil@1.1.0 --skip 'incident-review*=We review elsewhere.'
  wright pack upgrade ./our-country --to ./our-group

Exit code 1 where a conflict is left or the upgraded pack would not be right; no file is changed then.")]
pub(crate) struct UpgradeArguments {
    /// The folder of the adaptation
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) pack: PathBuf,
    /// The version to extend: a folder, or one that wright ships, such as itil@1.1.0
    #[arg(long, value_name = "DIR|NAME", env = "WRIGHT_TO")]
    pub(crate) to: String,
    /// Take ours or theirs where a conflict is at PATH or within it; may be said often
    #[arg(
        long,
        value_name = "SIDE=PATH",
        env = "WRIGHT_TAKE",
        value_delimiter = ','
    )]
    pub(crate) take: Vec<Taking>,
    /// Take out what is not needed any more
    #[arg(long, env = "WRIGHT_PRUNE")]
    pub(crate) prune: bool,
    /// Skip scenarios of the new base that do not hold for the adaptation, and say why; `*` in ID
    /// stands for anything; may be said often
    #[arg(long, value_name = "ID=WHY", env = "WRIGHT_SKIP")]
    pub(crate) skip: Vec<Skipping>,
    /// Only tell what would become of each touch
    #[arg(long, env = "WRIGHT_DRY_RUN")]
    pub(crate) dry_run: bool,
}

/// `ID=WHY`, for scenarios that are not run.
#[derive(Clone, Debug)]
pub(crate) struct Skipping {
    /// Their ids, in which `*` stands for anything.
    pub(crate) scenarios: String,
    /// Why they are not run.
    pub(crate) why: String,
}

impl FromStr for Skipping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scenarios, why) = text.split_once('=').unwrap_or((text, ""));
        if scenarios.is_empty() || why.trim().is_empty() {
            return Err("say which and why: `incident-major='We do not have those.'`".to_owned());
        }
        Ok(Self {
            scenarios: scenarios.to_owned(),
            why: why.trim().to_owned(),
        })
    }
}

/// `ours=PATH` or `theirs=PATH`.
#[derive(Clone, Debug)]
pub(crate) struct Taking(pub(crate) Take);

impl FromStr for Taking {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (side, path) = text.split_once('=').unwrap_or((text, ""));
        let side = match side {
            "ours" => Side::Ours,
            "theirs" => Side::Theirs,
            _ => return Err("a side is taken by `ours=PATH` or `theirs=PATH`".to_owned()),
        };
        let path = path.trim_end_matches('/').to_owned();
        if path.is_empty() {
            return Err(format!(
                "say where: `{text}=workflows/incident/fields/impact`"
            ));
        }
        Ok(Self(Take { path, side }))
    }
}
