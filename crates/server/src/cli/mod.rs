//! The command line: what can be said. Every flag can also be set in the environment and in
//! `wright.toml`; the nearer to the command the stronger.

mod holidays;
mod plugin;
mod secret;
mod simulate;
mod upgrade;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::definition::MigratedClocks;
use model::id::{DirectoryId, IdError, PackId, PersonId, RecordId, RoleId, TeamId, WorkflowId};
use model::{ByteSize, Duration, Instant};
use plugin_registry::{Trust, Unsigned};

pub(crate) use holidays::HolidaysArguments;
#[cfg(test)]
pub(crate) use holidays::Years;
pub(crate) use plugin::{Language, PluginCommand, Reason, RegistryArguments};
pub(crate) use secret::{KeyArgument, SecretCommand};
pub(crate) use simulate::SimulateArguments;
#[cfg(test)]
pub(crate) use upgrade::Taking;
pub(crate) use upgrade::{Skipping, UpgradeArguments};

use crate::public_url::PublicUrl;
use crate::replay::ReplayArguments;
use crate::settings;

/// Servicewright: service management run by definitions and decided by plugins
#[derive(Debug, Parser)]
#[command(
    name = "wright",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  wright serve --data /srv/desk
  wright token create --data /srv/desk --actor ada --roles agent,administrator
  wright pack lint ./our-pack

Every flag also stands in the environment as WRIGHT_…, and in wright.toml by its name.
Exit codes: 0 done, 1 refused or found wanting, 2 used wrongly."
)]
pub(crate) struct Cli {
    /// The settings file, ./wright.toml where there is one
    #[arg(long, global = true, value_name = "FILE", env = "WRIGHT_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How results are printed
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        env = "WRIGHT_FORMAT"
    )]
    pub(crate) format: Format,
    /// What is logged on standard error, such as `info` or `warn,engine=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "WRIGHT_LOG")]
    pub(crate) log: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// `pack show` alone: a workflow as a graph in Mermaid
    Graph,
    /// `pack show` alone: a workflow as a drawing
    Svg,
}

/// What `wright` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server
    Serve(ServeArguments),
    /// Definitions: check, look at and put in force
    #[command(subcommand)]
    Pack(PackCommand),
    /// Plugins: look at and keep
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Secrets of plugins, sealed in the data folder
    #[command(subcommand)]
    Secret(SecretCommand),
    /// API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Business time
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// Drives an event log of another tool through the real engine, the log's own times as the clock
    Replay(ReplayArguments),
    /// Runs recorded history under changed definitions, and tells what would have come out otherwise
    Simulate(SimulateArguments),
    /// Tells why a record is where it is: every decision, by what, from what
    Explain(ExplainArguments),
    /// Judges the promises of records again, by the definitions in force, from the same journal: as judged
    /// then and as judged now, side by side. Nothing is changed
    Clocks(ClocksArguments),
    /// Tells who is on call, now or at an instant, by whose turn or override, and until when
    OnCall(OnCallArguments),
    /// Holds every record against its journal, and the journal against its hashes
    Verify(DataArgument),
    /// Compiles a plugin from standard input to standard output: what a server runs for each
    #[command(hide = true)]
    CompilePlugin,
    /// Prints completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Where the data lies.
#[derive(Args, Debug)]
pub(crate) struct DataArgument {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "data", env = "WRIGHT_DATA")]
    pub(crate) data: PathBuf,
}

/// Whose components may be used.
#[derive(Args, Debug)]
pub(crate) struct TrustArguments {
    /// The folder of the public keys whose signatures count: NAME.pub is the key of NAME
    #[arg(long, value_name = "DIR", env = "WRIGHT_SIGNERS")]
    pub(crate) signers: Option<PathBuf>,
    /// Whether components that none of them has signed may be used; without it they may where no
    /// --signers are named
    #[arg(long, value_enum, value_name = "POLICY", env = "WRIGHT_UNSIGNED")]
    pub(crate) unsigned: Option<UnsignedComponents>,
}

