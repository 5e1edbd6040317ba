use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { requests: 3, ..Limits::SERVICE };

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_window_slides() {
    let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
    for second in [0, 10, 20] {
        assert_eq!(pace.admit(start + secs(second)), Admit::Go);
    }
    assert_eq!(pace.admit(start + secs(59)), Admit::WaitUntil(start + secs(60)));
    assert_eq!(pace.admit(start + secs(60)), Admit::Go);
    assert_eq!(pace.admit(start + secs(60)), Admit::WaitUntil(start + secs(70)));
}

#[test]
fn a_pause_holds_everyone_and_is_bounded() {
    let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
    assert_eq!(pace.admit(start), Admit::Go);
    pace.throttled(start, start + secs(1), Some(secs(30)), 0.0);
    assert_eq!(pace.admit(start + secs(2)), Admit::WaitUntil(start + secs(31)));
    assert_eq!(pace.admit(start + secs(31)), Admit::Go);
    pace.throttled(start + secs(31), start + secs(40), Some(secs(86_400)), 0.0);
    assert_eq!(pace.admit(start + secs(41)), Admit::WaitUntil(start + secs(640)));
}

#[test]
fn pauses_double_until_an_answer() {
    let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
    let mut now = start;
    for pause in [5, 10, 20, 30, 30] {
        pace.throttled(now, now, None, 0.0);
        assert_eq!(pace.admit(now), Admit::WaitUntil(now + secs(pause)));
        now += secs(pause);
    }
    pace.answered(start);
    pace.throttled(now, now, None, 0.0);
    assert_eq!(pace.admit(now), Admit::WaitUntil(now + secs(30)), "an answer from before the pause");
    now += secs(30);
    pace.answered(now);
    pace.throttled(now, now, None, 1.0);
    assert_eq!(pace.admit(now), Admit::WaitUntil(now + Duration::from_millis(2500)), "chance takes half");
}

#[test]
fn one_request_finds_out_whether_throttling_is_over() {
    let (mut pace, start) = (Pace::new(Limits::SERVICE), Instant::now());
    assert_eq!(pace.admit(start), Admit::Go);
    pace.throttled(start, start, Some(secs(5)), 0.0);
    let after = start + secs(5);
    assert_eq!(pace.admit(after), Admit::Go);
    assert_eq!(pace.admit(after), Admit::WaitUntil(after + FINDS_OUT), "the others wait for its answer");
    pace.throttled(after, after + secs(1), Some(secs(5)), 0.0);
    let after = after + secs(6);
    assert_eq!(pace.admit(after), Admit::Go, "another finds out");
    assert_eq!(pace.admit(after + secs(9)), Admit::WaitUntil(after + FINDS_OUT));
    pace.untold(start);
    assert_eq!(pace.admit(after + secs(9)), Admit::WaitUntil(after + FINDS_OUT), "it was not that one");
    pace.untold(after);
    let after = after + secs(9);
    assert_eq!(pace.admit(after), Admit::Go, "it was dropped: another finds out");
    let later = after + FINDS_OUT;
    assert_eq!(pace.admit(later), Admit::Go, "one without an answer is not waited for without end");
    pace.answered(after);
    for _ in 0..100 {
        assert_eq!(pace.admit(later), Admit::Go, "it is over");
    }
}

#[test]
fn where_a_person_waits_nobody_waits_for_another() {
    let (mut pace, start) = (Pace::new(Limits::ATTENDED), Instant::now());
    assert_eq!(pace.admit(start), Admit::Go);
    pace.throttled(start, start, None, 0.0);
    assert_eq!([pace.admit(start), pace.admit(start)], [Admit::Go; 2]);
}

#[test]
fn one_burst_counts_once() {
    let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
    for late in [1, 2, 3] {
        pace.throttled(start, start + secs(late), None, 0.0);
    }
    assert_eq!(pace.admit(start + secs(4)), Admit::WaitUntil(start + secs(6)));
    pace.throttled(start, start + secs(4), Some(secs(20)), 0.0);
    assert_eq!(pace.admit(start + secs(4)), Admit::WaitUntil(start + secs(24)), "a longer wait still holds");
    pace.throttled(start, start + secs(5), Some(secs(1)), 0.0);
    assert_eq!(pace.admit(start + secs(6)), Admit::WaitUntil(start + secs(24)), "a shorter one does not cut it");
}

