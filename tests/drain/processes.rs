//! What processes cost, as the kernel counts it.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinHandle;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Ticks a second of `/proc/PID/stat` (`sysconf(_SC_CLK_TCK)`, 100 on Linux).
const TICKS: f64 = 100.0;

/// What one process cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// User and system time, in seconds.
    pub cpu: f64,
    /// The most memory that was resident, in bytes.
    pub peak: u64,
}

impl Cost {
    /// Of a process that runs.
    pub fn of(id: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name is in brackets; the times are the 14th and 15th field (proc(5)).
        let (_, fields) = stat.rsplit_once(')')?;
        let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        let cpu = times.sum::<Result<f64, _>>().ok()? / TICKS;
        Some(Self { cpu, peak: peak * 1024 })
    }
}

/// Looks at processes as long as they run.
pub struct Watch {
    costs: Arc<Mutex<BTreeMap<u32, Cost>>>,
    watching: JoinHandle<()>,
}

impl Watch {
    /// Watches the processes that `ids` tells.
    pub fn begin(ids: impl Fn() -> Vec<u32> + Send + 'static) -> Self {
        let costs = Arc::<Mutex<BTreeMap<u32, Cost>>>::default();
        let kept = Arc::clone(&costs);
        let watching = tokio::spawn(async move {
            loop {
                let found = ids().into_iter().filter_map(|id| Some((id, Cost::of(id)?)));
                kept.lock().unwrap().extend(found);
                tokio::time::sleep(LOOK).await;
            }
        });
        Self { costs, watching }
    }

    /// The last look at each process.
    pub fn costs(&self) -> Vec<Cost> {
        self.costs.lock().unwrap().values().copied().collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
