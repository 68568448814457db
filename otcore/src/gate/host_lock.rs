//! One guest per device across all processes of this host: a lock for each device, in files.
//!
//! The lock is the operating system's own, so it ends with its process, however that ends. With it
//! stands when the device was last connected to, so that the gap between connections (L2) holds across
//! processes too, also after one that was killed in the middle.

mod last;
mod place;

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::device::Device;
use last::Last;
use place::Place;

/// How often a device that another process visits is tried again: at first, and once it takes long.
const POLL: Duration = Duration::from_millis(50);
const SELDOM: Duration = Duration::from_secs(1);

/// Where the lock files of this host are.
#[derive(Debug)]
pub(super) struct HostLocks {
    folder: PathBuf,
    /// Whether devices share files, as far as is known.
    shares: AtomicBool,
}

/// A device is ours until this is dropped.
#[derive(Debug)]
pub(super) struct HostHold {
    file: File,
    place: Place,
    /// Whose it is: a copy of that process, as `fork` makes it, has it open too.
    process: u32,
    nobody_there: AtomicBool,
    somebody_there: AtomicBool,
}

impl HostHold {
    /// Nobody lives at this address, so there is nothing to remember.
    pub(super) fn nobody_there(&self) {
        self.nobody_there.store(true, Ordering::Relaxed);
    }

    /// Whether somebody lives there shows again: another conversation begins.
    pub(super) fn open_again(&self) {
        self.nobody_there.store(false, Ordering::Relaxed);
    }

    /// Somebody has been met in this visit, whoever stays silent later.
    pub(super) fn somebody_there(&self) {
        self.somebody_there.store(true, Ordering::Relaxed);
    }

    fn is_to_be_forgotten(&self) -> bool {
        let nobody = self.nobody_there.load(Ordering::Relaxed);
        nobody && !self.somebody_there.load(Ordering::Relaxed)
    }
}

impl HostLocks {
    /// In the folder for temporary files, which every user of the host shares.
    pub(super) fn of_this_host() -> Self {
        Self::within(std::env::temp_dir().join("otcore-locks"))
    }

    pub(super) fn within(folder: PathBuf) -> Self {
        Self { folder, shares: AtomicBool::new(place::LOCKS_PARTS) }
    }

    /// Wait until no process of this host is connected to `device`, nor was within `gap`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if one still is after `patience`; others if files cannot be locked.
    pub(super) async fn hold(
        &self,
        device: Device,
        gap: Duration,
        patience: Duration,
    ) -> io::Result<HostHold> {
        let mut waited = Duration::ZERO;
        let in_folder = |error: io::Error| {
            let text =
                format!("{}: {error}; TMPDIR may name another folder", self.folder.display());
            io::Error::new(error.kind(), text)
        };
        loop {
            let place = Place::of(device, &self.folder, self.shares.load(Ordering::Relaxed));
            let file = self.open(&place.path).map_err(in_folder)?;
            match place.try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if waited < patience => {
                    let pause = pause(waited).min(patience - waited);
                    tokio::time::sleep(pause).await;
                    waited += pause;
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(error)) if self.parts_from(&place, &error) => continue,
                Err(TryLockError::Error(error)) => return Err(in_folder(error)),
            }
            if was_removed(&file.metadata().map_err(in_folder)?) {
                continue; // by whoever held it when we opened it
            }
            let rest = Last::read(&file, place.at).map_err(in_folder)?.rest(gap);
            Last::Now.write(&file, place.at).map_err(in_folder)?;
            let [nobody_there, somebody_there] = Default::default();
            let process = std::process::id();
            let hold = HostHold { file, place, process, nobody_there, somebody_there };
            if !rest.is_zero() {
                tokio::time::sleep(rest).await; // even no time at all wakes the processor
            }
            return Ok(hold);
        }
    }

    /// Whether no part of a file can be locked here, which shows at the first: each device has a file then.
    fn parts_from(&self, place: &Place, error: &io::Error) -> bool {
        let parts = place.is_shared && place::is_not_for_parts(error);
        if parts {
            self.shares.store(false, Ordering::Relaxed);
        }
        parts
    }

    /// The folder is made when it is missed: a sweep would look for it at every address.
    fn open(&self, path: &Path) -> io::Result<File> {
        match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&self.folder)?;
                #[cfg(unix)]
                self.share_folder();
                open(path)
            }
            opened => opened,
        }
    }

    /// Of a link to a folder nothing is changed: whoever made it may have meant another.
    #[cfg(unix)]
    fn share_folder(&self) {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = libc::O_NOFOLLOW | libc::O_DIRECTORY;
        let folder = OpenOptions::new().read(true).custom_flags(flags).open(&self.folder);
        drop(folder.map(|folder| share(&folder, 0o1777)));
    }
}

/// How long it is until the next try, once it has taken this long.
fn pause(waited: Duration) -> Duration {
    (waited / 4).clamp(POLL, SELDOM)
}

/// The file at `path`, which is made if it is not there. What is there is opened without leave to make
/// it: in a folder for everybody, systems refuse that for the file of another user.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW);
    }
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            #[cfg(unix)]
            share(&file, 0o666);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        failed => failed,
    }
}

