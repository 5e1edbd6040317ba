//! `labelstream report`: the real binary on rows that `labelstream pull` wrote of a simulated company, and its page in a
//! real browser: from the disk, dark and light, on paper, and with texts that would like to be more than texts. With
//! `STATUS_SCREENSHOTS` set to a folder, the pictures of the documentation are put there (`./scripts/screenshots`).
//!
//! Where no browser is installed those tests are shown as ignored, with the reason. With `STATUS_BROWSER=required` that
//! fails, so that CI does not pass for want of one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "support/browser.rs"]
mod browser;
#[path = "report/command.rs"]
mod command;
#[path = "report/company.rs"]
mod company;
#[path = "report/page.rs"]
mod page;
#[path = "report/viewer.rs"]
mod viewer;

use std::process::ExitCode;

use browser::Browser;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let Ok(browser) = Browser::find_or_tell("the report") else { return ExitCode::FAILURE };
    let told = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let shown = |name: &str, test: fn(&Browser)| Browser::trial(browser.as_ref(), name, test);
    let trials = vec![
        told("rows_of_a_pull_become_a_report_with_their_figures", command::rows_of_a_pull),
        told("lines_that_are_no_row_are_named_and_left_out", command::lines_that_are_no_row),
        told("without_a_row_there_is_no_report", command::without_a_row),
        told("a_report_is_replaced_and_nothing_else", command::what_is_replaced),
        told("standard_input_and_output_are_streams", command::streams),
        told("what_cannot_be_read_or_written_is_told", command::what_fails),
        shown("the_pictures_are_drawn_from_the_disk_without_a_complaint", page::from_the_disk),
        shown("dark_and_light_have_their_own_colours", page::dark_and_light),
        shown("nothing_is_asked_for_but_the_page", page::nothing_is_loaded),
        shown("without_scripts_the_figures_are_there", page::without_scripts),
        shown("on_paper_it_is_light_and_its_pictures_are_lines", page::on_paper),
        shown("a_bar_tells_its_figures", page::a_bar_tells_its_figures),
        shown("texts_of_rows_stay_texts", page::hostile_texts),
        shown("the_browser_would_tell_of_a_script_that_its_policy_forbids", page::a_forbidden_script),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
