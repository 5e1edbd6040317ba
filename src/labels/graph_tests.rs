//! The pure parts of the client. `tests/labels/` has the rest against a simulated Graph.

use async_trait::async_trait;

use super::*;

#[derive(Debug)]
struct NoTokens;

#[async_trait]
impl TokenSource for NoTokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        Err(IdentityError { audience: "Graph".to_owned(), reason: "none is asked for here".to_owned() })
    }

    fn refuse(&self, _: &Token) {}
}

fn client(endpoint: &str) -> GraphClient {
    GraphClient::new(Client::new(), &Url::parse(endpoint).unwrap(), Arc::new(NoTokens))
}

#[test]
fn a_next_page_lies_where_the_first_one_does() {
    let client = client("https://graph.microsoft.com/");
    let first = "https://graph.microsoft.com/v1.0/security/dataSecurityAndGovernance/sensitivityLabels";
    assert_eq!(client.labels.as_str(), first);
    for own in ["?$skiptoken=1", "/other?x", ":443?y"] {
        let (host, rest) = first.split_at("https://graph.microsoft.com".len());
        let next = if own.starts_with(':') { format!("{host}{own}") } else { format!("{host}{rest}{own}") };
        assert!(client.next(&next).is_ok(), "{next}");
    }
    for foreign in [
        "https://graph.microsoft.com.evil.example/v1.0",
        "https://evil.example/?https://graph.microsoft.com",
        "https://graph.microsoft.com@evil.example/",
        "https://me:you@graph.microsoft.com/",
        "http://graph.microsoft.com/",
        "https://graph.microsoft.com:8443/",
        "//evil.example/",
        "/v1.0/security",
        "",
    ] {
        let error = client.next(foreign).unwrap_err();
        assert!(
            matches!(error, GraphError::ForeignPage(_)) && !error.to_string().contains("you"),
            "{foreign}: {error}"
        );
    }
}

#[test]
fn a_path_of_the_endpoint_stays() {
    let labels = client("https://proxy.example/graph").labels;
    assert!(labels.as_str().starts_with("https://proxy.example/graph/v1.0/security/"), "{labels}");
}

#[test]
fn an_answer_is_told_in_one_short_line() {
    let of = |status: u16, body: &str| said(StatusCode::from_u16(status).unwrap(), body);
    assert_eq!(
        of(403, r#"{"error":{"code":"accessDenied","message":"No\n\t way."}}"#),
        "HTTP 403 accessDenied No way."
    );
    for nothing in ["", "<html><h1>Bad gateway</h1>", "{}", r#"{"error":"x"}"#, "[1]"] {
        assert_eq!(of(502, nothing), "HTTP 502");
    }
    let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "\u{e9}".repeat(5_000));
    assert_eq!(of(500, &long).chars().count(), EXCERPT);
}

#[test]
fn statuses_are_classed_and_each_class_has_a_fix() {
    let of = |status: u16| classified(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), String::new());
    for status in [401, 403] {
        assert!(matches!(of(status), GraphError::Refused(_)), "{status}");
    }
    for status in [408, 500, 503] {
        assert!(matches!(of(status), GraphError::Failed { .. }), "{status}");
    }
    for status in [204, 302, 400, 404] {
        assert!(matches!(of(status), GraphError::NotServed(_)), "{status}");
    }
    assert!(matches!(of(429), GraphError::Throttled { .. }));
    assert!(of(403).fix().contains("grant-feed-access") && of(404).fix().contains("LABELS"));
}

#[test]
fn what_graph_asks_to_wait_goes_before_the_usual_pause() {
    let throttled = |retry_after| GraphError::Throttled { said: String::new(), retry_after };
    let asked = Some(Duration::from_secs(3));
    assert_eq!(throttled(asked).pause(&mut Backoff::new(POLICY)), asked);
    assert!(throttled(None).pause(&mut Backoff::new(POLICY)).is_some_and(|pause| pause <= POLICY.first));
    let mut backoff = Backoff::new(POLICY);
    let tries = std::iter::from_fn(|| GraphError::BrokenOff(String::new()).pause(&mut backoff)).count();
    assert_eq!(tries, 3);
    for last in [GraphError::Refused(String::new()), GraphError::NotServed(String::new()), GraphError::NoLabel] {
        assert_eq!(last.pause(&mut Backoff::new(POLICY)), None);
    }
}
