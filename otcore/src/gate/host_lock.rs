//! One guest per device across all processes of this host: a lock file per device.
//!
//! The lock is the operating system's own, so it ends with its process, however that ends. The time
//! of the file says when the device was last connected to, so that the gap between connections
//! (L2) holds across processes too.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::device::Device;

/// How often a device that another process visits is tried again.
const POLL: Duration = Duration::from_millis(50);

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
}

impl HostHold {
    /// Nobody lives at this address, so there is nothing to remember: a sweep of a large network
    /// leaves no files behind.
    pub(super) fn nobody_there(&self) {
        self.nobody_there.store(true, Ordering::Relaxed);
    }
}

impl HostLocks {
    /// In the folder for temporary files, which every user of the host shares.
    pub(super) fn of_this_host() -> Self {
        Self { folder: std::env::temp_dir().join("otcore-locks") }
    }

    #[cfg(test)]
    fn within(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Wait until no process of this host is connected to `device`, nor was within `gap`.
    pub(super) async fn hold(&self, device: Device, gap: Duration) -> io::Result<HostHold> {
        let in_folder = |error: io::Error| {
            let text =
                format!("{}: {error}; TMPDIR may name another folder", self.folder.display());
            io::Error::new(error.kind(), text)
        };
        std::fs::create_dir_all(&self.folder).map_err(in_folder)?;
        share(&self.folder, 0o1777);
        let plain = |c: char| if c.is_ascii_hexdigit() { c } else { '-' };
        let path = self.folder.join(device.to_string().chars().map(plain).collect::<String>());
        loop {
            let file = open(&path).map_err(in_folder)?;
            match file.try_lock() {
                // Whoever held it before may have removed the file that we opened.
                Ok(()) if !is_at(&file, &path) => {}
                Ok(()) => {
                    let rest = gap.saturating_sub(age(&file)?);
                    let hold = HostHold { file, path, nobody_there: AtomicBool::new(false) };
                    tokio::time::sleep(rest).await;
                    return Ok(hold);
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL).await,
                Err(TryLockError::Error(error)) => return Err(in_folder(error)),
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let fresh = !path.exists();
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW);
    }
    let file = options.open(path)?;
    if fresh {
        share(path, 0o666);
        file.set_modified(SystemTime::UNIX_EPOCH)?; // nobody was there yet
    }
    Ok(file)
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
        match self.nobody_there.load(Ordering::Relaxed) && cfg!(unix) {
            true => drop(std::fs::remove_file(&self.path)),
            false => drop(self.file.set_modified(SystemTime::now())),
        }
    }
}

/// How long ago the device was last connected to; a clock that was set back counts as just now.
fn age(file: &File) -> io::Result<Duration> {
    let used = file.metadata()?.modified()?;
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
}
