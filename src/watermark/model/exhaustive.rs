//! Every order of steps of small worlds, and that the judge notices where a rule does not hold.
//!
//! The worlds of the ordinary tests are explored in seconds; `./scripts/model` explores larger ones of the same kinds.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    judge::Judge,
    state::{Action, Model},
    world::{Blob, Faults, Rules, Serves, World},
};

/// With this in the environment the larger worlds are explored.
const LARGE: &str = "LABELSTREAM_MODEL_LARGE";

/// What was explored of a world.
struct Explored {
    states: usize,
    steps: usize,
    stored: usize,
}

/// A state in which something does not hold, and the steps that lead there.
struct Found {
    what: String,
    steps: Vec<Action>,
}

/// Explores every state that can be reached, depth first, and judges each. Of those that were seen only the fingerprint
/// is kept, with the step that led there.
fn explore(world: World) -> Result<Explored, Found> {
    let (model, mut judge) = (Model::new(world), Judge::default());
    let start = model.start();
    let mut seen = HashMap::from([(model.fingerprint(&start), None)]);
    let mut steps = 0;
    let mut stack = vec![(model.fingerprint(&start), start)];
    while let Some((from, state)) = stack.pop() {
        if let Err(what) = judge.judge(&model, &state) {
            return Err(Found { what, steps: way(&seen, from) });
        }
        for action in model.actions(&state) {
            steps += 1;
            let next = model.after(&state, action);
            let fingerprint = model.fingerprint(&next);
            if let Entry::Vacant(entry) = seen.entry(fingerprint) {
                entry.insert(Some((from, action)));
                stack.push((fingerprint, next));
            }
        }
    }
    Ok(Explored { states: seen.len(), steps, stored: judge.stored() })
}

/// The steps that led to the state with this fingerprint.
fn way(seen: &HashMap<u128, Option<(u128, Action)>>, mut to: u128) -> Vec<Action> {
    let mut steps = Vec::new();
    while let Some(Some((from, action))) = seen.get(&to) {
        steps.push(*action);
        to = *from;
    }
    steps.reverse();
    steps
}

/// Explores `small`, or in its place `large`; nothing may be found.
fn holds(name: &str, small: World, large: World) {
    let is_large = std::env::var_os(LARGE).is_some();
    match explore(if is_large { large } else { small }) {
        Ok(Explored { states, steps, stored }) => {
            eprintln!("{name}: {states} states, {steps} steps, {stored} stored states");
        }
        Err(Found { what, steps }) => panic!("{what}, after {steps:#?}"),
    }
}

/// Explores `world`, in which a rule does not hold: that must be found.
fn finds(what: &str, world: World) {
    match explore(world) {
        Ok(explored) => panic!("nothing was found in {} states", explored.states),
        Err(found) => assert!(found.what.contains(what), "{}, after {:#?}", found.what, found.steps),
    }
}

const NONE: Faults = Faults { kills: 0, posts: 0, saves: 0, expiries: 0 };
const A_KILL: Faults = Faults { kills: 1, ..NONE };
const AN_EXPIRY: Faults = Faults { expiries: 1, ..NONE };

/// One content with one record.
fn single() -> Vec<Blob> {
    vec![Blob::new(60, &[0])]
}

/// One content with two records.
fn double() -> Vec<Blob> {
    vec![Blob::new(60, &[0, 1])]
}

/// Two contents in two windows, with a record in common.
fn sharing() -> Vec<Blob> {
    vec![Blob::new(60, &[0, 1]), Blob::new(25 * 60, &[1])]
}

/// A content that the listing names twice, and one that is listed late with an older time and has a record of the other.
fn late() -> Vec<Blob> {
    vec![Blob { twice: true, ..Blob::new(26 * 60, &[0]) }, Blob { late: true, ..Blob::new(25 * 60, &[0, 1]) }]
}

/// A content that fails once, and one that the feed serves no more.
fn failing() -> Vec<Blob> {
    let (once, gone) = (Serves::WholeAfter(1), Serves::Expired);
    vec![Blob { serves: once, ..Blob::new(60, &[0]) }, Blob { serves: gone, ..Blob::new(70, &[1]) }]
}

