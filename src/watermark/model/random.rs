//! Some orders of steps of worlds that are too large to explore.

use proptest::prelude::*;

use super::{
    judge::Judge,
    state::Model,
    world::{Blob, Faults, Rules, Serves, World},
};

/// A content listed late is published so that the look of a day finds it, for as long as runs of a world go on.
const LATE_FROM: i64 = 20 * 60;

fn blob() -> impl Strategy<Value = Blob> {
    let serves = prop_oneof![
        4 => Just(Serves::Whole),
        1 => (1_u8..3).prop_map(Serves::WholeAfter),
        1 => Just(Serves::Broken),
        1 => Just(Serves::Expired),
    ];
    let records = prop::collection::vec(0_u8..12, 0..4);
    (0_i64..30 * 60, records, serves, prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(
        |(minute, records, serves, late, twice)| {
            let minute = if late { minute.max(LATE_FROM) } else { minute };
            Blob { minute, records, serves, late, twice }
        },
    )
}

fn world() -> impl Strategy<Value = World> {
    let blobs = prop::collection::vec(blob(), 1..8);
    let faults = (0_u8..4, 0_u8..4, 0_u8..4, 0_u8..3);
    (blobs, 1_usize..4, 1_usize..4, 1_usize..5, faults).prop_map(|(blobs, page, piece, at_once, faults)| {
        let (kills, posts, saves, expiries) = faults;
        let faults = Faults { kills, posts, saves, expiries };
        World { blobs, page, piece, at_once, runs: 6, faults, rules: Rules::KEPT }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_steps_loses_or_doubles(world in world(), choices in prop::collection::vec(any::<u16>(), 0..250)) {
        let model = Model::new(world);
        let mut state = model.start();
        let mut steps = Vec::new();
        for choice in choices {
            let actions = model.actions(&state);
            let Some(action) = actions.get(usize::from(choice) % actions.len().max(1)) else { break };
            steps.push(*action);
            state = model.after(&state, *action);
        }
        if let Err(what) = Judge::default().judge(&model, &state) {
            prop_assert!(false, "{what}, after {steps:#?}");
        }
    }
}
