//! The windows that one content type has begun in a run, in their order.

use std::collections::VecDeque;

use time::OffsetDateTime;

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Window {
    until: OffsetDateTime,
    listed: bool,
    unsettled: usize,
}

/// Windows by number, counted from 0 within the run. Each is settled once it is listed to its end and all its contents
/// are; they are passed in their order alone.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub struct Windows {
    open: VecDeque<Window>,
    /// The number of the front of `open`.
    front: u64,
}

impl Windows {
    /// Begins a window that reaches up to `until`; its number.
    pub fn begin(&mut self, until: OffsetDateTime) -> u64 {
        self.open.push_back(Window { until, listed: false, unsettled: 0 });
        self.end() - 1
    }

    /// The number that the next window gets.
    pub fn end(&self) -> u64 {
        self.front + self.open.len() as u64
    }

    /// Whether every window before `number` was passed.
    pub const fn passed(&self, number: u64) -> bool {
        number <= self.front
    }

    /// The last page of the window is in.
    pub fn listed(&mut self, number: u64) {
        if let Some(window) = self.window(number) {
            window.listed = true;
        }
    }

    /// The window waits for one content more.
    pub fn hold(&mut self, number: u64) {
        if let Some(window) = self.window(number) {
            window.unsettled += 1;
        }
    }

    /// A content that the window waited for is settled or pending.
    pub fn release(&mut self, number: u64) {
        if let Some(window) = self.window(number) {
            window.unsettled = window.unsettled.saturating_sub(1);
        }
    }

    /// Passes the front window if it is settled; where it ended.
    pub fn pass(&mut self) -> Option<OffsetDateTime> {
        let settled = self.open.front().filter(|window| window.listed && window.unsettled == 0)?;
        let until = settled.until;
        self.open.pop_front();
        self.front += 1;
        Some(until)
    }

    fn window(&mut self, number: u64) -> Option<&mut Window> {
        let index = usize::try_from(number.checked_sub(self.front)?).ok()?;
        self.open.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    use super::*;

    proptest! {
        #[test]
        fn a_window_is_passed_once_after_those_before_it_and_only_settled(
            steps in prop::collection::vec((0_u8..4, 0_u64..6), 0..80),
        ) {
            let start = datetime!(2026-11-16 0:00 UTC);
            let (mut windows, mut model, mut passed) = (Windows::default(), Vec::new(), 0);
            for (step, number) in steps {
                let known = usize::try_from(number).is_ok_and(|index| index < model.len() && index >= passed);
                match step {
                    0 => {
                        let until = start + Duration::hours(model.len() as i64);
                        prop_assert_eq!(windows.begin(until), model.len() as u64);
                        model.push((until, false, 0_u32));
                    }
                    1 if known => {
                        windows.listed(number);
                        model[number as usize].1 = true;
                    }
                    2 if known => {
                        windows.hold(number);
                        model[number as usize].2 += 1;
                    }
                    3 if known && model[number as usize].2 > 0 => {
                        windows.release(number);
                        model[number as usize].2 -= 1;
                    }
                    _ => {}
                }
                while let Some(until) = windows.pass() {
                    prop_assert_eq!((until, true, 0), model[passed]);
                    passed += 1;
                }
                prop_assert!(model.get(passed).is_none_or(|(_, listed, unsettled)| !listed || *unsettled > 0));
                prop_assert!(windows.passed(passed as u64) && !windows.passed(passed as u64 + 1));
            }
        }
    }
}
