//! The feed: whether it answers, knows the tenant, has the subscriptions, and lists.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use super::{Check, Finding};
use crate::{
    content::ContentType,
    feed::{FeedClient, FeedError, FeedErrorKind, Subscription, Window, subscription::to_start},
};

/// What listing one content type came to: how many contents its first page has, and whether there are more.
type Listed = Result<(usize, bool), FeedError>;

/// Asks for the subscriptions and for the last 24 hours of each content type that has one.
pub(super) async fn examine(feed: &FeedClient, wanted: &[ContentType], now: OffsetDateTime) -> Vec<Finding> {
    let subscriptions = feed.subscriptions().await;
    let missing = subscriptions.as_deref().map_or_else(|_| wanted.to_vec(), |listed| to_start(listed, wanted));
    let window = last_day(now);
    let listings = wanted.iter().filter(|wanted| !missing.contains(wanted)).map(async |&content_type| {
        let listed = feed.list(content_type, &window, None).await;
        (content_type, listed.map(|page| (page.contents.len() + page.skipped.len(), page.next.is_some())))
    });
    let listings = join_all(listings).await.into_iter().collect();
    judge(subscriptions, &listings, wanted)
}

/// The last 24 hours, up to a minute ago as a run has it.
fn last_day(now: OffsetDateTime) -> Window {
    let end = now - crate::feed::window::SKEW;
    Window { start: end - Duration::DAY, end }
}

/// What the answers mean.
fn judge(
    subscriptions: Result<Vec<Subscription>, FeedError>,
    listings: &BTreeMap<ContentType, Listed>,
    wanted: &[ContentType],
) -> Vec<Finding> {
    let refusals =
        || subscriptions.as_ref().err().into_iter().chain(listings.values().filter_map(|it| it.as_ref().err()));
    if let Some(error) = refusals().find(|error| says_auditing_is_off(error)) {
        let mut findings = vec![Finding::ok(Check::Feed, "it answers"), auditing_off(error)];
        findings.extend(wanted.iter().flat_map(|&wanted| skipped(wanted, Check::Auditing)));
        return findings;
    }
    let listed = match &subscriptions {
        Ok(listed) => listed,
        Err(error) => {
            let mut findings = vec![refused(Check::Feed, error), Finding::because(Check::Auditing, Check::Feed)];
            findings.extend(wanted.iter().flat_map(|&wanted| skipped(wanted, Check::Feed)));
            return findings;
        }
    };
    let missing = to_start(listed, wanted);
    let mut findings = vec![Finding::ok(Check::Feed, "it answers"), auditing(listings, wanted)];
    for &content_type in wanted {
        findings.push(subscription(content_type, missing.contains(&content_type), listings.get(&content_type)));
        findings.push(listing(content_type, listings.get(&content_type)));
    }
    findings
}

/// "Tenant … does not exist" and AF20011: what the feed says while auditing is off (Management Activity API reference and
/// its troubleshooting page).
fn says_auditing_is_off(error: &FeedError) -> bool {
    error.kind() == FeedErrorKind::AuditingOff || error.code() == Some("AF20011")
}

const TURN_ON: &str = "In Exchange Online PowerShell: Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true";

fn auditing_off(error: &FeedError) -> Finding {
    let (found, _) = apart(error);
    let fix = format!(
        "{TURN_ON}\nIt takes up to a day until the feed knows the tenant. M365_TENANT_ID and M365_CLOUD must be right"
    );
    Finding::failed(Check::Auditing, found, fix)
}

fn auditing(listings: &BTreeMap<ContentType, Listed>, wanted: &[ContentType]) -> Finding {
    let is_silent = listings.len() == wanted.len() && listings.values().all(|listed| matches!(listed, Ok((0, false))));
    if is_silent {
        return Finding::warning(
            Check::Auditing,
            "the feed knows the tenant, and has published nothing in the last 24 hours",
            "After the very first start of the subscriptions it may take 12 hours; else see whether auditing is on: \
             Get-AdminAuditLogConfig | Format-List UnifiedAuditLogIngestionEnabled",
        );
    }
    Finding::ok(Check::Auditing, "the feed knows the tenant")
}

fn subscription(content_type: ContentType, is_missing: bool, listed: Option<&Listed>) -> Finding {
    let check = Check::Subscription;
    let finding = match listed {
        _ if is_missing => Finding::failed(
            check,
            "there is none that is enabled, and what is published meanwhile is lost; the next run starts it, too",
            "labelstream connect",
        ),
        Some(Err(error)) if error.needs_start() => Finding::warning(
            check,
            format!("the feed lists it as enabled, and does not serve it yet: {}", apart(error).0),
            "Wait: a subscription that was just started takes some minutes",
        ),
        _ => Finding::ok(check, "enabled"),
    };
    finding.of(content_type.as_str())
}

