//! The server: started, killed, stopped, started again on the same folder.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::Client;

/// How long a server may take until it is ready: the first one compiles the plugins.
const READY: Duration = Duration::from_mins(2);
/// How long a server may take to end.
const ENDED: Duration = Duration::from_mins(1);
/// So many of the last lines of its log are kept.
const LINES: usize = 400;

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    plugin_cache: Option<PathBuf>,
}

impl Setup {
    /// As it comes.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these arguments more.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|text| (*text).to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// With this variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another folder for compiled plugins than the one that all stories share.
    #[must_use]
    pub fn plugin_cache(mut self, folder: &Path) -> Self {
        self.plugin_cache = Some(folder.to_owned());
        self
    }

    /// Starts it on a new data folder, and waits until it is ready.
    pub fn start(self) -> Server {
        let folder = tempfile::Builder::new()
            .prefix("wright-story-")
            .tempdir()
            .expect("a folder for the data");
        let mut server = Server {
            folder,
            setup: self,
            process: None,
            address: Arc::default(),
            log: Arc::default(),
        };
        server.begin();
        server
    }
}

/// A server with a data folder of its own. Both go when it is dropped.
pub struct Server {
    folder: TempDir,
    setup: Setup,
    process: Option<Child>,
    address: Arc<Mutex<String>>,
    log: Arc<Mutex<VecDeque<String>>>,
}

impl Server {
    /// Starts one on a new data folder, with the itil pack, and waits until it is ready.
    pub fn start() -> Self {
        Setup::new().start()
    }

    fn begin(&mut self) {
        // Compiled plugins are shared by all stories: the first server makes them, alone.
        static FIRST: Mutex<bool> = Mutex::new(false);
        let mut is_warm = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_warm {
            drop(is_warm);
            self.begin_now();
        } else {
            self.begin_now();
            *is_warm = true;
        }
    }

    fn begin_now(&mut self) {
        let mut command = Command::new(binary());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .arg("--plugin-cache")
            .arg(self.setup.plugin_cache.clone().unwrap_or_else(plugin_cache))
            .args(&self.setup.arguments)
            .envs(
                self.setup
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()));
        let errors = process.stderr.take().expect("it is piped");
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || keep(errors, &log));
        let output = process.stdout.take().expect("it is piped");
        let (sender, first_line) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Only the first line is waited for.
                let _ = sender.send(line);
            }
        });
        self.process = Some(process);
        let Ok(line) = first_line.recv_timeout(READY) else {
            panic!("the server did not get ready:\n{}", self.log());
        };
        let address = line
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("not the line of a server that is ready: {line}"));
        address.clone_into(&mut locked(&self.address));
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Where it answers, such as `http://127.0.0.1:41234`; another place after each start.
    pub fn address(&self) -> String {
        locked(&self.address).clone()
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("it is running").id()
    }

    /// A token for a person with these roles, with commas between them.
    pub fn token(&self, person: &str, roles: &str) -> String {
        let output = self.wright(&["token", "create", "--actor", person, "--roles", roles]);
        said(&output).trim().to_owned()
    }

    /// A client that acts as this person with these roles. It finds the server after restarts too.
    pub fn client(&self, person: &str, roles: &str) -> Client {
        self.client_with(&self.token(person, roles))
    }

    /// A client with this token; an empty one sends none.
    pub fn client_with(&self, token: &str) -> Client {
        Client::new(Arc::clone(&self.address), token)
    }

    /// Runs another command on the same data folder, whether the server runs or not.
    pub fn wright(&self, arguments: &[&str]) -> Output {
        Command::new(binary())
            .args(arguments)
            .env("WRIGHT_DATA", self.data())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", binary().display()))
    }

    /// Ends it where it stands, like a power cut for the process.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it is running");
        process.kill().expect("it can be killed");
        process.wait().expect("it has ended");
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it is running");
        let asked = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status();
        assert!(
            asked.is_ok_and(|status| status.success()),
            "it cannot be asked to stop"
        );
        let begun = Instant::now();
        loop {
            if let Some(status) = process.try_wait().expect("it can be waited for") {
                return status;
            }
            if begun.elapsed() > ENDED {
                let _ = process.kill();
                panic!("the server did not stop:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Gives it this variable from its next start on.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        let variable = (name.to_owned(), value.to_owned());
        self.setup.environment.push(variable);
    }

    /// Starts it on its folder again, and waits until it is ready.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "it is still running");
        self.begin();
    }

    /// The last lines that it logged.
    pub fn log(&self) -> String {
        let lines = locked(&self.log);
        lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            eprintln!(
                "--- the server's log ---\n{}--- end of the log ---",
                self.log()
            );
        }
    }
}

/// What a command printed, which must have succeeded.
fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a command failed ({}): {errors}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn keep(errors: impl Read, log: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        let mut log = locked(log);
        if log.len() == LINES {
            log.pop_front();
        }
        log.push_back(line);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `wright`: the one that `WRIGHT_BIN` names, else the one that was built beside the tests.
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("WRIGHT_BIN") {
        return PathBuf::from(named);
    }
    let name = format!("wright{}", std::env::consts::EXE_SUFFIX);
    let built = beside_tests().join(name);
    assert!(
        built.exists(),
        "{} is not there: run `cargo xtask build` before, or name a binary with WRIGHT_BIN",
        built.display()
    );
    built
}

/// `<target>/<profile>`, found from `<target>/<profile>/deps/<test>`, or from an example or binary.
fn beside_tests() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own file");
    let folder = own.parent().expect("a file stands in a folder");
    let is_inner = folder.ends_with("deps") || folder.ends_with("examples");
    let profile = if is_inner {
        folder.parent()
    } else {
        Some(folder)
    };
    profile.expect("a folder of cargo's").to_owned()
}

fn plugin_cache() -> PathBuf {
    beside_tests().join("story-plugin-cache")
}

/// A plugin that only tests use, as `cargo xtask build` leaves it.
pub fn plugin_case(name: &str) -> PathBuf {
    let target = beside_tests();
    let target = target
        .parent()
        .expect("a profile stands in a target folder");
    let case = target
        .join("plugin-cases")
        .join(name)
        .with_extension("wasm");
    assert!(
        case.exists(),
        "{} is not there: run `cargo xtask build --plugins` before",
        case.display()
    );
    case
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the root")
}
