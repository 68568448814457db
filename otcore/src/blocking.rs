//! The same scan for callers without a runtime. Both bindings wrap this and nothing else.

mod config;
mod documents;
mod drive;
mod inventory;
mod log;
mod offline;
mod packs;
#[cfg(any(test, feature = "sim"))]
mod plant;
mod process;
mod quarantine;
mod reader;
mod shared;
mod store;
mod told;
mod tree;
mod turns;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::gate::Pcapng;
use crate::gate::journal::{Journal, Journals, JsonLines};
use crate::gate::memory::InFile;
use crate::gate::policy::Policy;
use crate::safety::Level;
use crate::scan::{self, Event, Handle, Plan, Report};
use crate::targets::Targets;

pub use config::Config;
pub use documents::{diff, export, join, read, redecode};
pub use inventory::Inventory;
pub use log::{Log, Severity};
pub use offline::{explain, policy};
pub use packs::{Packs, PacksStatus};
#[cfg(any(test, feature = "sim"))]
pub use plant::Plant;
pub use quarantine::Memory;
pub use shared::{SharedScan, Status};
pub use store::Store;
pub use told::told;
pub use tree::Tree;

use drive::Drive;
use process::Home;
use reader::Reader;
use turns::Deadline;

/// Who scans and what may be done, all as text: what a binding hands in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'a> {
    /// The policy as TOML, or as JSON if it begins with `{`. Default: [`Policy::gentle`].
    pub policy: Option<&'a str>,
    /// How deep every protocol is asked, unless a rule of the policy says otherwise. Default: as
    /// the policy says.
    pub level: Option<&'a str>,
    /// The protocols that are used. Default: all that the policy enables.
    pub protocols: &'a [String],
    /// The network the addresses live in. Default: `default`.
    pub zone: Option<&'a str>,
    /// Who looks. Default: `otcore`.
    pub source: Option<&'a str>,
    /// The file that everything sent and received is appended to as JSON lines. Default: none.
    pub journal: Option<&'a str>,
    /// The file that the same is appended to as a capture (pcapng). Default: none.
    pub capture: Option<&'a str>,
    /// The file that remembers devices between runs, such as those in quarantine. Default: none,
    /// they are remembered as long as the scanner lives.
    pub memory: Option<&'a str>,
}

/// Plans and starts scans of targets given as text.
///
/// ```
/// use otcore::blocking::{Scanner, Settings};
///
/// let scanner = Scanner::new(&Settings { zone: Some("line-3"), ..Settings::default() })?;
/// let plan = scanner.plan("10.20.4.0/24 modbus://10.20.9.7?unit=5")?; // nothing is sent
/// assert_eq!(plan.devices, 257);
/// # Ok::<(), otcore::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scanner(scan::Scanner);

impl Scanner {
    /// Check everything and make the scanner.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`] for a wrong policy, level or protocol, [`ErrorKind::Naming`] for a wrong zone or
    /// source, [`ErrorKind::File`] if the journal, the capture or the memory cannot be opened.
    pub fn new(settings: &Settings<'_>) -> Result<Self, Error> {
        let builder = builder(settings)?.journal(Journals(journals(settings)?));
        let builder = match settings.memory {
            Some(path) => builder.memory(InFile::open(path).map_err(in_file)?),
            None => builder,
        };
        Ok(Self(builder.build()?))
    }

    /// The same scanner, which calls devices by what is in use of `packs` when a scan starts.
    #[must_use]
    pub fn with_packs(self, packs: &Packs) -> Self {
        Self(self.0.with_shelf(packs.shelf()))
    }

    /// What would be sent to whom. Names are resolved, nothing else is sent. The text never names
    /// a file to read targets from.
    ///
    /// # Errors
    /// [`ErrorKind::Target`], [`ErrorKind::Name`] or [`ErrorKind::EmptyScope`].
    pub fn plan(&self, targets: &str) -> Result<Plan, Error> {
        let mut targets = Targets::try_from(vec![targets.to_owned()])?;
        crate::net::resolve(&mut targets)?;
        self.0.plan(&targets)
    }

    /// Plan, and carry the plan out.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan), and [`ErrorKind::Internal`] if the system gives no thread.
    pub fn start(&self, targets: &str) -> Result<Scan, Error> {
        self.carry_out(self.plan(targets)?)
    }

    /// Carry out a plan.
    ///
    /// # Errors
    /// As for [`Scan::start`].
    pub fn carry_out(&self, plan: Plan) -> Result<Scan, Error> {
        Scan::start(&self.0, plan)
    }

    /// What may be done.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.0.policy()
    }
}

/// What waiting for an event came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Next {
    /// Something happened.
    Event(Event),
    /// Nothing yet; ask again.
    Pending,
    /// Nothing will.
    End,
}

impl From<Option<Event>> for Next {
    fn from(event: Option<Event>) -> Self {
        event.map_or(Self::End, Self::Event)
    }
}

