//! One row of the matrix: a fault, a seed, and the script that plays it.

use std::pin::Pin;

use crate::{
    scene::{Scene, Verdict},
    table::GROUPS,
};

/// Plays a fault: publishes, switches on, fires the timer. What it leaves undone the verdict's runs do.
pub type Script = fn(Scene) -> Pin<Box<dyn Future<Output = Scene> + Send>>;

/// Plays a row that needs a scene of its own, with this seed, and judges.
pub type Whole = fn(u64) -> Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// A row.
#[derive(Clone, Copy)]
pub struct Case {
    pub group: &'static str,
    /// The fault, in the words of the table.
    pub fault: &'static str,
    pub seed: u64,
    how: How,
}

/// How a row is played.
#[derive(Clone, Copy)]
enum How {
    Script(Script),
    Whole(Whole),
}

impl Case {
    /// A row whose script begins with a tenant that has nothing published.
    pub fn new(group: &'static str, fault: &'static str, seed: u64, script: Script) -> Self {
        Self::of(group, fault, seed, How::Script(script))
    }

    /// A row that judges for itself.
    pub fn whole(group: &'static str, fault: &'static str, seed: u64, whole: Whole) -> Self {
        Self::of(group, fault, seed, How::Whole(whole))
    }

    fn of(group: &'static str, fault: &'static str, seed: u64, how: How) -> Self {
        assert!(GROUPS.contains(&group), "{group} is no group");
        let added: u64 = std::env::var("MATRIX_SEED").map_or(0, |text| text.parse().expect("MATRIX_SEED is a number"));
        Self { group, fault, seed: seed + added, how }
    }

    /// The name of its test.
    pub fn title(&self) -> String {
        format!("{}: {}", self.group, self.fault)
    }

    /// Plays it and judges.
    pub fn run(&self) -> Verdict {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            match self.how {
                How::Script(script) => script(Scene::new(self.seed).await).await.judge().await,
                How::Whole(whole) => whole(self.seed).await,
            }
        })
    }
}
