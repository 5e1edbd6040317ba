//! This machine's clock against those of the services.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, header::DATE};
use time::{Duration as Span, OffsetDateTime, format_description::well_known::Rfc2822};
use url::Url;

use super::{Check, Finding};
use crate::feed::window::{EDGE_STEP, SKEW};

/// How long an answer may take. It is one without a body.
const ANSWER: Duration = Duration::from_secs(10);

/// How far a service's clock is ahead of this machine's.
type Skew = (String, Span);

/// Asks each origin for nothing, without a token, and reads the `Date` of whatever it answers.
pub(super) async fn examine(http: &Client, origins: &[(&str, Url)]) -> Finding {
    let mut asked: Vec<(&str, &Url)> = Vec::new();
    for (name, url) in origins {
        if !asked.iter().any(|(_, known)| known.origin() == url.origin()) {
            asked.push((name, url));
        }
    }
    let skews = join_all(asked.into_iter().map(async |(name, url)| Some((name.to_owned(), skew(http, url).await?))));
    judge(skews.await.into_iter().flatten().collect())
}

async fn skew(http: &Client, url: &Url) -> Option<Span> {
    let begun = OffsetDateTime::now_utc();
    // A service that does not answer is told of by its own check.
    let answer = http.head(url.join("/").ok()?).timeout(ANSWER).send().await.ok()?;
    let took = OffsetDateTime::now_utc() - begun;
    let date = OffsetDateTime::parse(answer.headers().get(DATE)?.to_str().ok()?, &Rfc2822).ok()?;
    Some(date - (begun + took / 2))
}

fn judge(skews: Vec<Skew>) -> Finding {
    let check = Check::Clock;
    let Some((name, skew)) = skews.iter().max_by_key(|(_, skew)| skew.abs()) else {
        return Finding::not_needed(check, "no service told its time");
    };
    let seconds = skew.abs().whole_seconds();
    if skew.abs() <= SKEW {
        return Finding::ok(check, format!("{seconds} s off at most, from {name} (services asked: {})", skews.len()));
    }
    let side = if skew.is_negative() { "ahead of" } else { "behind" };
    let found = format!("this machine's clock is {seconds} s {side} {name}");
    let fix = "timedatectl set-ntp true\nOn Azure the platform keeps the clock: restart the app";
    if skew.abs() <= EDGE_STEP {
        return Finding::warning(check, format!("{found}: contents may be listed late"), fix);
    }
    // Storage takes no request that was signed more than 15 minutes ago, and tokens are not valid yet.
    Finding::failed(check, format!("{found}: tokens and signed requests are refused"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_clock_may_be_a_minute_off() {
        let of = |seconds: &[i64]| {
            let skews = seconds.iter().map(|&seconds| (format!("s{seconds}"), Span::seconds(seconds))).collect();
            judge(skews)
        };
        for (seconds, verdict) in [
            (&[][..], Verdict::Skipped),
            (&[0, 1], Verdict::Ok),
            (&[-60, 60], Verdict::Ok),
            (&[0, -61], Verdict::Warning),
            (&[600], Verdict::Warning),
            (&[-901, 0], Verdict::Failed),
        ] {
            assert_eq!(of(seconds).verdict, verdict, "{seconds:?}");
        }
        assert!(of(&[-90]).found.contains("90 s ahead of s-90"));
        assert!(of(&[90]).found.contains("90 s behind s90"));
    }
}