impl TrustArguments {
    /// The policy that they come to.
    pub(crate) fn policy(&self) -> Trust {
        let unsigned = self.unsigned.map(|unsigned| match unsigned {
            UnsignedComponents::Allow => Unsigned::Allow,
            UnsignedComponents::Refuse => Unsigned::Refuse,
        });
        Trust::new(self.signers.clone(), unsigned)
    }
}

/// What becomes of components that nobody trusted has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnsignedComponents {
    /// They may be used
    Allow,
    /// They are refused
    Refuse,
}

/// How to serve.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright serve
  wright serve --data /srv/desk --listen 0.0.0.0:8080 --secrets /etc/wright/secrets.toml
  wright serve --signers /etc/wright/signers --unsigned refuse

When it is ready it prints one line on standard output: listening on http://ADDRESS")]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) data: DataArgument,
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "WRIGHT_LISTEN"
    )]
    pub(crate) listen: SocketAddr,
    /// Where people find the desk, such as <https://desk.example>: links to records in notices begin so
    #[arg(long, value_name = "URL", env = "WRIGHT_PUBLIC_URL")]
    pub(crate) public_url: Option<PublicUrl>,
    /// The folder for compiled plugins, `plugin-cache` in the data folder without it
    #[arg(long, value_name = "DIR", env = "WRIGHT_PLUGIN_CACHE")]
    pub(crate) plugin_cache: Option<PathBuf>,
    /// The most seconds that compiling a plugin may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 180,
        value_parser = clap::value_parser!(u32).range(1..=3600),
        env = "WRIGHT_PLUGIN_COMPILE_TIME"
    )]
    pub(crate) plugin_compile_time: u32,
    /// Secrets of plugins, `binding.name = "value"`, in a file that only its owner can read;
    /// `WRIGHT_SECRET_BINDING__NAME` in the environment without it
    #[arg(long, value_name = "FILE", env = "WRIGHT_SECRETS")]
    pub(crate) secrets: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
    #[command(flatten)]
    pub(crate) key: KeyArgument,
    /// The most that the key-value space of a plugin may hold, whatever its binding grants
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "16MiB",
        env = "WRIGHT_PLUGIN_SPACE"
    )]
    pub(crate) plugin_space: ByteSize,
    /// Where traces, metrics and logs are sent by OTLP over HTTP, such as <http://127.0.0.1:4318>;
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` does the same
    #[arg(long, value_name = "URL", env = "WRIGHT_OTLP_ENDPOINT")]
    pub(crate) otlp_endpoint: Option<String>,
    /// For tests alone: the server takes the time to be so much later than the machine says
    #[arg(
        long,
        hide = true,
        value_name = "DURATION",
        env = "WRIGHT_TEST_CLOCK_AHEAD"
    )]
    pub(crate) test_clock_ahead: Option<Duration>,
}

/// What is done with packs.
#[derive(Debug, Subcommand)]
pub(crate) enum PackCommand {
    /// Says what is wrong with a pack, by file, line and column
    #[command(after_help = "Examples:
  wright pack lint ./our-pack
  wright pack lint itil --format json
  wright pack lint ./our-pack --directory ./our-people

Exit code 1 where there is an error; warnings alone are no reason.
`wright pack rules` tells what is looked for, and how to silence a warning with a reason.")]
    Lint {
        /// The folder of the pack, or the name of one that wright ships
        #[arg(value_name = "DIR|NAME", default_value = ".")]
        pack: String,
        /// Hold the pack against the directory in this folder: user.json, team.json and so on, each the
        /// things of a kind by id
        #[arg(long, value_name = "FOLDER", env = "WRIGHT_DIRECTORY")]
        directory: Option<PathBuf>,
    },
    /// Tells the rules that packs are held to: what each finds, why, and what would be right
    #[command(after_help = "Examples:
  wright pack rules
  wright pack rules dead-end")]
    Rules {
        /// The id of a rule, such as dead-end; all of them without it
        rule: Option<String>,
    },
    /// Brings the files of a pack into one style; comments and what they say stay
    #[command(after_help = "Examples:
  wright pack fmt ./our-pack
  wright pack fmt ./our-pack --check

With --check nothing is written, and the exit code is 1 where a file is in another style.")]
    Fmt {
        /// The folder of the pack
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Only say which files are in another style
        #[arg(long, env = "WRIGHT_CHECK")]
        check: bool,
    },
    /// Begins a pack, or an adaptation of one, in a new folder
    #[command(after_help = "Examples:
  wright pack new our-desk --extends itil
  wright pack new our-desk --extends itil@1.0.0
  wright pack new our-desk --extends ./group-pack
  wright pack new our-own")]
    New {
        /// Its name, which is also that of the folder
        name: PackId,
        /// The pack to adapt: a shipped one, at this version where one is said, or that in a folder
        #[arg(long, value_name = "PACK[@VERSION]|DIR", env = "WRIGHT_EXTENDS")]
        extends: Option<String>,
    },
    /// Prints what definitions come to, every adaptation laid over what it adapts
    #[command(after_help = "Examples:
  wright pack show incident --explain
  wright pack show incident --pack itil
  wright pack show incident --pack itil --format graph
  wright pack show incident --pack itil --format svg > incident.svg")]
    Show {
        /// The id of a definition, such as incident
        id: String,
        /// The folder of the pack, or the name of one that wright ships
        #[arg(
            long,
            value_name = "DIR|NAME",
            default_value = ".",
            env = "WRIGHT_PACK"
        )]
        pack: String,
        /// Say of each line which pack it comes from
        #[arg(long, env = "WRIGHT_EXPLAIN")]
        explain: bool,
    },
    /// Runs the scenarios of a pack in virtual time, with its plugins
    Test(PackTestArguments),
    /// Takes an adaptation to another version of the pack that it extends
    Upgrade(UpgradeArguments),
    /// Tells what differs between two packs, path by path
    #[command(after_help = "Examples:
  wright pack diff itil@1.0.0 itil
  wright pack diff itil ./our-pack --format json")]
    Diff {
        /// The folder of the old pack, or the name of one that wright ships
        #[arg(value_name = "OLD")]
        old: String,
        /// The folder of the new pack, or the name of one that wright ships
        #[arg(value_name = "NEW")]
        new: String,
    },
    /// Puts a pack in force, with its plugins
    #[command(after_help = "Examples:
  wright pack install itil
  wright pack install ./our-pack --data /srv/desk")]
    Install {
        /// The folder of the pack, or the name of one that wright ships
        #[arg(value_name = "DIR|NAME")]
        pack: String,
        #[command(flatten)]
        data: DataArgument,
        #[command(flatten)]
        trust: TrustArguments,
    },
    /// Moves the records in flight of a workflow to the version in force
    Migrate(MigrateArguments),
    /// Puts the version of a pack in force again that was in force before its last installation; said
    /// twice, it is in force as before. Records stay with the versions that they began under
    #[command(after_help = "Example:
  wright pack rollback itil --data /srv/desk")]
    Rollback {
        /// The id of the pack
        pack: PackId,
        #[command(flatten)]
        data: DataArgument,
        #[command(flatten)]
        trust: TrustArguments,
    },
    /// Tells every change of what is in force: when, by whom, and the plugins that it bound, each with
    /// its digest, who vouched for it and what it was granted
    #[command(after_help = "Example:
  wright pack history --data /srv/desk --format json")]
    History(DataArgument),
}

/// Which records to move, and how.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright pack migrate incident --dry-run
  wright pack migrate incident --data /srv/desk

Records keep the version of their workflow that they began under until they are moved. States and
fields that both versions have stay as they are; a definition `kind: Migration` says what becomes of
the others. Records that cannot be moved are listed and left as they are, and the exit code is 1.
It can be broken off at any time and begun again. After `wright pack rollback` it moves records back.")]
pub(crate) struct MigrateArguments {
    /// The workflow
    pub(crate) workflow: WorkflowId,
    /// Only say what would become of each record
    #[arg(long, env = "WRIGHT_DRY_RUN")]
    pub(crate) dry_run: bool,
    /// What becomes of running clocks, where not what the migration says
    #[arg(long, value_enum, env = "WRIGHT_CLOCKS")]
    pub(crate) clocks: Option<Clocks>,
    /// How many records are looked at at a time
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 500,
        env = "WRIGHT_BATCH"
    )]
    pub(crate) batch: usize,
    #[command(flatten)]
    pub(crate) data: DataArgument,
}

/// What becomes of running clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clocks {
    /// They run on as they were promised
    Keep,
    /// What has been used is counted anew by the service level and calendar in force
    Recompute,
}

impl From<Clocks> for MigratedClocks {
    fn from(clocks: Clocks) -> Self {
        match clocks {
            Clocks::Keep => Self::Keep,
            Clocks::Recompute => Self::Recompute,
        }
    }
}

/// Which scenarios are run, and how.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright pack test ./our-pack
  wright pack test itil --only 'incident-*' --junit report.xml
  wright pack test ./our-pack --mutants --at-least 90

Exit code 1 where a scenario fails, or where too few mutants are caught. docs/scenarios.md has all that
a scenario may say.")]
pub(crate) struct PackTestArguments {
    /// The folder of the pack, or the name of one that wright ships
    #[arg(value_name = "DIR|NAME", default_value = ".")]
    pub(crate) pack: String,
    /// Only scenarios of this id; `*` stands for anything
    #[arg(long, value_name = "PATTERN", env = "WRIGHT_ONLY")]
    pub(crate) only: Option<String>,
    /// A file for the report in the XML of `JUnit`
    #[arg(long, value_name = "FILE", env = "WRIGHT_JUNIT")]
    pub(crate) junit: Option<PathBuf>,
    /// Break one thing at a time in a copy of the definitions, and say which breaks no scenario noticed
    #[arg(long, env = "WRIGHT_MUTANTS")]
    pub(crate) mutants: bool,
    /// With --mutants: the least share to be caught, in percent
    #[arg(
        long,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u8).range(0..=100),
        requires = "mutants",
        env = "WRIGHT_AT_LEAST"
    )]
    pub(crate) at_least: Option<u8>,
}

/// What is done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token and prints it, this once
    #[command(after_help = "Example:
  wright token create --actor ada --roles agent,administrator --expires P30D")]
    Create {
        #[command(flatten)]
        data: DataArgument,
        /// The person it stands for
        #[arg(long, value_name = "PERSON", env = "WRIGHT_ACTOR")]
        actor: PersonId,
        /// The roles it gives beside those of the directory, with commas between them
        #[arg(long, value_name = "ROLES", default_value = "", env = "WRIGHT_ROLES")]
        roles: Roles,
        /// What it is for, in your words
        #[arg(long, value_name = "TITLE", default_value = "", env = "WRIGHT_TITLE")]
        title: String,
        /// How long it holds, such as P30D or PT8H; for ever without it
        #[arg(long, value_name = "DURATION", env = "WRIGHT_EXPIRES")]
        expires: Option<Duration>,
    },
    /// Ends a token, which is read from standard input
    Revoke(DataArgument),
    /// Ends every link for a vote that was given out: the key that they are signed with is made anew
    #[command(
        after_help = "Those who are asked get new links with the next reminder, and vote as before meanwhile.
A server that runs has the key of the secrets; without one, it is given like to the server."
    )]
    RevokeVoteLinks {
        #[command(flatten)]
        key: KeyArgument,
        #[command(flatten)]
        data: DataArgument,
    },
}

/// What is done with calendars.
#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Answers questions about business time: JSON Lines on standard input, an answer a line
    #[command(
        after_help = r#"Each line is {"calendar": {…}, "start": T, "add": "PT8H"} or {…, "start": T, "end": T};
its answer {"due": T}, {"elapsed_s": N} or {"error": …}."#
    )]
    Eval,
    /// Writes holidays that calendars can use, from the whole days of an iCalendar file
    Import(HolidaysArguments),
}

/// What to explain.
#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    /// The number of the record, such as INC-1042
    pub(crate) record: RecordId,
    #[command(flatten)]
    pub(crate) data: DataArgument,
}

/// Whose clocks to judge again.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright clocks INC-1042
  wright clocks --workflow incident --since 2026-03-01T00:00:00Z --format json

Without records, those are told that come to something else now, or could not be judged in full.")]
pub(crate) struct ClocksArguments {
    /// The numbers of records, such as INC-1042; all that are asked for by the flags without them
    #[arg(value_name = "RECORD")]
    pub(crate) records: Vec<RecordId>,
    /// Those of this workflow
    #[arg(long, conflicts_with = "records", env = "WRIGHT_WORKFLOW")]
    pub(crate) workflow: Option<WorkflowId>,
    /// Those that changed at or after this instant
    #[arg(
        long,
        value_name = "INSTANT",
        conflicts_with = "records",
        env = "WRIGHT_SINCE"
    )]
    pub(crate) since: Option<Instant>,
    #[command(flatten)]
    pub(crate) data: DataArgument,
}

/// By which rotas, and when.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright on-call
  wright on-call network --at 2026-03-29T03:00:00Z
  wright on-call --team network --format json")]
pub(crate) struct OnCallArguments {
    /// The rota; all of them, or all of the team, without it
    #[arg(value_name = "ROTA")]
    pub(crate) rota: Option<DirectoryId>,
    /// Those of this team
    #[arg(long, env = "WRIGHT_TEAM")]
    pub(crate) team: Option<TeamId>,
    /// At this instant; now without it
    #[arg(long, value_name = "INSTANT", env = "WRIGHT_AT")]
    pub(crate) at: Option<Instant>,
    #[command(flatten)]
    pub(crate) data: DataArgument,
}

/// Roles, with commas between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Roles(pub(crate) BTreeSet<RoleId>);

impl FromStr for Roles {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let roles = text
            .split(',')
            .map(str::trim)
            .filter(|role| !role.is_empty());
        roles.map(RoleId::new).collect::<Result<_, _>>().map(Self)
    }
}

/// Reads a command line, with the settings file below it.
///
/// # Errors
/// Where it is used wrongly, and for help and version, which end it too.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let command = settings::apply(Cli::command(), arguments)?;
    Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory as _;

    use super::{Cli, Command, parse};

    fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        parse(&arguments)
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_stands_in_the_environment() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let Some(long) = argument.get_long() else {
                    continue;
                };
                if ["help", "version"].contains(&long) {
                    continue;
                }
                let expected = format!("WRIGHT_{}", long.replace('-', "_").to_uppercase());
                let variable = argument
                    .get_env()
                    .map(|name| name.to_string_lossy().into_owned());
                assert_eq!(variable, Some(expected), "{} --{long}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn the_settings_file_stands_below_the_command_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("desk.toml");
        std::fs::write(&file, "data = \"/srv/desk\"\nlisten = \"127.0.0.1:9000\"\n")
            .expect("written");
        let file = file.to_str().expect("a path of text");
        let cli = read(&[
            "wright",
            "--config",
            file,
            "serve",
            "--listen",
            "127.0.0.1:7000",
        ]);
        let Ok(Command::Serve(serve)) = cli.map(|cli| cli.command) else {
            panic!("it should serve");
        };
        assert_eq!(serve.data.data.to_str(), Some("/srv/desk"));
        assert_eq!(serve.listen.port(), 7000);

        std::fs::write(file, "dtaa = \"/srv/desk\"\n").expect("written");
        let error = read(&["wright", "--config", file, "serve"]).expect_err("no such flag");
        assert!(error.to_string().contains("did you mean `data`"), "{error}");
    }

    #[test]
    fn a_token_may_have_no_roles() {
        let line = [
            "wright", "token", "create", "--actor", "rita", "--roles", "",
        ];
        assert!(read(&line).is_ok());
        let line = [
            "wright", "token", "create", "--actor", "rita", "--roles", "Big Boss",
        ];
        let error = read(&line).expect_err("no role");
        assert_eq!(error.exit_code(), 2);
    }
}
