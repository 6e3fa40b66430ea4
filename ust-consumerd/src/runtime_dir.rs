// SPDX-License-Identifier: MIT OR Apache-2.0
//! The runtime directory: where traced programs and the consumer find each other.
//!
//! One recorder at a time owns a directory, by an exclusive `flock` on it. The owner publishes `rules` and binds
//! `wakeup`. Another user must not be able to put anything in: the directory is refused unless it is a real
//! directory of the effective user without group or other bits.

use std::cmp::Reverse;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ust_shm::limits::RULES_BYTES_MAX;
use ust_shm::rules::{RulesBuilder, RulesView};

use crate::error::StartError;
use crate::limits::{ABANDONED_DIRS_KEPT, SOCKET_PATH_BYTES_MAX};
use crate::sys;

/// Begin of the names of private directories, before the user id.
const PRIVATE_PREFIX: &str = "ust-record-";

/// A directory younger than this may be one that its recorder is about to lock.
const ABANDONED_AGE_MIN: Duration = Duration::from_secs(60);

/// Removes what killed recorders left in `base` and no program uses any more, but for the newest [`ABANDONED_DIRS_KEPT`]: their
/// images may hold the only copy of what was recorded last.
fn sweep(base: &Path, age_min: Duration) {
    let prefix = format!("{PRIVATE_PREFIX}{}-", sys::euid());
    let Ok(entries) = fs::read_dir(base) else { return };
    let mut abandoned: Vec<(SystemTime, RuntimeDir)> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .filter_map(|entry| {
            let changed = entry.metadata().and_then(|found| found.modified()).ok()?;
            let is_old = changed.elapsed().is_ok_and(|age| age >= age_min);
            // Owned by us now, unless its recorder lives.
            let dir = if is_old { RuntimeDir::own(entry.path(), false).ok()? } else { return None };
            (!dir.is_in_use()).then_some((changed, dir))
        })
        .collect();
    abandoned.sort_by_key(|(changed, _)| Reverse(*changed));
    for (_, dir) in abandoned.iter_mut().skip(ABANDONED_DIRS_KEPT) {
        // Dropping a private directory removes it.
        dir.private = true;
    }
}

/// A runtime directory that this process owns as its recorder, until it is dropped.
///
/// A private one is removed when it is dropped, with everything in it.
#[derive(Debug)]
pub struct RuntimeDir {
    path: PathBuf,
    private: bool,
    /// Keeps the `flock` that makes us the owner.
    _lock: File,
}

impl RuntimeDir {
    /// Makes a new private directory below `/dev/shm`, else `$XDG_RUNTIME_DIR`, else the temporary directory.
    ///
    /// # Errors
    /// [`StartError::NoPlace`] when none of them lets us.
    pub fn create_private() -> Result<Self, StartError> {
        let mut bases = vec![PathBuf::from("/dev/shm")];
        bases.extend(std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from));
        bases.push(std::env::temp_dir());
        let mut tried = Vec::new();
        for base in bases {
            match Self::create_private_in(&base) {
                Ok(dir) => return Ok(dir),
                Err(error) => tried.push(error.to_string()),
            }
        }
        Err(StartError::NoPlace { tried: tried.join("; ") })
    }

    /// Makes a new private directory in `base`.
    ///
    /// # Errors
    /// [`StartError::Io`], [`StartError::PathTooLong`].
    pub fn create_private_in(base: &Path) -> Result<Self, StartError> {
        sweep(base, ABANDONED_AGE_MIN);
        let mut random = [0; 8];
        sys::random(&mut random).map_err(StartError::io("get random numbers for", base))?;
        let name = format!("{PRIVATE_PREFIX}{}-{:016x}", sys::euid(), u64::from_le_bytes(random));
        let path = base.join(name);
        DirBuilder::new().mode(0o700).create(&path).map_err(StartError::io("create directory", &path))?;
        let dir = Self::own(path.clone(), true);
        if dir.is_err() {
            // Nobody has put anything in yet.
            let _ = fs::remove_dir_all(&path);
        }
        dir
    }

    /// Takes the directory in which the programs of this environment register: `$UST_RUNTIME_DIR`, else
    /// `$XDG_RUNTIME_DIR/ust`, else `/dev/shm/ust-<euid>`.
    ///
    /// # Errors
    /// As [`RuntimeDir::open`].
    pub fn of_environment() -> Result<Self, StartError> {
        Self::open(&Self::path_of_environment())
    }

    /// Where the programs of this environment register, whether it exists or not.
    #[must_use]
    pub fn path_of_environment() -> PathBuf {
        let given = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        given("UST_RUNTIME_DIR")
            .or_else(|| given("XDG_RUNTIME_DIR").map(|dir| dir.join("ust")))
            .unwrap_or_else(|| PathBuf::from(format!("/dev/shm/ust-{}", sys::euid())))
    }

    /// Takes the directory at `path`, which is made if it does not exist. It stays when this is dropped.
    ///
    /// # Errors
    /// [`StartError::Unsafe`] where others could tamper with it, [`StartError::Busy`] where another recorder owns
    /// it, [`StartError::PathTooLong`], [`StartError::Io`].
    pub fn open(path: &Path) -> Result<Self, StartError> {
        make_private(path)?;
        Self::own(path.to_owned(), false)
    }

    fn own(path: PathBuf, private: bool) -> Result<Self, StartError> {
        let longest = path.join("wakeup").as_os_str().len();
        if longest > SOCKET_PATH_BYTES_MAX {
            let bytes = path.as_os_str().len();
            return Err(StartError::PathTooLong { path, bytes, max: bytes - (longest - SOCKET_PATH_BYTES_MAX) });
        }
        let lock = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(&path)
            .map_err(StartError::io("open directory", &path))?;
        check_safe(&path, &lock)?;
        if sys::lock_dir(lock.as_fd()).is_err() {
            return Err(StartError::Busy(path));
        }
        make_private(&path.join("apps"))?;
        Ok(Self { path, private, _lock: lock })
    }

    /// Where it is: the value for `UST_RUNTIME_DIR`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed at the end.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Whether a process runs that may own one of the images.
    fn is_in_use(&self) -> bool {
        let Ok(entries) = fs::read_dir(self.apps()) else { return true };
        entries.flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = name.trim_start_matches('.').split('-').next().and_then(|pid| pid.parse::<i32>().ok());
            pid.is_some_and(|pid| Path::new("/proc").join(pid.to_string()).exists())
        })
    }

    /// The folder of the images.
    pub(crate) fn apps(&self) -> PathBuf {
        self.path.join("apps")
    }

    /// Binds the socket that programs send their wakeups to.
    pub(crate) fn bind_wakeup(&self) -> Result<UnixDatagram, StartError> {
        let path = self.path.join("wakeup");
        // What lies there was left by a recorder that was killed: we hold the lock.
        let _ = fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).map_err(StartError::io("bind socket", &path))?;
        socket.set_nonblocking(true).map_err(StartError::io("set up socket", &path))?;
        Ok(socket)
    }

    /// A descriptor that is readable when something appears in `apps`.
    pub(crate) fn watch_apps(&self) -> Result<OwnedFd, StartError> {
        let apps = self.apps();
        sys::watch(&apps).map_err(StartError::io("watch", &apps))
    }

    /// The generation of the rules that lie there, by whomever; 0 for none.
    pub(crate) fn rules_generation(&self) -> u64 {
        let path = self.path.join("rules");
        let small = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= RULES_BYTES_MAX as u64);
        if !small {
            return 0;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        RulesView::parse(&bytes).map_or(0, |rules| rules.generation())
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        if self.private {
            let _ = fs::remove_dir_all(&self.path);
        } else {
            let _ = fs::remove_file(self.path.join("wakeup"));
        }
    }
}

