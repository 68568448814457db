//! In which file a device has its lock, and where in it.
//!
//! To make a file takes up to a millisecond, and a sweep would make one for every address. So devices of
//! a network share a file, in which each has a few bytes of its own to lock, where the system can
//! lock a part of a file for whoever opened it (Linux since 3.15). Anywhere else, and for addresses
//! that are too many for one file, each device has its own.

use std::fs::{File, TryLockError};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use super::last::LEN;
use crate::gate::device::Device;
pub(super) use parts::EXIST as LOCKS_PARTS;

/// The hosts of a network that shares a file: few enough files for a large sweep, few enough locks in
/// each, which Linux keeps in a list.
const HOSTS: u32 = 0xFFF;

/// Where the lock of one device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// How far into the file it is.
    pub(super) at: u64,
    /// Whether others have theirs in the same file.
    pub(super) is_shared: bool,
}

impl Place {
    /// The place of `device` in `folder`, in a file for its whole network if `may_share`.
    pub(super) fn of(device: Device, folder: &Path, may_share: bool) -> Self {
        match device.address() {
            IpAddr::V4(address) if may_share => {
                let (network, host) = (u32::from(address) & !HOSTS, u32::from(address) & HOSTS);
                let network = Ipv4Addr::from(network);
                let port = device.port().map(|port| format!("-{port}")).unwrap_or_default();
                let path = folder.join(format!("{network}{port}"));
                Self { path, at: LEN * u64::from(host), is_shared: true }
            }
            _ => {
                // No colon, which some systems have no room for in a name.
                let plain = |c: char| if c.is_ascii_hexdigit() { c } else { '-' };
                let name: String = device.to_string().chars().map(plain).collect();
                Self { path: folder.join(name), at: 0, is_shared: false }
            }
        }
    }

    /// Lock it in `file`, for as long as that is open.
    pub(super) fn try_lock(&self, file: &File) -> Result<(), TryLockError> {
        match self.is_shared {
            true => parts::try_lock(file, self.at),
            false => file.try_lock(),
        }
    }

    /// Give it back, also where a copy of this process has the file open as well.
    pub(super) fn unlock(&self, file: &File) -> io::Result<()> {
        match self.is_shared {
            true => parts::unlock(file, self.at),
            false => file.unlock(),
        }
    }
}

#[cfg(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64"))))]
mod parts {
    use std::fs::{File, TryLockError};
    use std::io;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};

    use super::LEN;

    pub(in super::super) const EXIST: bool = true;

    pub(super) fn try_lock(file: &File, at: u64) -> Result<(), TryLockError> {
        match set(file, at, libc::F_WRLCK) {
            Ok(()) => Ok(()),
            Err(Errno::EAGAIN | Errno::EACCES) => Err(TryLockError::WouldBlock),
            Err(error) => Err(TryLockError::Error(error.into())),
        }
    }

    pub(super) fn unlock(file: &File, at: u64) -> io::Result<()> {
        Ok(set(file, at, libc::F_UNLCK)?)
    }

    #[expect(clippy::cast_possible_truncation, reason = "both are small numbers")]
    fn set(file: &File, at: u64, kind: libc::c_int) -> Result<(), Errno> {
        let off = |value| libc::off_t::try_from(value).map_err(|_| Errno::EOVERFLOW);
        let (l_type, l_whence) = (kind as libc::c_short, libc::SEEK_SET as libc::c_short);
        let (l_start, l_len) = (off(at)?, off(LEN)?);
        let part = libc::flock { l_type, l_whence, l_start, l_len, l_pid: 0 };
        fcntl(file, FcntlArg::F_OFD_SETLK(&part)).map(drop)
    }
}

#[cfg(not(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64")))))]
mod parts {
    use std::fs::{File, TryLockError};
    use std::io::{self, ErrorKind};

    pub(in super::super) const EXIST: bool = false;

    pub(super) fn try_lock(_: &File, _: u64) -> Result<(), TryLockError> {
        Err(TryLockError::Error(ErrorKind::Unsupported.into()))
    }

    pub(super) fn unlock(_: &File, _: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// Whether the system says that it cannot lock a part of a file.
pub(super) fn is_not_for_parts(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(endpoint: &str, may_share: bool) -> (String, u64) {
        let place = Place::of(Device::at(endpoint.parse().unwrap()), Path::new(""), may_share);
        (place.path.to_str().unwrap().to_owned(), place.at)
    }

    #[test]
    fn devices_of_a_network_share_a_file_and_none_shares_its_place() {
        let in_file = |endpoint| place(endpoint, true);
        assert_eq!(in_file("10.20.0.1:502"), ("10.20.0.0".to_owned(), 8));
        assert_eq!(in_file("10.20.15.255:102"), ("10.20.0.0".to_owned(), 8 * 0xFFF));
        assert_eq!(in_file("10.20.16.1:502"), ("10.20.16.0".to_owned(), 8));
        assert_eq!(in_file("127.1.0.1:502"), ("127.1.0.0-502".to_owned(), 8));
        assert_eq!(in_file("127.1.0.1:102"), ("127.1.0.0-102".to_owned(), 8));
        assert_eq!(in_file("[2001:db8::7]:502"), ("2001-db8--7".to_owned(), 0));
        assert_eq!(place("127.1.0.1:102", false), ("127-1-0-1-102".to_owned(), 0));
    }

    #[test]
    fn each_part_of_a_file_is_locked_for_itself() {
        if !parts::EXIST {
            return; // each device has a file
        }
        let path = std::env::temp_dir().join(format!("otcore-parts-{}", std::process::id()));
        let open = || {
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true).open(&path).unwrap()
        };
        let (first, second) = (open(), open());
        let part = |at| Place { path: path.clone(), at, is_shared: true };
        part(8).try_lock(&first).unwrap();
        assert!(matches!(part(8).try_lock(&second), Err(TryLockError::WouldBlock)));
        part(0).try_lock(&second).unwrap();
        part(16).try_lock(&second).unwrap();
        drop(first);
        part(8).try_lock(&second).unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
