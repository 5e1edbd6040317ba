//! What becomes of contents that fail.

use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    Failure, Listing, Slot, Verdict, Watermark,
    failure::{DOWN_AFTER, MAX_TRIES},
};
use crate::content::{Content, ContentType};

const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);
const KIND: ContentType = ContentType::General;

fn content(name: &str, age: Duration) -> Content {
    Content { content_type: KIND, id: name.to_owned(), uri: String::new(), created: NOW - age, expires: None }
}

/// A run that goes on from `watermark` over these contents: each is listed unless it is pending.
struct Run {
    listing: Listing,
    slots: Vec<(Slot, Content)>,
}

impl Run {
    fn over(watermark: Watermark, contents: &[Content]) -> Self {
        let mut listing = Listing::new(watermark, true, true);
        let mut numbers = 1..;
        let mut next = || Slot { content_type: KIND, number: numbers.next().unwrap() };
        let mut slots = listing.resume(&mut next);
        let window = listing.begin_window(NOW);
        for content in contents {
            let slot = next();
            if listing.offer(window, content, slot) {
                slots.push((slot, content.clone()));
            }
        }
        listing.end_window(window);
        Self { listing, slots }
    }

    fn slot(&self, name: &str) -> Slot {
        self.slots.iter().find(|(_, content)| content.id == name).unwrap().0
    }

    fn fails(&mut self, name: &str, failure: &Failure, now: OffsetDateTime) -> Verdict {
        self.listing.content_failed(self.slot(name), failure, now)
    }

    fn ends(mut self) -> Watermark {
        self.listing.finish();
        self.listing.watermark().clone()
    }
}

fn unreadable() -> Failure {
    Failure::Unreadable("no array".to_owned())
}

fn not_served() -> Failure {
    Failure::Feed("500".to_owned())
}

fn start() -> Watermark {
    Watermark::starting_at(NOW - Duration::days(7))
}

#[test]
fn a_pending_content_that_is_listed_again_is_fetched_where_the_feed_says_now() {
    let at = |uri: &str| Content { uri: uri.to_owned(), ..content("a", Duration::HOUR) };
    let mut run = Run::over(start(), &[at("https://[")]);
    assert_eq!(run.fails("a", &not_served(), NOW), Verdict::Later);
    let run = Run::over(run.ends(), &[at("https://manage.office.com/a")]);
    assert_eq!(run.slots.len(), 1, "it is under way once");
    let again = Run::over(run.ends(), &[]);
    assert_eq!(again.slots[0].1, at("https://manage.office.com/a"));
}

#[test]
fn what_cannot_be_read_while_others_can_is_given_up_after_its_tries() {
    let mut watermark = start();
    for run in 1..=MAX_TRIES + 1 {
        let good = content(&format!("good {run}"), Duration::HOUR);
        let mut run_of = Run::over(watermark, &[content("bad", Duration::HOUR), good.clone()]);
        run_of.listing.content_read(run_of.slot(&good.id));
        let verdict = run_of.fails("bad", &unreadable(), NOW);
        if run > MAX_TRIES {
            assert_eq!(verdict, Verdict::GiveUp { tries: run });
            run_of.listing.given_up(run_of.slot("bad"));
            assert!(run_of.ends().pending.is_empty());
            return;
        }
        assert_eq!(verdict, Verdict::Later);
        watermark = run_of.ends();
        assert_eq!((watermark.pending.len(), watermark.pending[0].tries), (1, run));
        assert_eq!(watermark.listed_through, NOW, "it holds nothing up");
    }
}

#[test]
fn where_nothing_can_be_read_nothing_is_given_up() {
    let mut watermark = start();
    for _ in 0..10 * MAX_TRIES {
        let mut run = Run::over(watermark, &[content("a", Duration::HOUR), content("b", Duration::HOUR)]);
        assert_eq!(run.fails("a", &unreadable(), NOW), Verdict::Later);
        assert_eq!(run.fails("b", &not_served(), NOW), Verdict::Later);
        watermark = run.ends();
    }
    assert_eq!(watermark.pending.len(), 2);
}

