//! Processes of a test.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that ends with the test.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where its standard error goes.
    log: PathBuf,
}

impl Process {
    /// Starts a command; its standard error goes to a file.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let to = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(to.try_clone().unwrap())
            .stderr(to)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory that it has at the moment; `None` where nobody tells (`/proc`).
    #[must_use]
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1_024)
    }

    /// What it said.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it at once, wherever it is (`SIGKILL`).
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to do something: `TERM`, `HUP`.
    ///
    /// # Panics
    /// There is no `kill`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end; the exit status.
    ///
    /// # Panics
    /// It does not end.
    pub fn wait(&mut self) -> i32 {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end: {}", self.said());
    }

    /// The status with which it ended, if it has.
    ///
    /// # Panics
    /// It cannot be asked.
    pub fn ended(&mut self) -> Option<i32> {
        let status = self.child.try_wait().unwrap();
        status.map(|status| status.code().unwrap_or(-1))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