fn listing(content_type: ContentType, listed: Option<&Listed>) -> Finding {
    let finding = match listed {
        Some(Ok((contents, false))) => Finding::ok(Check::Listing, format!("{contents} contents in the last 24 hours")),
        Some(Ok((contents, true))) => {
            Finding::ok(Check::Listing, format!("{contents} contents and more in the last 24 hours"))
        }
        Some(Err(error)) if !error.needs_start() => refused(Check::Listing, error),
        _ => Finding::because(Check::Listing, Check::Subscription),
    };
    finding.of(content_type.as_str())
}

fn skipped(content_type: ContentType, ground: Check) -> [Finding; 2] {
    [Check::Subscription, Check::Listing].map(|check| Finding::because(check, ground).of(content_type.as_str()))
}

/// Every finding of the feed, because of `ground`.
pub(super) fn all_skipped(wanted: &[ContentType], ground: Check) -> Vec<Finding> {
    let mut findings = vec![Finding::because(Check::Feed, ground), Finding::because(Check::Auditing, ground)];
    findings.extend(wanted.iter().flat_map(|&wanted| skipped(wanted, ground)));
    findings
}

fn refused(check: Check, error: &FeedError) -> Finding {
    let (found, fix) = apart(error);
    Finding::failed(check, found, fix.unwrap_or("Try again; if it goes on, the text above is what the feed says"))
}

/// The text of an error, and its hint by itself.
fn apart(error: &FeedError) -> (String, Option<&'static str>) {
    let (text, hint) = (error.to_string(), error.hint());
    let without = hint.and_then(|hint| text.strip_suffix(hint)).map(|text| text.trim_end_matches(". ").to_owned());
    (without.unwrap_or(text), hint)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;
    use crate::{
        doctor::Verdict,
        feed::{Operation, classify},
    };

    const GENERAL: ContentType = ContentType::General;

    fn error(status: u16, body: &str) -> FeedError {
        let answer = classify::Answer { status, headers: &HeaderMap::new(), body, now: OffsetDateTime::UNIX_EPOCH };
        classify::classify(&Operation::List(GENERAL), &answer)
    }

    fn on() -> Vec<Subscription> {
        vec![Subscription { content_type: GENERAL.to_string(), status: Some("enabled".to_owned()) }]
    }

    fn verdicts(subscriptions: Result<Vec<Subscription>, FeedError>, listed: Option<Listed>) -> Vec<(Check, Verdict)> {
        let listings = listed.map(|listed| (GENERAL, listed)).into_iter().collect();
        let findings = judge(subscriptions, &listings, &[GENERAL]);
        for finding in &findings {
            let needs_fix = matches!(finding.verdict, Verdict::Failed | Verdict::Warning);
            assert_eq!(finding.fix.is_some(), needs_fix, "{finding:?}");
        }
        findings.into_iter().map(|finding| (finding.check, finding.verdict)).collect()
    }

    #[test]
    fn each_answer_blames_one_thing() {
        use Verdict::{Failed, Ok as Well, Skipped, Warning};
        let off = || error(400, r#"{"error":{"code":"x","message":"Tenant 1 does not exist."}}"#);
        let unauthorized = || error(401, "");
        let none = || error(400, r#"{"error":{"code":"AF20022","message":"none"}}"#);
        let fails = || error(500, "");
        for (subscriptions, listed, expected) in [
            (Ok(on()), Some(Ok((3, false))), [Well, Well, Well, Well]),
            (Ok(on()), Some(Ok((0, false))), [Well, Warning, Well, Well]),
            (Ok(on()), Some(Ok((0, true))), [Well, Well, Well, Well]),
            (Ok(Vec::new()), None, [Well, Well, Failed, Skipped]),
            (Ok(on()), Some(Err(none())), [Well, Well, Warning, Skipped]),
            (Ok(on()), Some(Err(fails())), [Well, Well, Well, Failed]),
            (Ok(on()), Some(Err(off())), [Well, Failed, Skipped, Skipped]),
            (Err(off()), None, [Well, Failed, Skipped, Skipped]),
            (Err(unauthorized()), None, [Failed, Skipped, Skipped, Skipped]),
        ] {
            let checks = [Check::Feed, Check::Auditing, Check::Subscription, Check::Listing];
            let expected: Vec<_> = checks.into_iter().zip(expected).collect();
            assert_eq!(verdicts(subscriptions, listed), expected);
        }
    }

    #[test]
    fn the_hint_is_told_once() {
        let (found, fix) = apart(&error(401, ""));
        assert!(!found.contains(fix.unwrap()) && !found.ends_with(['.', ' ']), "{found}");
    }

    #[test]
    fn the_window_is_one_that_the_feed_takes() {
        let window = last_day(OffsetDateTime::UNIX_EPOCH + Duration::days(9));
        assert_eq!(window.end - window.start, Duration::DAY);
    }
}