/// A scan with its own runtime of one thread. Every method takes `&self`, so any thread may abort
/// it. Events have one reader at a time; another one waits for its turn.
///
/// A copy of the process, as `fork` makes it, has none of its threads: there the scan is over, and
/// `finish` says so.
///
/// # Panics
/// In asynchronous code, where no thread may wait: `next` and `finish` do, and dropping it does. There is
/// [`crate::Scan`] for that.
pub struct Scan {
    home: Home,
    work: Arc<Work>,
}

struct Work {
    handle: Handle,
    state: Mutex<State>,
    drive: Drive,
}

enum State {
    Running(Reader),
    Finished(Arc<Report>),
    /// The engine panicked, which it told whoever waited then.
    Broken,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("handle", &self.work.handle).finish_non_exhaustive()
    }
}

impl Scan {
    /// Carry out `plan`. The one thread of the scan ends with it.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use otcore::blocking::{Next, Scan};
    /// use otcore::{Scanner, Targets};
    ///
    /// let scanner = Scanner::builder().build()?;
    /// let plan = scanner.plan(&"192.168.1.0/28".parse::<Targets>()?)?;
    /// let scan = Scan::start(&scanner, plan)?;
    /// while !matches!(scan.next(Duration::from_millis(100)), Next::End) {}
    /// println!("{} devices", scan.finish()?.assets.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the system gives no thread, [`ErrorKind::Process`] in a copy of a
    /// process that has scanned.
    pub fn start(scanner: &scan::Scanner, plan: Plan) -> Result<Self, Error> {
        let home = Home::here()?;
        let drive = Drive::start("otcore")?;
        let scan = drive.inside(|| scanner.start(plan));
        let (handle, state) = (scan.handle(), Mutex::new(State::Running(Reader::of(scan))));
        Ok(Self { home, work: Arc::new(Work { handle, state, drive }) })
    }

    /// Wait at most `patience` for the next event.
    pub fn next(&self, patience: Duration) -> Next {
        if self.home.check().is_err() {
            return Next::End;
        }
        let mut state = self.state();
        match &mut *state {
            State::Running(reader) => reader.next(&self.work.drive, Deadline::after(patience)),
            _ => Next::End,
        }
    }

    /// No SYN and no payload leaves once this returns. What was found stays.
    pub fn abort(&self) {
        if self.home.check().is_ok() {
            self.work.handle.abort();
        }
    }

    /// What stops, pauses and resumes the scan from anywhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.work.handle.clone()
    }

    /// Wait for the end and take what was found; every further call gives the same. Events that
    /// nobody read are dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if an earlier call ended in a panic of the engine,
    /// [`ErrorKind::Process`] in a copy of the process that scans.
    ///
    /// # Panics
    /// If the engine does, and in asynchronous code, after which nothing is lost.
    pub fn finish(&self) -> Result<Arc<Report>, Error> {
        self.home.check()?;
        let mut state = self.state();
        self.work.drive.block_on(async {}); // panics where no thread may wait
        let report = match std::mem::replace(&mut *state, State::Broken) {
            State::Running(reader) => Arc::new(reader.finish(&self.work.drive)),
            State::Finished(report) => report,
            State::Broken => return Err(Error::new(ErrorKind::Internal, "the scan broke down")),
        };
        *state = State::Finished(Arc::clone(&report));
        Ok(report)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.work.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.home.keep_elsewhere(&self.work);
    }
}

/// Any object of the engine as JSON, the same from every binding.
///
/// # Errors
/// [`ErrorKind::Internal`] if it has no form in JSON.
pub fn json(object: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(object).map_err(|e| Error::new(ErrorKind::Internal, e))
}

/// A scanner as far as no file is needed for it.
fn builder(settings: &Settings<'_>) -> Result<scan::Builder, Error> {
    let builder = scan::Scanner::builder()
        .policy(policy_of(settings)?)
        .zone(settings.zone.map(str::parse).transpose()?.unwrap_or_default())
        .source(settings.source.map(str::parse).transpose()?.unwrap_or_default());
    Ok(settings.protocols.iter().fold(builder, |b, name| b.protocol(name)))
}

fn policy_of(settings: &Settings<'_>) -> Result<Policy, Error> {
    let mut policy = settings.policy.map_or_else(|| Ok(Policy::gentle()), policy)?;
    if let Some(level) = settings.level {
        let level: Level = level.parse().map_err(|e| Error::new(ErrorKind::Policy, e))?;
        policy.protocols.values_mut().for_each(|protocol| protocol.level = level);
    }
    Ok(policy)
}

