// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the process that made an image still lives.
//!
//! A process id alone does not tell: it is used again. The owner lives if a process of that id exists and was
//! started no later than the image was made. A pidfd, taken before the start time is read, then stands for
//! that very process.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::sys;

/// The process that made an image.
#[derive(Debug)]
pub(crate) struct Owner {
    pid: i32,
    created_ns: u64,
    /// `None` where the process is gone, or the kernel has no pidfd (before 5.3).
    pidfd: Option<OwnedFd>,
    gone: bool,
}

impl Owner {
    /// Looks for process `pid`, which made an image at `created_ns` (`CLOCK_BOOTTIME`).
    pub(crate) fn find(pid: i32, created_ns: u64) -> Self {
        let opened = if pid > 0 { sys::pidfd_open(pid) } else { Err(std::io::ErrorKind::NotFound.into()) };
        let mut owner = Self { pid, created_ns, pidfd: opened.ok(), gone: false };
        owner.gone = !owner.started_in_time();
        owner
    }

    /// What becomes readable when the owner ends.
    pub(crate) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().filter(|_| !self.gone).map(AsFd::as_fd)
    }

    /// Says that the owner writes no more, for example after `exec`.
    pub(crate) fn set_gone(&mut self) {
        self.gone = true;
    }

    /// Asks the kernel whether the owner lives. Once it does not, it never does again.
    pub(crate) fn is_alive(&mut self) -> bool {
        if !self.gone {
            self.gone = match &self.pidfd {
                Some(pidfd) => {
                    let mut fds = [sys::readable(pidfd.as_fd())];
                    sys::poll(&mut fds, Duration::ZERO).is_ok() && fds[0].revents != 0
                }
                None => !self.started_in_time(),
            };
        }
        !self.gone
    }

    /// Whether a process of this id runs that is old enough to have made the image. A zombie does not run.
    fn started_in_time(&self) -> bool {
        let Ok(stat) = fs::read(format!("/proc/{}/stat", self.pid)) else { return false };
        let stat = String::from_utf8_lossy(&stat);
        // The name in parentheses may hold anything, parentheses too.
        let Some((_, fields)) = stat.rsplit_once(") ") else { return false };
        let mut fields = fields.split(' ');
        let state = fields.next().unwrap_or_default();
        // Field 22 of the line; the state is field 3.
        let Some(start_ticks) = fields.nth(18).and_then(|field| field.parse::<u64>().ok()) else { return false };
        let tick_ns = 1_000_000_000 / sys::ticks_per_second();
        let latest_start_ns = self.created_ns.saturating_add(tick_ns);
        !matches!(state, "Z" | "X") && start_ticks.saturating_mul(tick_ns) <= latest_start_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_lives_while_its_process_does_and_is_not_confused_with_a_later_one_of_its_id() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().expect("sleep runs");
        let pid = child.id() as i32;
        let now_ns = sys::clock_ns(libc::CLOCK_BOOTTIME);
        assert!(Owner::find(pid, now_ns).is_alive());
        assert!(!Owner::find(pid, now_ns - 60_000_000_000).is_alive(), "the process is younger than the image");
        assert!(!Owner::find(-1, now_ns).is_alive());
        let mut owner = Owner::find(pid, now_ns);
        child.kill().expect("our child");
        child.wait().expect("our child");
        assert!(!owner.is_alive());
        assert!(!Owner::find(pid, now_ns).is_alive());
    }
}
