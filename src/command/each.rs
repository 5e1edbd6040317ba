//! Work for several tenants, some of them at once.

use std::process::ExitCode;

use futures_util::{StreamExt as _, stream};
use labelstream::{settings::Settings, telemetry::one_line};
use tokio_util::sync::CancellationToken;

use super::{choice::Tenant, say};

/// So many tenants are worked on at once: enough that one that waits for its feed holds up no other, and few enough for the
/// memory of their runs.
const AT_ONCE: usize = 8;

/// What came of a tenant. What failed is text for people, without the tenant's name.
pub type Outcome<T> = Result<T, String>;

/// Does `work` for each of `tenants`, several at once, and calls `ended` as each ends. A bad entry fails at once, and stops
/// that tenant alone. Once `stop` is cancelled no other is begun: its outcome is `None`. The outcomes are in the order
/// of `tenants`.
pub async fn each<T>(
    tenants: &[Tenant],
    stop: &CancellationToken,
    work: impl AsyncFn(usize, &Tenant, &Settings) -> Outcome<T>,
    mut ended: impl FnMut(&Tenant, &Outcome<T>),
) -> Vec<Option<Outcome<T>>> {
    let mut outcomes: Vec<_> = tenants.iter().map(|_| None).collect();
    let work = &work;
    let all = tenants.iter().enumerate().map(|(place, tenant)| {
        Box::pin(async move {
            let outcome = match &tenant.settings {
                _ if stop.is_cancelled() => None,
                Ok(settings) => Some(work(place, tenant, settings).await),
                Err(error) => Some(Err(faults(error))),
            };
            (place, outcome)
        })
    });
    let mut all = stream::iter(all).buffer_unordered(AT_ONCE);
    while let Some((place, outcome)) = all.next().await {
        if let Some(outcome) = &outcome {
            ended(&tenants[place], outcome);
        }
        outcomes[place] = outcome;
    }
    outcomes
}

/// What is wrong with an entry, without the tenant's name.
fn faults(error: &labelstream::tenants::TenantError) -> String {
    let faults: Vec<_> = error.faults.iter().map(ToString::to_string).collect();
    format!("its entry in the list is not good: {}", faults.join("; "))
}

/// The line of a tenant.
pub fn line(tenant: &Tenant, outcome: &Outcome<String>) -> String {
    one_line(&match outcome {
        Ok(done) => format!("{}: {done}", tenant.name),
        Err(problem) => format!("{}: failed: {problem}", tenant.name),
    })
}

/// Says the line of a tenant.
pub fn say_line(tenant: &Tenant, outcome: &Outcome<String>) {
    say(&line(tenant, outcome));
}

/// How many tenants failed, and how many were not begun.
pub fn failed<T>(outcomes: &[Option<Outcome<T>>]) -> (usize, usize) {
    let failed = outcomes.iter().filter(|outcome| matches!(outcome, Some(Err(_)))).count();
    (failed, outcomes.iter().filter(|outcome| outcome.is_none()).count())
}

/// Says the last line of a command: how many tenants were done, the sums, and how many failed; and gives the exit status.
pub fn say_sums<T>(outcomes: &[Option<Outcome<T>>], sums: &str) -> ExitCode {
    let (failed, left) = failed(outcomes);
    let mut line = format!("{}: {sums}", tenants(outcomes.len()));
    if failed > 0 {
        line.push_str(&format!("; {failed} failed"));
    }
    if left > 0 {
        line.push_str(&format!("; {left} not begun"));
    }
    line.push('.');
    say(&line);
    if failed + left > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A number of tenants.
pub fn tenants(number: usize) -> String {
    if number == 1 { "1 tenant".to_owned() } else { format!("{number} tenants") }
}