fn journals(settings: &Settings<'_>) -> Result<Vec<Box<dyn Journal>>, Error> {
    if settings.journal.is_some() && settings.journal == settings.capture {
        let why = "journal and capture are the same file: name two";
        return Err(Error::new(ErrorKind::File, why));
    }
    let mut journals: Vec<Box<dyn Journal>> = Vec::new();
    if let Some(path) = settings.journal {
        journals.push(Box::new(JsonLines::append_to(path).map_err(in_file)?));
    }
    if let Some(path) = settings.capture {
        journals.push(Box::new(Pcapng::append_to(path).map_err(in_file)?));
    }
    Ok(journals)
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn in_file(error: io::Error) -> Error {
    Error::new(ErrorKind::File, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn kind<T: fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
        result.unwrap_err().kind()
    }

    fn gentle() -> Scanner {
        Scanner::new(&Settings::default()).unwrap()
    }

    #[test]
    fn a_policy_is_read_as_toml_and_as_json() {
        for policy in ["profile = \"careful\"", " { \"profile\": \"careful\" }"] {
            let scanner =
                Scanner::new(&Settings { policy: Some(policy), ..Settings::default() }).unwrap();
            assert_eq!(scanner.plan("10.0.0.7").unwrap().profile.name(), "careful");
        }
    }

    #[test]
    fn a_level_holds_for_every_protocol() {
        let deep = Settings { level: Some("structure"), ..Settings::default() };
        let plan = Scanner::new(&deep).unwrap().plan("10.0.0.7").unwrap();
        let mut levels = plan.stops.iter().flat_map(|stop| &stop.conversations).map(|c| c.level);
        assert!(levels.all(|level| level == Level::Structure));
    }

    #[test]
    fn every_wrong_text_is_an_error_of_its_kind() {
        let with = |settings| kind(Scanner::new(&settings));
        let none = Settings::default();
        assert_eq!(with(Settings { policy: Some("profil = 1"), ..none }), ErrorKind::Policy);
        assert_eq!(with(Settings { policy: Some("{"), ..none }), ErrorKind::Policy);
        let named = Scanner::new(&Settings { policy: Some("plant.toml"), ..none }).unwrap_err();
        assert!(named.to_string().contains("the name of a file"), "{named}");
        let one = Some("/tmp/one");
        let same = Settings { journal: one, capture: one, ..none };
        assert!(Scanner::new(&same).unwrap_err().to_string().contains("name two"));
        assert_eq!(with(Settings { level: Some("deep"), ..none }), ErrorKind::Policy);
        assert_eq!(with(Settings { zone: Some("a b"), ..none }), ErrorKind::Naming);
        assert_eq!(with(Settings { source: Some(""), ..none }), ErrorKind::Naming);
        assert_eq!(with(Settings { journal: Some("/"), ..none }), ErrorKind::File);
        assert_eq!(with(Settings { memory: Some("/"), ..none }), ErrorKind::File);
        assert_eq!(kind(gentle().plan("10.0.4.300")), ErrorKind::Target);
        assert_eq!(kind(gentle().plan("@/etc/hostname")), ErrorKind::Target);
        assert_eq!(kind(gentle().plan("8.8.8.8")), ErrorKind::EmptyScope);
        assert_eq!(kind(gentle().start("")), ErrorKind::EmptyScope);
    }

    #[test]
    fn a_report_can_be_taken_twice_and_no_event_follows_it() {
        let plant = Plant::start(0).unwrap();
        let scan = gentle().start(&plant.devices()[0].target()).unwrap();
        let report = scan.finish().unwrap();
        assert!(report.completed);
        assert!(Arc::ptr_eq(&report, &scan.finish().unwrap()));
        assert!(matches!(scan.next(Duration::ZERO), Next::End));
    }

    #[test]
    fn an_aborted_scan_ends_and_says_so() {
        let plant = Plant::start(0).unwrap();
        let targets: Vec<_> = plant.devices().iter().map(sim::Running::target).collect();
        let scan = gentle().start(&targets.join(" ")).unwrap();
        scan.abort();
        let report = scan.finish().unwrap();
        assert!(!report.completed && report.stopped.is_some());
    }

    #[test]
    fn a_scan_that_is_dropped_takes_nothing_from_another_of_the_same_scanner() {
        // Every conversation of a scan in BACnet hears its device at one more port, the usual one.
        let simulate = || crate::protocols::by_name("bacnet").unwrap().simulate();
        let named = |name: &str| sim::Expected { name: name.into(), ..sim::Expected::default() };
        let plant =
            sim::Plant::new().with(named("chiller"), simulate()).with(named("boiler"), simulate());
        let plant = Plant::serve(plant, 0).unwrap();
        let scanner = gentle();
        let [other, scan] =
            [0, 1].map(|nth| scanner.start(&plant.devices()[nth].target()).unwrap());
        std::thread::sleep(Duration::from_millis(100));
        drop(other);
        let report = scan.finish().unwrap();
        assert_eq!(report.outcomes[0].outcome, crate::model::Outcome::Identified);
    }
}
