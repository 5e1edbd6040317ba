//! What goes wrong on Microsoft's side with `--faults`.

use labelstream_simulator::{Effect, Endpoint, Fault, ResetAt, RetryAfter, Simulator, When};

use crate::text::counted;

/// The faults, and what one of each is called, alone and together. Each strikes even in a short demo, except the
/// throttled POST, for which there must be five POSTs.
fn faults() -> [(Fault, &'static str, &'static str); 5] {
    let throttled = Effect::Af { code: "AF429".to_owned(), retry_after: Some(RetryAfter::Seconds(1)) };
    [
        (Fault::new(Endpoint::List, When::Nth(4), throttled), "throttled listing", "throttled listings"),
        (Fault::new(Endpoint::Retrieve, When::Nth(5), Effect::af("AF50000")), "server error", "server errors"),
        (
            Fault::new(Endpoint::Retrieve, When::Every(30), Effect::Reset(ResetAt::InBody)),
            "content cut off by a reset",
            "contents cut off by a reset",
        ),
        (Fault::new(Endpoint::Ingest, When::Nth(1), Effect::LoseAnswer), "lost answer", "lost answers"),
        (
            Fault::new(Endpoint::Ingest, When::Nth(5), Effect::throttled(RetryAfter::Seconds(1))),
            "throttled POST",
            "throttled POSTs",
        ),
    ]
}

/// Switches the faults on.
///
/// # Errors
/// Says which one cannot be carried out.
pub fn switch_on(simulator: &Simulator) -> Result<(), String> {
    faults().into_iter().try_for_each(|(fault, ..)| simulator.fault(fault).map(|_| ()))
}

/// The faults that struck, each with how often.
pub fn struck(simulator: &Simulator) -> Vec<String> {
    let known = faults();
    simulator
        .faults()
        .iter()
        .filter(|active| active.struck > 0)
        .filter_map(|active| {
            let (_, one, many) = known.iter().find(|(fault, ..)| *fault == active.fault)?;
            Some(counted(active.struck, one, many))
        })
        .collect()
}
