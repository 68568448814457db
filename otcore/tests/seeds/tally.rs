//! Counts what the seeds were made of, and writes it down where somebody adds it up.

use std::fmt;
use std::io::Write;
use std::ops::AddAssign;
use std::time::Duration;

use crate::run::Seen;

/// What some seeds were made of, and what they came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) seeds: u64,
    /// How many of them were carried out twice.
    pub(crate) twice: u64,
    pub(crate) devices: u64,
    pub(crate) scans: u64,
    pub(crate) packets: u64,
    pub(crate) simulated: Duration,
}

/// The head of the file that each whole run adds a line to.
const HEAD: &str = "day,first,seeds,twice,devices,scans,packets,simulated_s,processor_s,took_s";

impl Tally {
    /// One seed.
    pub(crate) fn of(seen: &Seen) -> Self {
        Self {
            seeds: 1,
            twice: 0,
            devices: seen.case.planted.len() as u64,
            scans: seen.scans.len() as u64,
            packets: seen.setting.network.packets(),
            simulated: seen.took,
        }
    }

    /// Add a line to the file that `OTCORE_SEEDS_FILE` names, if it names one.
    pub(crate) fn write_down(&self, first: u64, took: Duration) {
        let Some(path) = std::env::var_os("OTCORE_SEEDS_FILE") else { return };
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        if file.metadata().unwrap().len() == 0 {
            writeln!(file, "{HEAD}").unwrap();
        }
        let Self { seeds, twice, devices, scans, packets, simulated } = self;
        let day = jiff::Timestamp::now().to_string();
        let (day, simulated) = (&day[..10], simulated.as_secs());
        let (processor, took) = (processor_seconds(), took.as_secs());
        writeln!(
            file,
            "{day},{first},{seeds},{twice},{devices},{scans},{packets},{simulated},{processor},{took}"
        )
        .unwrap();
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.twice += other.twice;
        self.devices += other.devices;
        self.scans += other.scans;
        self.packets += other.packets;
        self.simulated += other.simulated;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, twice, devices, scans, packets, simulated } = self;
        let hours = simulated.as_secs() / 3600;
        write!(
            f,
            "{seeds} seeds ({twice} of them twice), {devices} devices, {scans} scans, \
             {packets} packets, {hours} simulated hours"
        )
    }
}

/// Seconds of processor time that this process has taken so far; 0 where the system does not say.
pub(crate) fn processor_seconds() -> u64 {
    const TICKS_IN_A_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() / TICKS_IN_A_SECOND
}