/// A content that always breaks off, and a good one with a record of it.
fn broken() -> Vec<Blob> {
    vec![Blob { serves: Serves::Broken, ..Blob::new(60, &[0, 1]) }, Blob::new(25 * 60, &[0])]
}

/// `blobs` on pages of one, their bodies in one piece, posted one batch at a time, in two runs.
fn world(blobs: Vec<Blob>, faults: Faults) -> World {
    World { blobs, page: 1, piece: 9, at_once: 1, runs: 2, faults, rules: Rules::KEPT }
}

/// `world` with bodies in pieces of one record, and two batches under way at once.
fn finer(world: World) -> World {
    World { piece: 1, at_once: 2, ..world }
}

#[test]
fn whatever_is_listed_read_posted_and_saved_first() {
    let three = [sharing(), vec![Blob::new(61, &[2])]].concat();
    holds("order", finer(world(sharing(), NONE)), World { page: 2, ..finer(world(three, NONE)) });
}

#[test]
fn whatever_is_listed_twice_or_late() {
    holds("late", finer(world(late(), NONE)), world(late(), A_KILL));
}

#[test]
fn whenever_the_process_is_killed() {
    let twice = World { runs: 3, ..finer(world(double(), Faults { kills: 2, ..NONE })) };
    holds("kills", World { at_once: 2, ..world(double(), A_KILL) }, twice);
}

#[test]
fn whenever_the_process_is_killed_between_contents_that_share_a_record() {
    let two_at_once = World { at_once: 2, ..world(sharing(), A_KILL) };
    let one_record = vec![Blob::new(60, &[0]), Blob::new(25 * 60, &[0])];
    holds("kills, shared record", world(one_record, A_KILL), two_at_once);
}

#[test]
fn whichever_answers_of_the_endpoint_are_lost() {
    let posts = |posts| Faults { posts, ..NONE };
    holds("posts", finer(world(double(), posts(2))), finer(world(sharing(), posts(2))));
}

#[test]
fn whichever_saves_are_lost_or_arrive_late() {
    let saves = |saves| Faults { saves, ..NONE };
    holds("saves", world(double(), saves(2)), World { at_once: 2, ..world(sharing(), saves(1)) });
}

#[test]
fn whichever_of_two_saves_at_once_is_lost_or_arrives_late() {
    let a_save = Faults { saves: 1, ..NONE };
    let with_a_kill = Faults { kills: 1, ..a_save };
    holds("saves at once", finer(world(double(), a_save)), finer(world(double(), with_a_kill)));
}

#[test]
fn whichever_contents_fail() {
    holds("failing", world(failing(), NONE), world(failing(), A_KILL));
}

#[test]
fn whatever_breaks_off_always() {
    holds("broken", world(broken(), NONE), world(broken(), A_KILL));
}

#[test]
fn whenever_a_lease_runs_out_and_a_second_run_begins() {
    holds("expiry", world(single(), AN_EXPIRY), world(sharing(), AN_EXPIRY));
}

#[test]
fn whatever_goes_wrong_together() {
    let all = Faults { kills: 1, posts: 1, saves: 1, expiries: 1 };
    holds("all", world(single(), Faults { expiries: 0, ..all }), world(single(), all));
}

#[test]
fn a_document_that_is_saved_first_is_found() {
    let rules = Rules { in_order: false, ..Rules::KEPT };
    finds("passed over", World { rules, ..world(double(), A_KILL) });
}

#[test]
fn a_place_that_is_given_back_before_the_save_is_found() {
    let rules = Rules { holds_places: false, ..Rules::KEPT };
    finds("comes 2 times", World { rules, ..world(double(), A_KILL) });
}

#[test]
fn a_run_that_does_not_ask_for_the_lock_is_found() {
    let rules = Rules { asks_for_the_lock: false, ..Rules::KEPT };
    finds("overwritten", World { rules, ..world(double(), AN_EXPIRY) });
}

#[test]
fn a_store_that_does_not_compare_is_found() {
    let rules = Rules { compares: false, ..Rules::KEPT };
    finds("overwritten", World { rules, ..world(double(), A_KILL) });
}

#[test]
fn a_run_that_ends_over_a_late_write_is_found() {
    let rules = Rules { late_writes: 0, ..Rules::KEPT };
    finds("comes 2 times", World { rules, ..world(double(), A_KILL) });
}