/// Makes a directory of mode 0700 unless something is there already.
fn make_private(path: &Path) -> Result<(), StartError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(StartError::io("create directory", path)(error))
        }
        _ => Ok(()),
    }
}

fn check_safe(path: &Path, dir: &File) -> Result<(), StartError> {
    let found = dir.metadata().map_err(StartError::io("examine", path))?;
    let refuse = |reason| Err(StartError::Unsafe { path: path.to_owned(), reason });
    if found.uid() != sys::euid() {
        return refuse(format!("it belongs to user {}, not to user {}", found.uid(), sys::euid()));
    }
    if found.mode() & 0o077 != 0 {
        return refuse(format!("its mode is {:04o}, allowed is 0700", found.mode() & 0o7777));
    }
    Ok(())
}

/// The rules in force, and the file whose lock tells programs that we live.
#[derive(Debug)]
pub(crate) struct PublishedRules {
    bytes: Vec<u8>,
    _locked: File,
}

impl PublishedRules {
    /// Replaces `rules` in `dir`. The lock is taken before the name appears, so that no reader finds it unlocked.
    pub(crate) fn publish(dir: &RuntimeDir, rules: &RulesBuilder, generation: u64) -> Result<Self, StartError> {
        let bytes = rules.build(generation).map_err(|error| StartError::Rules(format!("{error:?}")))?;
        let (hidden, shown) = (dir.path.join(".rules"), dir.path.join("rules"));
        let _ = fs::remove_file(&hidden);
        let written = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
            sys::lock_ofd(file.as_fd())?;
            file.write_all(&bytes)?;
            fs::rename(&hidden, &shown)?;
            Ok(file)
        };
        let file = written().map_err(StartError::io("publish rules in", &shown))?;
        Ok(Self { bytes, _locked: file })
    }

    /// The rules as programs read them.
    pub(crate) fn view(&self) -> RulesView<'_> {
        RulesView::parse(&self.bytes).expect("bytes that the builder made and checked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_killed_recorders_left_the_newest_stay_and_those_in_use() {
        let base = tempfile::tempdir().expect("a folder");
        let make = |idx: usize, pid: &str| {
            let path = base.path().join(format!("{PRIVATE_PREFIX}{}-{idx:016x}", sys::euid()));
            make_private(&path).expect("a fresh folder");
            make_private(&path.join("apps")).expect("a fresh folder");
            fs::write(path.join("apps").join(format!("{pid}-1")), "").expect("an image");
            let age = Duration::from_secs(1000 - idx as u64);
            File::open(&path).and_then(|dir| dir.set_modified(SystemTime::now() - age)).expect("our folder");
            path
        };
        // No process has a number beyond the kernel's limit of 2^22.
        let dead: Vec<_> = (0..ABANDONED_DIRS_KEPT + 3).map(|idx| make(idx, "99999999")).collect();
        let in_use = make(100, &std::process::id().to_string());
        let locked = make(101, "99999999");
        let _recorder = RuntimeDir::own(locked.clone(), false).expect("nobody else has it");
        sweep(base.path(), Duration::ZERO);
        let left: Vec<bool> = dead.iter().map(|path| path.exists()).collect();
        assert_eq!(left, [vec![false; 3], vec![true; ABANDONED_DIRS_KEPT]].concat(), "the oldest go");
        assert!(in_use.exists() && locked.exists());
    }
}
