//! One guest per device across all processes of this host: a lock file per device.
//!
//! The lock is the operating system's own, so it ends with its process, however that ends. The time
//! of the file says when the device was last connected to, so that the gap between connections
//! (L2) holds across processes too. While somebody is there it has one byte: whoever finds that byte
//! in a file that nobody locks knows that a process was killed in the middle, and that its system may
//! still be ending the connection.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::device::Device;

/// How often a device that another process visits is tried again.
const POLL: Duration = Duration::from_millis(50);

/// The bytes of a file while somebody is connected to its device.
const IN_USE: u64 = 1;

/// Where the lock files of this host are.
#[derive(Clone, Debug)]
pub(super) struct HostLocks {
    folder: PathBuf,
}

/// A device is ours until this is dropped.
#[derive(Debug)]
pub(super) struct HostHold {
    file: File,
    path: PathBuf,
    nobody_there: AtomicBool,
    somebody_there: AtomicBool,
}

impl HostHold {
    /// Nobody lives at this address, so there is nothing to remember: a sweep of a large network
    /// leaves no files behind.
    pub(super) fn nobody_there(&self) {
        self.nobody_there.store(true, Ordering::Relaxed);
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
        Self { folder: std::env::temp_dir().join("otcore-locks") }
    }

    #[cfg(test)]
    pub(super) fn within(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Wait until no process of this host is connected to `device`, nor was within `gap`.
    pub(super) async fn hold(&self, device: Device, gap: Duration) -> io::Result<HostHold> {
        let in_folder = |error: io::Error| {
            let text =
                format!("{}: {error}; TMPDIR may name another folder", self.folder.display());
            io::Error::new(error.kind(), text)
        };
        let plain = |c: char| if c.is_ascii_hexdigit() { c } else { '-' };
        let path = self.folder.join(device.to_string().chars().map(plain).collect::<String>());
        loop {
            let file = self.open(&path).map_err(in_folder)?;
            match file.try_lock() {
                // Whoever held it before may have removed the file that we opened.
                Ok(()) if !is_at(&file, &path) => {}
                Ok(()) => {
                    let rest = gap.saturating_sub(age(&file)?);
                    file.set_len(IN_USE)?;
                    let [nobody_there, somebody_there] = Default::default();
                    let hold = HostHold { file, path, nobody_there, somebody_there };
                    tokio::time::sleep(rest).await;
                    return Ok(hold);
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL).await,
                Err(TryLockError::Error(error)) => return Err(in_folder(error)),
            }
        }
    }

    /// The folder is made when it is missed: a sweep would look for it at every address.
    fn open(&self, path: &Path) -> io::Result<File> {
        match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&self.folder)?;
                share(&self.folder, 0o1777);
                open(path)
            }
            opened => opened,
        }
    }
}

/// The file at `path`, which is made if it is not there; most are not, in a sweep.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW);
    }
    match options.clone().create_new(true).open(path) {
        Ok(fresh) => {
            share(path, 0o666);
            fresh.set_modified(SystemTime::UNIX_EPOCH)?; // nobody was there yet
            Ok(fresh)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create(true).open(path)
        }
        Err(error) => Err(error),
    }
}

/// Whether `path` still leads to `file`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// A file that somebody holds open cannot be removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Drop for HostHold {
    fn drop(&mut self) {
        // If either fails the next process waits too little or a file stays; limits hold anyway.
        match self.is_to_be_forgotten() && cfg!(unix) {
            true => drop(std::fs::remove_file(&self.path)),
            false => {
                drop(self.file.set_len(0));
                drop(self.file.set_modified(SystemTime::now()));
            }
        }
    }
}

/// How long ago the device was last connected to; a clock that was set back counts as just now, and
/// so does whoever was killed while it was connected.
fn age(file: &File) -> io::Result<Duration> {
    let found = file.metadata()?;
    if found.len() == IN_USE {
        return Ok(Duration::ZERO);
    }
    let used = found.modified()?;
    Ok(SystemTime::now().duration_since(used).unwrap_or_default())
}

/// Let other users of this host use it too. If that fails it is somebody else's, and shared already.
fn share(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        drop(std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)));
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_device_has_one_guest_at_a_time_and_a_rest_between_them() {
        let folder = std::env::temp_dir().join(format!("otcore-locks-test-{}", std::process::id()));
        let locks = HostLocks::within(folder.clone());
        let device = Device::at("192.0.2.7:502".parse().unwrap());
        let gap = Duration::from_millis(300);
        let first = locks.hold(device, gap).await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(200), locks.hold(device, gap));
        assert!(waiting.await.is_err(), "somebody is there");
        let other = Device::at("192.0.2.8:502".parse().unwrap());
        drop(locks.hold(other, gap).await.unwrap());
        let left = std::time::Instant::now();
        drop(first);
        drop(locks.hold(device, gap).await.unwrap());
        assert!(left.elapsed() >= Duration::from_millis(250), "{:?}", left.elapsed());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn an_address_leaves_a_file_behind_only_if_somebody_was_met_there() {
        let name = format!("otcore-locks-nobody-{}", std::process::id());
        let locks = HostLocks::within(std::env::temp_dir().join(name));
        let device = Device::at("192.0.2.7:502".parse().unwrap());
        for (met, left) in [(false, usize::from(cfg!(not(unix)))), (true, 1)] {
            let hold = locks.hold(device, Duration::ZERO).await.unwrap();
            if met {
                hold.somebody_there();
            }
            hold.nobody_there(); // in another conversation
            drop(hold);
            assert_eq!(std::fs::read_dir(&locks.folder).unwrap().count(), left, "met: {met}");
        }
        std::fs::remove_dir_all(&locks.folder).unwrap();
    }

    /// As if it was killed: the system gives the lock back, and nothing else of it is carried out.
    #[tokio::test]
    async fn whoever_was_killed_in_the_middle_is_followed_after_a_whole_gap() {
        let name = format!("otcore-locks-killed-{}", std::process::id());
        let locks = HostLocks::within(std::env::temp_dir().join(name));
        let device = Device::at("192.0.2.7:502".parse().unwrap());
        let gap = Duration::from_millis(300);
        let killed = locks.hold(device, gap).await.unwrap();
        tokio::time::sleep(gap).await;
        killed.file.unlock().unwrap();
        std::mem::forget(killed);
        let found = std::time::Instant::now();
        drop(locks.hold(device, gap).await.unwrap());
        assert!(found.elapsed() >= gap, "{:?}", found.elapsed());
        drop(locks.hold(device, Duration::ZERO).await.unwrap());
        std::fs::remove_dir_all(&locks.folder).unwrap();
    }

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("otcore-locks-{name}-{}", std::process::id()))
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn every_user_of_the_host_may_lock_and_nobody_may_remove_the_locks_of_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("shared");
        let locks = HostLocks::within(folder.clone());
        let hold = locks.hold(Device::at("192.0.2.7:502".parse().unwrap()), POLL).await.unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&folder), mode(&hold.path)), (0o1777, 0o666));
        drop(hold);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_file_that_was_removed_meanwhile_is_none() {
        let folder = folder("removed");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("lock");
        let ours = open(&path).unwrap();
        assert!(is_at(&ours, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&ours, &path));
        let theirs = open(&path).unwrap();
        assert!(!is_at(&ours, &path) && is_at(&theirs, &path));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
