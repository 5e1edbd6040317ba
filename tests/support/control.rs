//! What is done to a handler process from outside: signals, limits, a look at its memory.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpStream,
    process::Command,
};

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

    /// The most memory that it had resident, in bytes (`VmHWM`, proc(5)); `None` once it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kilobytes * 1024)
    }
}

/// The answer to a run that was begun: its status and body. `None` where the process ended first.
pub fn answer_of(connection: TcpStream) -> Option<(u16, String)> {
    let mut reader = BufReader::new(connection);
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
            _ if status.is_none() => status = line.split(' ').nth(1)?.parse().ok(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((status?, String::from_utf8_lossy(&body).into_owned()))
}
