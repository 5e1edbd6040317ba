use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const BEGAN: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

fn at(minutes: i64) -> OffsetDateTime {
    BEGAN + Duration::minutes(minutes)
}

fn put(minutes: i64) -> Standing {
    Standing { put: Some(at(minutes)), ..Standing::default() }
}

#[test]
fn all_are_due_where_the_queue_is_empty() {
    let tenants = [Standing::default(), put(0), Standing { again: Some(at(0)), ..put(0) }];
    assert_eq!(due(&tenants, 0, at(1)), [0, 1, 2]);
}

#[test]
fn who_got_none_for_longest_comes_first() {
    assert_eq!(due(&[put(3), put(1), Standing::default(), put(2)], 0, at(10)), [2, 1, 3, 0]);
}

#[test]
fn who_waits_gets_no_second_message() {
    let ended = |minutes: i64| Standing { ended: Some(at(minutes)), ..put(5) };
    let again = Standing { again: Some(at(6)), ..ended(6) };
    assert_eq!(due(&[Standing::default(), put(5), ended(4), ended(5), ended(6), again], 3, at(10)), [0, 3, 4]);
}

#[test]
fn what_is_lost_is_put_again_after_a_while_and_nothing_else() {
    let tenants = [put(3), put(1), put(2), put(38)];
    assert_eq!(due(&tenants, 4, at(40)), [0_usize; 0], "a queue that is slow");
    assert_eq!(due(&tenants, 3, at(40)), [1], "the one that waits longest");
    assert_eq!(due(&tenants, 1, at(40)), [1, 2, 0], "none that was put lately");
    assert_eq!(due(&tenants, 1, at(20)), [0_usize; 0], "not yet");
}

/// A step of a small world.
#[derive(Debug, Clone, Copy)]
enum Step {
    Tick,
    /// The host takes the first message and its run ends; with work left or not.
    Run(bool),
    /// The host puts the first message into the poison queue.
    Lose,
    /// Minutes go by.
    Wait(i64),
}

/// Tenants, a queue, and what is known of each.
struct World {
    tenants: Vec<Standing>,
    queue: Vec<usize>,
    now: OffsetDateTime,
}

impl World {
    fn step(&mut self, step: Step) {
        self.now += Duration::seconds(1);
        match step {
            Step::Wait(minutes) => self.now += Duration::minutes(minutes),
            Step::Tick => {
                for place in due(&self.tenants, self.queue.len() as u64, self.now) {
                    self.tenants[place].put = Some(self.now);
                    self.queue.push(place);
                }
            }
            Step::Run(_) | Step::Lose if self.queue.is_empty() => {}
            Step::Run(left) => {
                let place = self.queue.remove(0);
                self.tenants[place].ended = Some(self.now);
                self.tenants[place].again = left.then_some(self.now);
                if left {
                    self.queue.push(place);
                }
            }
            Step::Lose => drop(self.queue.remove(0)),
        }
    }

    fn messages_of(&self, place: usize) -> usize {
        self.queue.iter().filter(|message| **message == place).count()
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Tick),
        5 => any::<bool>().prop_map(Step::Run),
        1 => Just(Step::Lose),
        2 => (0_i64..40).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn no_message_is_put_beside_one_that_waits_and_nobody_is_forgotten(
        tenants in 1_usize..6, steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut world = World { tenants: vec![Standing::default(); tenants], queue: Vec::new(), now: BEGAN };
        let mut lost = 0;
        for step in steps {
            lost += usize::from(matches!(step, Step::Lose) && !world.queue.is_empty());
            world.step(step);
            for place in 0..tenants {
                // Which message is lost cannot be known: for each that is, another tenant may get one in its place.
                prop_assert!(world.messages_of(place) <= 1 + lost, "{:?}", world.queue);
                prop_assert!(lost > 0 || world.messages_of(place) <= 1, "{:?}", world.queue);
            }
        }
        // However it stands, each tenant is run within two rounds of an hour.
        for _ in 0..2 {
            world.step(Step::Wait(60));
            world.step(Step::Tick);
            let before = world.now;
            for _ in 0..world.queue.len() {
                world.step(Step::Run(false));
            }
            world.step(Step::Tick);
            for _ in 0..world.queue.len() {
                world.step(Step::Run(false));
            }
            let ran = world.tenants.iter().filter(|tenant| tenant.ended.is_some_and(|ended| ended > before)).count();
            prop_assert_eq!(ran, tenants);
        }
    }

    #[test]
    fn a_queue_that_nobody_takes_from_holds_one_message_a_tenant_for_ever(tenants in 1_usize..20, ticks in 1_usize..40) {
        let mut world = World { tenants: vec![Standing::default(); tenants], queue: Vec::new(), now: BEGAN };
        for _ in 0..ticks {
            world.step(Step::Wait(5));
            world.step(Step::Tick);
        }
        prop_assert_eq!(world.queue.len(), tenants);
    }
}
