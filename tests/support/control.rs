//! What is done to a handler process from outside: signals, limits, a look at its memory.

use std::{net::TcpStream, process::Command};

use crate::host::{Host, request};

impl Host {
    /// Starts it so that it may use so many bytes of data at most: heap, stacks and other private writable memory, as the
    /// kernel counts them (`RLIMIT_DATA`, getrlimit(2)). An allocation beyond that fails, which ends the process. A limit
    /// of the address space (`RLIMIT_AS`) would count what the allocator only reserves.
    pub fn start_within(settings: &[(String, String)], bytes: u64) -> Self {
        let mut shell = Command::new("/bin/sh");
        let limited = format!("ulimit -d {} && exec \"$0\"", bytes / 1024);
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_labelstream")]);
        let host = Self::start_by(shell, settings);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.id())).expect("its limits");
        let data = limits.lines().find(|line| line.starts_with("Max data size")).expect("a limit of data");
        assert!(data.contains(&bytes.to_string()), "{data}");
        host
    }

    /// Begins a run as the timer does; [`Host::answer`] waits for its answer.
    pub fn begin_tick(&self) -> TcpStream {
        self.begin(&request("timer-later.http"))
    }

    /// Sends it a signal: `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let signalled = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(signalled.expect("kill(1) runs").success(), "SIG{name} was not sent");
    }

    /// The most memory that it had resident, in bytes (`VmHWM`, proc(5)).
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it runs");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
        kilobytes * 1024
    }
}
