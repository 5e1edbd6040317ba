//! The page of all tenants: the verdict, what is wrong with whom, and a table with the worst first.

use super::{
    FOOT, ago, head, list, open_verdict, seconds,
    tables::{self, Cell},
    word,
};
use crate::{
    health::fleet::{Fleet, TenantHealth},
    html::{add, escaped, number, prose},
};

/// The page of `fleet`.
#[must_use]
pub fn fleet_page(fleet: &Fleet) -> String {
    let word = word(fleet.healthy);
    let mut page = head(word, "Many tenants", &fleet.version, fleet.checked_at);
    open_verdict(&mut page, fleet.healthy, word);
    add(&mut page, format_args!("<p>{}.</p>\n", escaped(&fleet.headline())));
    list(&mut page, &fleet.problems);
    page.push_str("</div></section>\n<h2>Tenants</h2>\n");
    for (at, tenant) in fleet.tenants.iter().enumerate() {
        let cells = cells(tenant);
        if at == 0 {
            tables::head(&mut page, &cells);
        }
        tables::row(&mut page, &cells);
        for problem in tenant.health.problems.iter().filter(|_| tenant.enabled) {
            let columns = cells.len();
            add(
                &mut page,
                format_args!("<tr class=\"error\"><td colspan=\"{columns}\">{}</td></tr>\n", prose(problem)),
            );
        }
    }
    page.push_str(if fleet.tenants.is_empty() { "<p>There is none.</p>\n" } else { "</tbody></table>\n" });
    page.push_str(FOOT);
    page
}

fn cells(tenant: &TenantHealth) -> [Cell; 8] {
    let status = &tenant.health.status;
    let not_known = || "not known".to_owned();
    let last = status.runs.last();
    let last_run = last.map_or_else(
        || "not yet".to_owned(),
        |run| format!("{} {}", run.outcome.as_str(), ago(status, Some(run.ended_at)).0),
    );
    let state = match (tenant.enabled, tenant.health.healthy) {
        (false, _) => "",
        (true, true) => "good",
        (true, false) => "bad",
    };
    let pending = status.content_types.values().map(|kind| kind.pending as u64).sum();
    let id = status.tenant_id.as_deref().unwrap_or("not known");
    [
        ("Tenant", "name", escaped(tenant.short_label())),
        ("State", state, tenant.word().to_owned()),
        ("Lag", "", status.lag_seconds.map_or_else(not_known, seconds)),
        ("Last batch accepted", "", ago(status, status.last_accepted).0),
        ("Last run", last.map_or("", |run| tables::outcome_class(run.outcome)), last_run),
        ("Dead letters", "number", status.dead_letters.map_or_else(not_known, |letters| letters.to_string())),
        ("Pending", "number", if status.content_types.is_empty() { not_known() } else { number(pending) }),
        ("Id", "", format!("<small>{}</small>", escaped(id))),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        health::{
            Health,
            run_record::tests::{BEGAN, figures, record},
        },
        status::Status,
        tenants::List,
    };

    const ID: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";

    fn tenant(name: &str, problem: &str) -> TenantHealth {
        let list = List::parse(json!([{"tenantId": ID, "name": name}]).to_string().as_bytes()).unwrap();
        let mut status = Status::unknown(Some(ID.to_owned()), BEGAN);
        status.runs.push(record(figures(), Some(problem)));
        let problems = if problem.is_empty() { Vec::new() } else { vec![problem.to_owned()] };
        TenantHealth::of(&list.entries()[0], Health::unknown(status, problems))
    }

    #[test]
    fn the_worst_is_first_with_what_is_wrong_and_nothing_is_loaded() {
        let fleet = Fleet::of(vec![tenant("Well", ""), tenant("Contoso", "call `labelstream connect`")], BEGAN);
        let page = fleet_page(&fleet);
        for part in ["Needs attention", "1 of 2 tenants", "call <code>labelstream connect</code>", ID, "colspan=\"8\""]
        {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert!(page.find("Contoso") < page.find("Well"));
        for part in ["<script", "http:", "https:", "//", "src=", "href=", "url(", "@import", "style="] {
            assert!(!page.contains(part), "{part}");
        }
    }

    #[test]
    fn a_deployment_without_a_list_says_why() {
        let mut fleet = Fleet::of(Vec::new(), BEGAN);
        fleet.add_problem("TENANTS: it is not JSON".to_owned());
        let page = fleet_page(&fleet);
        assert!(page.contains("TENANTS: it is not JSON") && page.contains("There is none."), "{page}");
    }

    proptest! {
        #[test]
        fn no_text_adds_a_tag_an_attribute_or_an_entity(text in "[a<>\"'&;/=]{0,30}") {
            let with = |text: &str| fleet_page(&Fleet::of(vec![tenant(text, text)], BEGAN));
            let text = format!("x{text}");
            for mark in ['<', '>', '"', '\''] {
                prop_assert_eq!(with(&text).matches(mark).count(), with("x").matches(mark).count());
            }
        }
    }
}
