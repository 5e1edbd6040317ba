use proptest::prelude::*;

use super::*;

const A: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
const B: &str = "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01";

fn list(text: &str) -> List {
    List::parse(text.as_bytes()).unwrap()
}

fn is_good(entry: &Entry) -> bool {
    entry.settings(&|_| None, crate::settings::Needs::FEED).is_ok()
}

#[test]
fn a_bad_entry_leaves_the_others() {
    let list = list(&format!("\u{feff}[{{\"tenantId\":\"{A}\"}}, 7, {{\"tenantId\":\"{B}\",\"x\":1}}]"));
    let good: Vec<_> = list.entries().iter().map(is_good).collect();
    assert_eq!(good, [true, false, false]);
    assert_eq!(list.entries()[1].label(), "entry 2");
}

#[test]
fn a_tenant_that_stands_twice_is_read_by_neither() {
    let list = list(&format!(
        "[{{\"tenantId\":\"{A}\"}}, {{\"tenantId\":\"{}\"}}, {{\"tenantId\":\"{B}\"}}]",
        A.to_uppercase()
    ));
    let good: Vec<_> = list.entries().iter().map(is_good).collect();
    assert_eq!(good, [false, false, true]);
    let error = list.entries()[0].settings(&|_| None, crate::settings::Needs::FEED).unwrap_err();
    assert!(error.to_string().contains("tenantId stands also in entry 2; keep one of them"), "{error}");
}

#[test]
fn people_name_a_tenant_by_id_or_name() {
    let list = list(&format!(
        "[{{\"tenantId\":\"{A}\",\"name\":\"Über\"}}, {{\"tenantId\":\"{B}\",\"name\":\"Twin\"}}, {{\"name\":\"twin\"}}]"
    ));
    let place = |wanted: &str| list.find(wanted).map(|entry| entry.place);
    assert_eq!((place(A), place(&format!("{{{}}}", A.to_uppercase())), place(" über ")), (Ok(1), Ok(1), Ok(1)));
    assert_eq!(place("nobody"), Err(NoSuchTenant::Unknown("nobody".to_owned())));
    let error = list.find("Twin").unwrap_err().to_string();
    assert!(error.contains("several tenants") && error.contains(B), "{error}");
}

#[test]
fn what_is_no_array_is_told_without_its_text() {
    assert_eq!(List::parse(b"{\"s3cret\":1}"), Err(ListError::NoArray));
    let error = List::parse(b"[{\"s3cret\" 1}]").unwrap_err().to_string();
    assert!(error.contains("line 1, column 12") && !error.contains("s3cret"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_a_list_or_an_error(text in proptest::collection::vec(any::<u8>(), 0..60)) {
        List::parse(&text).ok();
    }
}