proptest! {
    #[test]
    fn no_period_holds_more_than_its_requests(limit in 1_usize..6, steps in prop::collection::vec((0_u64..30, 0_u8..8), 1..120)) {
        let limits = Limits { requests: limit, ..Limits::SERVICE };
        let (mut pace, mut now) = (Pace::new(limits), Instant::now());
        let mut sent: Vec<Instant> = Vec::new();
        let mut paused_until = now;
        for (step, event) in steps {
            now += secs(step);
            match pace.admit(now) {
                Admit::Go => {
                    prop_assert!(now >= paused_until);
                    sent.push(now);
                }
                Admit::WaitUntil(until) => {
                    prop_assert!(until > now);
                    prop_assert!(until <= now + limits.longest_pause.max(limits.period));
                }
            }
            if let (0, Some(&last)) = (event, sent.last()) {
                pace.throttled(last, now, Some(secs(step)), 0.5);
                paused_until = paused_until.max(now + secs(step));
            }
        }
        for (index, first) in sent.iter().enumerate() {
            let within = sent[index..].iter().filter(|&&other| other < *first + limits.period).count();
            prop_assert!(within <= limit);
        }
    }

    #[test]
    fn after_throttling_one_request_at_a_time_is_under_way(events in prop::collection::vec((0_u64..8, 0_u8..6, any::<prop::sample::Index>()), 1..200)) {
        let (mut pace, mut now) = (Pace::new(Limits::SERVICE), Instant::now());
        let mut under_way: Vec<Instant> = Vec::new();
        let mut throttled_at = None;
        for (step, event, which) in events {
            now += secs(step) + Duration::from_nanos(1);
            if event < 3 || under_way.is_empty() {
                let fresh = |sent: &&Instant| throttled_at.is_some_and(|noted| **sent > noted) && **sent + FINDS_OUT > now;
                let finds_out = under_way.iter().any(|sent| fresh(&sent));
                match pace.admit(now) {
                    Admit::Go => {
                        prop_assert!(!finds_out);
                        under_way.push(now);
                    }
                    Admit::WaitUntil(until) => prop_assert!(until > now),
                }
                continue;
            }
            let admitted = under_way.swap_remove(which.index(under_way.len()));
            let news = throttled_at.is_none_or(|noted| admitted > noted);
            match event {
                3 => {
                    pace.throttled(admitted, now, (step > 3).then(|| secs(step)), 0.5);
                    if news {
                        throttled_at = Some(now);
                    }
                }
                4 => {
                    pace.answered(admitted);
                    if news {
                        throttled_at = None;
                    }
                }
                _ => pace.untold(admitted),
            }
        }
    }

    #[test]
    fn whoever_waits_as_told_gets_in(limit in 1_usize..6, workers in 1_usize..20) {
        let (mut pace, mut now) = (Pace::new(Limits { requests: limit, ..Limits::SERVICE }), Instant::now());
        let mut asked = 0;
        for _ in 0..workers {
            while let Admit::WaitUntil(until) = pace.admit(now) {
                now = until;
                asked += 1;
            }
        }
        prop_assert_eq!(asked, (workers - 1) / limit);
    }
}

#[test]
fn the_latest_wait_is_known() {
    let (budget, start) = (Budget::new(LIMITS), Instant::now());
    assert_eq!(budget.held_until(), None);
    for second in [0, 10, 20] {
        budget.pace().admit(start + secs(second));
    }
    assert_eq!(budget.held_until(), None, "nobody waited");
    budget.pace().admit(start + secs(30));
    assert_eq!(budget.held_until(), Some(start + secs(60)));
    budget.pace().throttled(start, start + secs(31), Some(secs(100)), 0.0);
    budget.pace().admit(start + secs(32));
    assert_eq!(budget.held_until(), Some(start + secs(131)));
}

#[tokio::test]
async fn a_wait_that_is_given_up_uses_nothing() {
    let budget = Budget::new(Limits { requests: 1, ..Limits::SERVICE });
    let first = budget.take().await;
    let mut second = Box::pin(budget.take());
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(second);
    assert_eq!(budget.counts().requests, 1);
    assert!(budget.counts().waited > Duration::ZERO);
    first.throttled(None);
    assert_eq!(budget.counts().throttled, 1);
}

#[tokio::test]
async fn whoever_waits_for_another_to_find_out_goes_on_when_that_is_told_or_dropped() {
    let budget = Budget::new(Limits { first_pause: Duration::from_nanos(1), ..Limits::SERVICE });
    budget.take().await.throttled(None);
    let first = budget.take().await;
    let mut others: Vec<_> = (0..3).map(|_| Box::pin(budget.take())).collect();
    for other in &mut others {
        assert!(futures_util::poll!(other).is_pending());
    }
    drop(first);
    let second = others.remove(0).await;
    for other in &mut others {
        assert!(futures_util::poll!(other).is_pending(), "another finds out");
    }
    second.answered();
    for other in others {
        other.await.answered();
    }
    assert!(budget.counts().waited < FINDS_OUT, "nobody waited in vain");
    assert_eq!(budget.counts().requests, 5);
}

#[tokio::test]
async fn workers_share_one_budget() {
    let period = Duration::from_millis(20);
    let budget = Budget::new(Limits { requests: 2, period, ..Limits::SERVICE });
    let taken = futures_util::future::join_all((0..5).map(|_| budget.take())).await;
    let mut admitted: Vec<_> = taken.iter().map(|permit| permit.admitted).collect();
    admitted.sort();
    for three in admitted.windows(3) {
        assert!(three[2] - three[0] >= period);
    }
    assert_eq!(budget.counts().requests, 5);
}