#[test]
fn what_the_feed_does_not_serve_is_tried_for_as_long_as_it_may() {
    let mut watermark = start();
    for run in 0..10 * MAX_TRIES {
        let good = content(&format!("good {run}"), Duration::HOUR);
        let mut run = Run::over(watermark, &[content("bad", Duration::days(6)), good.clone()]);
        run.listing.content_read(run.slot(&good.id));
        assert_eq!(run.fails("bad", &not_served(), NOW), Verdict::Later);
        watermark = run.ends();
    }
    let mut run = Run::over(watermark, &[]);
    assert!(matches!(run.fails("bad", &not_served(), NOW + Duration::days(2)), Verdict::GiveUp { .. }));
    // The feed's own word holds where it serves longer.
    let mut long = content("long", Duration::days(9));
    long.expires = Some(NOW + Duration::days(5));
    let mut run = Run::over(start(), &[long]);
    assert_eq!(run.fails("long", &not_served(), NOW), Verdict::Later);
}

#[test]
fn what_has_expired_is_given_up_at_once() {
    let mut run = Run::over(start(), &[content("old", Duration::days(6))]);
    assert_eq!(run.fails("old", &Failure::Expired("AF20051".to_owned()), NOW), Verdict::GiveUp { tries: 1 });
}

#[test]
fn a_feed_that_serves_nothing_is_told_from_a_content_that_is_bad() {
    let mut run = Run::over(start(), &[content("a", Duration::HOUR), content("b", Duration::HOUR)]);
    run.fails("a", &not_served(), NOW);
    assert_eq!(run.listing.nothing_read(), Some((1, "500")));
    run.listing.content_read(run.slot("b"));
    assert_eq!(run.listing.nothing_read(), None, "another could be read");
    let mut next = Run::over(run.ends(), &[]);
    next.fails("a", &not_served(), NOW);
    assert_eq!(next.listing.nothing_read(), None, "it failed before already");
}

#[test]
fn a_feed_that_fails_in_a_row_is_down_until_a_content_is_read() {
    let names: Vec<_> = (0..=DOWN_AFTER).map(|number| content(&number.to_string(), Duration::HOUR)).collect();
    let mut run = Run::over(start(), &names);
    for name in &names[1..] {
        assert!(!run.listing.is_down());
        run.fails(&name.id, &not_served(), NOW);
    }
    assert!(run.listing.is_down());
    run.listing.content_read(run.slot("0"));
    assert!(!run.listing.is_down());
}

#[test]
fn a_page_that_cannot_be_read_is_given_up_after_runs_in_which_others_could_be() {
    let mut watermark = start();
    let mut run = |read: bool, unread: bool| {
        let mut listing = Listing::new(watermark.clone(), true, true);
        if read {
            listing.page_read();
        }
        let given_up = unread && listing.page_unread();
        listing.finish();
        watermark = listing.watermark().clone();
        given_up
    };
    for _ in 0..20 {
        assert!(!run(false, true), "where no page can be read it is no fault of this one");
    }
    for _ in 0..8 {
        assert!(!run(true, true));
    }
    assert!(!run(false, false), "a run that lists nothing says nothing");
    assert!(run(true, true));
    assert!(!run(true, false));
    assert!(!run(true, true), "it begins anew");
}

/// A run that goes on from one in which so many contents failed.
fn after_failures(contents: &[Content]) -> Watermark {
    let mut run = Run::over(start(), contents);
    for content in contents {
        run.fails(&content.id, &not_served(), NOW);
    }
    run.ends()
}

#[test]
fn contents_that_failed_before_stop_no_new_ones() {
    let names: Vec<_> = (0..=DOWN_AFTER).map(|number| content(&number.to_string(), Duration::HOUR)).collect();
    let mut run = Run::over(after_failures(&names), &[content("new", Duration::MINUTE)]);
    for name in &names[1..] {
        assert!(!run.listing.is_idle(run.slot("0")));
        run.fails(&name.id, &not_served(), NOW);
    }
    assert!(run.listing.is_idle(run.slot("0")), "what failed before is left to the next run");
    assert!(!run.listing.is_down() && !run.listing.is_idle(run.slot("new")));
    run.listing.content_read(run.slot("new"));
    assert!(!run.listing.is_idle(run.slot("0")), "the feed serves something");
}

#[test]
fn what_failed_last_is_tried_last() {
    let names = ["a", "b", "c"].map(|name| content(name, Duration::HOUR));
    let mut run = Run::over(after_failures(&names), &[]);
    run.fails("a", &not_served(), NOW);
    run.fails("b", &not_served(), NOW);
    let order: Vec<_> = run.ends().pending.into_iter().map(|pending| pending.content.id).collect();
    assert_eq!(order, ["c", "a", "b"]);
}
