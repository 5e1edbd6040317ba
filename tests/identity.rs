//! The ambient identity against a managed identity's endpoint on loopback, and against a script in place of the Azure
//! CLI.
//!
//! The SDK reads its endpoint from the environment of the process, so that each test runs a second time in a child
//! process with that environment: there it is the connector, here it is what the connector talks to.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what serves the tests may fail them, and the child reports by printing"
)]

use std::{
    collections::BTreeMap,
    net::TcpListener,
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use labelstream::{
    identity::{Audience, IdentityError, Token, TokenSource, Tokens, credential},
    settings::{Needs, Settings, process_environment},
};
use serde_json::json;
use time::OffsetDateTime;
use tokio::process::Command;

const TENANT: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
const CLIENT: &str = "1d9e8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b";
const HEADER: &str = "the-identity-header";
const WORKERS: usize = 32;

/// Set in a child process.
const ROLE: &str = "LABELSTREAM_TEST_ROLE";

/// What a child writes when it is through, by which it is known that it ran the test.
const THROUGH: &str = "the child is through";

/// Runs `test` in a child process, with nothing but `environment` set.
async fn run_child(test: &str, environment: &[(&str, &str)]) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .envs([("M365_TENANT_ID", TENANT), (ROLE, "connector")])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && text.contains(THROUGH), "{text}");
}

fn is_child() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// The tokens of the feed, as the binary makes them from its environment.
fn tokens() -> Arc<Tokens> {
    let settings = Settings::read(&process_environment, Needs::FEED).unwrap();
    let credential = credential(&settings.identity, &settings.feed.tenant_id, Audience::Feed);
    Arc::new(Tokens::new(&settings.feed.management_scope, credential))
}

async fn by_many(tokens: &Arc<Tokens>) -> Vec<Result<Token, IdentityError>> {
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let tokens = Arc::clone(tokens);
            tokio::spawn(async move { tokens.token().await })
        })
        .collect();
    futures_util::future::join_all(workers).await.into_iter().map(Result::unwrap).collect()
}

/// What was asked of the endpoint: the query and the header that proves the caller.
type Asked = Arc<Mutex<Vec<(BTreeMap<String, String>, Option<String>)>>>;

/// Gives out one token after another.
async fn grant(State(asked): State<Asked>, uri: Uri, headers: HeaderMap) -> String {
    let query = url::form_urlencoded::parse(uri.query().unwrap().as_bytes()).into_owned().collect();
    let header = headers.get("x-identity-header").map(|value| value.to_str().unwrap().to_owned());
    let mut asked = asked.lock().unwrap();
    asked.push((query, header));
    let expires = OffsetDateTime::now_utc().unix_timestamp() + 86_400;
    json!({
        "access_token": format!("token {}", asked.len()), "expires_on": expires.to_string(),
        "resource": "https://manage.office.com", "token_type": "Bearer",
    })
    .to_string()
}

/// Refuses, and shows what it was asked with, as a careless proxy may.
async fn refuse(headers: HeaderMap) -> Response {
    let header = headers["x-identity-header"].to_str().unwrap();
    let body = format!("{{\r\n \"message\": \"no identity for {header}\", \"token\": \"eyJ0eXAi.eyJhdWQi.c2ln\" }}");
    (StatusCode::FORBIDDEN, body).into_response()
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/msi/token", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    endpoint
}

async fn granting() -> (Asked, String) {
    let asked = Asked::default();
    let router = Router::new().route("/msi/token", get(grant)).with_state(Arc::clone(&asked));
    (asked, serve(router).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_cause_one_request_to_the_identity_endpoint() {
    if is_child() {
        for token in by_many(&tokens()).await {
            assert_eq!(token.unwrap().secret(), "token 1");
        }
        return println!("{THROUGH}");
    }
    let (asked, endpoint) = granting().await;
    let environment =
        [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", HEADER), ("AZURE_CLIENT_ID", CLIENT)];
    run_child("many_workers_cause_one_request_to_the_identity_endpoint", &environment).await;
    let asked = asked.lock().unwrap();
    let [(query, header)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(header.as_deref(), Some(HEADER));
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        query,
        [("api-version", "2019-08-01"), ("client_id", CLIENT), ("resource", "https://manage.office.com")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_many_refuse_is_replaced_once() {
    if is_child() {
        let tokens = tokens();
        let refused = tokens.token().await.unwrap();
        for _ in 0..WORKERS {
            tokens.refuse(&refused);
        }
        for token in by_many(&tokens).await {
            assert_eq!(token.unwrap().secret(), "token 2");
            tokens.refuse(&refused);
        }
        assert_eq!(tokens.token().await.unwrap().secret(), "token 2");
        return println!("{THROUGH}");
    }
    let (asked, endpoint) = granting().await;
    let environment = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", HEADER)];
    run_child("a_token_that_many_refuse_is_replaced_once", &environment).await;
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|(query, _)| !query.contains_key("client_id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_one_line_without_a_secret() {
    if is_child() {
        let error = tokens().token().await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("no token for https://manage.office.com: system-assigned managed identity:"),
            "{text}"
        );
        assert!(text.contains("no identity for ***"), "{text}");
        for text in [text, format!("{error:?}")] {
            assert!(!text.contains(HEADER) && !text.contains("eyJ") && !text.contains('\n'), "{text}");
        }
        return println!("{THROUGH}");
    }
    let endpoint = serve(Router::new().route("/msi/token", get(refuse))).await;
    let environment = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", HEADER)];
    run_child("a_refusal_is_told_in_one_line_without_a_secret", &environment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_down_is_told_with_its_cause() {
    if is_child() {
        let tokens = tokens();
        for result in by_many(&tokens).await {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("Connection refused") && text.contains("IDENTITY_ENDPOINT"), "{text}");
            assert!(!text.contains(HEADER), "{text}");
        }
        return println!("{THROUGH}");
    }
    // A port that was free a moment ago and has no listener any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/msi/token", listener.local_addr().unwrap());
    drop(listener);
    let environment = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", HEADER)];
    run_child("an_endpoint_that_is_down_is_told_with_its_cause", &environment).await;
}

/// Prints a token in place of the Azure CLI and notes each start.
#[cfg(unix)]
const AZ: &str = r#"#!/bin/sh
echo "$*" >> "$AZ_STARTS"
echo '{"accessToken":"a developer token","expires_on":4102444800,"subscription":"s","tenant":"t","tokenType":"Bearer"}'
"#;

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_azure_cli_is_started_once_for_many_tokens() {
    use std::os::unix::fs::PermissionsExt;

    if is_child() {
        let tokens = tokens();
        for token in by_many(&tokens).await {
            assert_eq!(token.unwrap().secret(), "a developer token");
        }
        assert!(tokens.token().await.is_ok());
        return println!("{THROUGH}");
    }
    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    std::fs::write(&az, AZ).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let starts = folder.path().join("starts");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let environment = [("PATH", path.as_str()), ("AZ_STARTS", starts.to_str().unwrap())];
    run_child("the_azure_cli_is_started_once_for_many_tokens", &environment).await;
    let starts = std::fs::read_to_string(starts).unwrap();
    let expected =
        format!("account get-access-token -o json --scope https://manage.office.com/.default --tenant {TENANT}\n");
    assert_eq!(starts, expected);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_azure_cli_is_told_with_what_to_do() {
    if is_child() {
        let text = tokens().token().await.unwrap_err().to_string();
        assert!(text.contains("az not found on PATH") && text.contains("az login"), "{text}");
        return println!("{THROUGH}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    run_child("a_missing_azure_cli_is_told_with_what_to_do", &[("PATH", path)]).await;
}