/// Whether no path leads to the file any more.
#[cfg(unix)]
fn was_removed(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.nlink() == 0
}

/// A file that somebody holds open cannot be removed here.
#[cfg(not(unix))]
fn was_removed(_: &Metadata) -> bool {
    false
}

impl Drop for HostHold {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        let forgotten = self.is_to_be_forgotten();
        let last = if forgotten { Last::Never } else { Last::just_now() };
        // If it fails the next process waits too long or a file stays; limits hold anyway.
        drop(last.write(&self.file, self.place.at));
        if forgotten && !self.place.is_shared && cfg!(unix) {
            drop(std::fs::remove_file(&self.place.path));
        }
        drop(self.place.unlock(&self.file)); // or the system does when nobody has it open any more
    }
}

/// Let other users of this host use it too. If that fails it is somebody else's, and shared already.
#[cfg(unix)]
fn share(file: &File, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    drop(file.set_permissions(std::fs::Permissions::from_mode(mode)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(3600);

    fn device(last: u8) -> Device {
        Device::at(([192, 0, 2, last], 502).into())
    }

    /// Locks in a folder of their own: where devices share a file, and where each has one.
    fn both(name: &str) -> [HostLocks; 2] {
        [place::LOCKS_PARTS, false].map(|shares| {
            let name = format!("otcore-locks-{name}-{shares}-{}", std::process::id());
            let locks = HostLocks::within(std::env::temp_dir().join(name));
            locks.shares.store(shares, Ordering::Relaxed);
            locks
        })
    }

    /// How many files there are; they are gone then.
    fn files(locks: &HostLocks) -> usize {
        let count = std::fs::read_dir(&locks.folder).unwrap().count();
        std::fs::remove_dir_all(&locks.folder).unwrap();
        count
    }

    /// As a system does: what was open is closed, and nothing else of it is carried out.
    fn kill(mut held: HostHold, locks: &HostLocks) {
        held.file = locks.open(&locks.folder.join("elsewhere")).unwrap();
    }

    /// How long it takes until nobody else is there.
    async fn waits(locks: &HostLocks, device: Device) -> Duration {
        let began = std::time::Instant::now();
        drop(locks.hold(device, GAP, LONG).await.unwrap());
        began.elapsed()
    }

    #[tokio::test]
    async fn a_device_has_one_guest_at_a_time_and_a_rest_between_them() {
        for locks in both("guest") {
            let first = locks.hold(device(7), GAP, LONG).await.unwrap();
            let waiting = tokio::time::timeout(GAP, locks.hold(device(7), GAP, LONG));
            assert!(waiting.await.is_err(), "somebody is there");
            assert!(waits(&locks, device(8)).await < GAP / 2, "nobody was there");
            drop(first);
            assert!(waits(&locks, device(7)).await > GAP * 5 / 6);
            files(&locks);
        }
    }

    #[tokio::test]
    async fn nobody_rests_where_nobody_was_met_and_no_file_is_left_for_that() {
        let [shared, own] = both("nobody");
        for (locks, left) in [(shared, 1), (own, usize::from(cfg!(not(unix))))] {
            for met in [true, false] {
                let hold = locks.hold(device(7), Duration::ZERO, LONG).await.unwrap();
                if met {
                    hold.somebody_there();
                }
                hold.nobody_there(); // in another conversation
                drop(hold);
                assert_eq!(waits(&locks, device(7)).await > GAP / 2, met);
            }
            let hold = locks.hold(device(7), GAP, LONG).await.unwrap();
            hold.nobody_there();
            drop(hold);
            assert_eq!(files(&locks), left);
        }
    }

    #[tokio::test]
    async fn whoever_never_comes_back_is_not_waited_for_for_ever() {
        for locks in both("hangs") {
            let hangs = locks.hold(device(7), GAP, LONG).await.unwrap();
            let began = std::time::Instant::now();
            let given_up = locks.hold(device(7), GAP, 4 * POLL).await.unwrap_err();
            assert_eq!(given_up.kind(), io::ErrorKind::WouldBlock);
            assert!(began.elapsed() >= 4 * POLL);
            drop(hangs);
            assert!(
                locks.hold(device(7), GAP, Duration::ZERO).await.is_ok(),
                "a rest is waited for"
            );
            files(&locks);
        }
    }

    #[test]
    fn the_longer_it_takes_the_less_often_it_is_tried() {
        let millis = [0, 400, 2_000, 60_000].map(|ms| pause(Duration::from_millis(ms)).as_millis());
        assert_eq!(millis, [50, 100, 500, 1_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_longer_than_one_has_patience() {
        let [locks, _] = both("patience");
        let _hangs = locks.hold(device(7), GAP, LONG).await.unwrap();
        for millis in [10, 130, 2_700] {
            let (began, patience) = (tokio::time::Instant::now(), Duration::from_millis(millis));
            assert!(locks.hold(device(7), GAP, patience).await.is_err());
            let late = began.elapsed().checked_sub(patience).unwrap();
            assert!(late < POLL / 2, "{late:?} after {patience:?}"); // a timer has whole milliseconds
        }
        files(&locks);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_a_link_leads_to_is_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let [locks, _] = both("link");
        let real = locks.folder.with_extension("real");
        std::fs::create_dir(&real).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o750)).unwrap();
        std::os::unix::fs::symlink(&real, &locks.folder).unwrap();
        locks.share_folder();
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o7777, 0o750);
        std::fs::remove_file(&locks.folder).unwrap();
        std::fs::remove_dir_all(&real).unwrap();
    }

    /// As if it was killed: the system gives the lock back, and nothing else of it is carried out.
    #[tokio::test]
    async fn whoever_was_killed_in_the_middle_is_followed_after_a_whole_gap() {
        for locks in both("killed") {
            let killed = locks.hold(device(7), GAP, LONG).await.unwrap();
            tokio::time::sleep(GAP).await;
            let left = File::open(&killed.place.path).unwrap();
            assert_eq!(Last::read(&left, killed.place.at).unwrap(), Last::Now);
            kill(killed, &locks);
            assert!(waits(&locks, device(7)).await >= GAP);
            drop(locks.hold(device(7), Duration::ZERO, LONG).await.unwrap());
            files(&locks);
        }
    }

    #[tokio::test]
    async fn where_no_part_of_a_file_can_be_locked_each_device_has_its_own() {
        let [locks, _] = both("parts");
        locks.shares.store(true, Ordering::Relaxed);
        let _hold = locks.hold(device(7), GAP, LONG).await.unwrap();
        assert_eq!(locks.shares.load(Ordering::Relaxed), place::LOCKS_PARTS);
        files(&locks);
    }

    #[tokio::test]
    async fn a_copy_of_the_process_neither_keeps_a_device_nor_gives_it_away() {
        for locks in both("copy") {
            let mut hold = locks.hold(device(7), GAP, LONG).await.unwrap();
            let _open_in_the_copy = hold.file.try_clone().unwrap();
            hold.process = 0;
            drop(hold); // by the copy
            let waiting = tokio::time::timeout(GAP, locks.hold(device(7), GAP, LONG));
            assert!(waiting.await.is_err(), "it still is ours");

            let hold = locks.hold(device(8), GAP, LONG).await.unwrap();
            let _open_in_the_copy = hold.file.try_clone().unwrap();
            drop(hold);
            let next = tokio::time::timeout(3 * GAP, locks.hold(device(8), GAP, LONG));
            assert!(next.await.is_ok(), "it was given back");
            files(&locks);
        }
    }

    #[test]
    fn devices_share_no_file_once_the_system_cannot_lock_a_part_of_one() {
        let [locks, _] = both("refused");
        let place = |may_share| Place::of(device(7), &locks.folder, may_share);
        let shares = |place, kind: io::ErrorKind| {
            locks.shares.store(true, Ordering::Relaxed);
            let leaves = locks.parts_from(&place, &kind.into());
            assert_ne!(leaves, locks.shares.load(Ordering::Relaxed));
            !leaves
        };
        assert!(!shares(place(true), io::ErrorKind::InvalidInput));
        assert!(!shares(place(true), io::ErrorKind::Unsupported));
        assert!(shares(place(true), io::ErrorKind::PermissionDenied), "told, not worked around");
        assert!(shares(place(false), io::ErrorKind::InvalidInput), "it was no part");
    }

    #[test]
    fn whoever_comes_first_makes_a_file_and_all_the_others_open_it() {
        let [locks, _] = both("race");
        for round in 0..300 {
            let path = locks.folder.join(round.to_string());
            let start = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                let comes = || {
                    start.wait();
                    locks.open(&path).unwrap();
                };
                (0..4).for_each(|_| drop(scope.spawn(comes)));
            });
        }
        assert_eq!(files(&locks), 300);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_none_is_told() {
        let [locks, _] = both("none");
        std::fs::write(&locks.folder, "a file").unwrap();
        let refused = locks.open(&locks.folder.join("lock")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotADirectory, "{refused}");
        std::fs::remove_file(&locks.folder).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn every_user_of_the_host_may_lock_and_nobody_may_remove_the_locks_of_others() {
        use std::os::unix::fs::PermissionsExt;
        for locks in both("users") {
            let hold = locks.hold(device(7), POLL, LONG).await.unwrap();
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!((mode(&locks.folder), mode(&hold.place.path)), (0o1777, 0o666));
            drop(hold);
            files(&locks);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_file_that_was_removed_meanwhile_is_none() {
        let [locks, _] = both("removed");
        let path = locks.folder.join("lock");
        let removed = |file: &File| was_removed(&file.metadata().unwrap());
        let ours = locks.open(&path).unwrap();
        assert!(!removed(&ours));
        std::fs::remove_file(&path).unwrap();
        assert!(removed(&ours));
        let theirs = locks.open(&path).unwrap();
        assert!(removed(&ours) && !removed(&theirs));
        files(&locks);
    }
}
