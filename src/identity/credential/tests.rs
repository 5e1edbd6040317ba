use std::{collections::BTreeMap, io::Write, sync::Mutex};

use async_trait::async_trait;
use azure_core::{
    Bytes,
    credentials::{AccessToken, TokenRequestOptions},
    http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode, headers::Headers},
};
use time::OffsetDateTime;

use super::*;
use crate::{
    identity::{TokenSource, Tokens},
    settings::{AmbientIdentity, AppRegistration, Proof, Secret},
};

const TENANT: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
const SCOPE: &str = "https://manage.office.com/.default";

/// Stands in for the identity provider, which the SDK asks over https only: gives one answer to all requests and
/// keeps what was asked.
#[derive(Debug)]
struct Provider {
    status: StatusCode,
    answer: &'static str,
    asked: Mutex<Vec<(String, BTreeMap<String, String>)>>,
}

impl Provider {
    fn new(status: StatusCode, answer: &'static str) -> Arc<Self> {
        Arc::new(Self { status, answer, asked: Mutex::default() })
    }

    fn granting() -> Arc<Self> {
        Self::new(StatusCode::Ok, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"granted"}"#)
    }

    /// The only request.
    fn asked(&self) -> (String, BTreeMap<String, String>) {
        let mut asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        asked.remove(0)
    }
}

#[async_trait]
impl HttpClient for Provider {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else { panic!("a form was expected") };
        let form = url::form_urlencoded::parse(body).into_owned().collect();
        self.asked.lock().unwrap().push((request.url().to_string(), form));
        Ok(AsyncRawResponse::from_bytes(self.status, Headers::new(), Bytes::from_static(self.answer.as_bytes())))
    }
}

fn identity(proof: Proof) -> IdentitySettings {
    IdentitySettings {
        ambient: AmbientIdentity::AzureCli,
        app: Some(AppRegistration { client_id: "app".to_owned(), proof }),
        authority: "https://login.microsoftonline.us/".parse().unwrap(),
        token_exchange_scope: "api://AzureADTokenExchangeUSGov/.default".to_owned(),
    }
}

fn asking(provider: &Arc<Provider>, proof: Proof) -> Credential {
    let transport = Some(Transport::new(Arc::clone(provider) as Arc<dyn HttpClient>));
    Credential { transport, ..credential(&identity(proof), TENANT, Audience::Feed) }
}

#[tokio::test]
async fn a_client_secret_goes_to_the_tenant_at_the_authority_that_is_set() {
    let provider = Provider::granting();
    let tokens = Tokens::new(SCOPE, asking(&provider, Proof::Secret("hunter2".into())));
    assert_eq!(tokens.token().await.unwrap().secret(), "granted");
    let (url, form) = provider.asked();
    assert_eq!(url, format!("https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("app", "hunter2"));
    assert_eq!(form["scope"], SCOPE);
    assert!(!format!("{tokens:?} {tokens:#?}").contains("hunter2"));
}

#[tokio::test]
async fn a_refused_client_secret_is_told_with_the_setting_and_without_the_secret() {
    let answer = r#"{"error":"invalid_client","error_codes":[7000215],
        "error_description":"AADSTS7000215: Invalid client secret provided: hunter2.\r\nTrace ID: 1"}"#;
    let provider = Provider::new(StatusCode::Unauthorized, answer);
    let tokens = Tokens::new(SCOPE, asking(&provider, Proof::Secret("hunter2".into())));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no token for https://manage.office.com: client secret: AADSTS7000215: Invalid client secret provided: ***. \
         Trace ID: 1. Set M365_CLIENT_SECRET to the secret's value, not to its id"
    );
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_certificate_is_read_for_each_token_and_never_sent() {
    let provider = Provider::granting();
    let pem = super::super::certificate::a_certificate();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let tokens = Tokens::new(SCOPE, asking(&provider, Proof::Certificate(file.path().to_owned())));
    let error = tokens.token().await.unwrap_err();
    assert!(error.reason.contains("M365_CLIENT_CERTIFICATE_PATH"), "{error}");

    file.write_all(pem.as_bytes()).unwrap();
    assert_eq!(tokens.token().await.unwrap().secret(), "granted");
    let (_, form) = provider.asked();
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(form["client_assertion"].split('.').count(), 3);
    assert_eq!(
        form.keys().map(String::as_str).collect::<Vec<_>>(),
        ["client_assertion", "client_assertion_type", "client_id", "grant_type", "scope"]
    );
}

#[derive(Debug)]
struct Ambient;

#[async_trait]
impl TokenCredential for Ambient {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["api://AzureADTokenExchangeUSGov/.default"]);
        Ok(AccessToken::new(Secret::new("a managed identity's token"), OffsetDateTime::now_utc()))
    }
}

#[tokio::test]
async fn a_federated_identity_presents_the_managed_identitys_token() {
    let provider = Provider::granting();
    let factory = asking(&provider, Proof::Federated);
    let Method::FederatedIdentity { app, scope, .. } = factory.method() else { panic!("not federated") };
    let assertion = ExchangeAssertion { ambient: Arc::new(Ambient), scope: scope.clone() };
    let credential = factory.asserting(app, assertion).unwrap();
    assert_eq!(credential.get_token(&[SCOPE], None).await.unwrap().token.secret(), "granted");
    let (url, form) = provider.asked();
    assert!(url.contains(TENANT));
    assert_eq!((form["client_id"].as_str(), form["client_assertion"].as_str()), ("app", "a managed identity's token"));
}

#[test]
fn a_managed_identity_is_not_looked_for_where_the_sdk_cannot_find_it() {
    let ambient = AmbientIdentity::Managed { client_id: None, header: "opaque".into() };
    let identity = IdentitySettings { ambient, app: None, ..identity(Proof::Federated) };
    let factory = credential(&identity, TENANT, Audience::Ingestion);
    let error = factory.credential().unwrap_err();
    assert!(factory.reason(&error).contains("IDENTITY_ENDPOINT is not in the environment"));
}

#[test]
fn a_connection_string_needs_no_credential() {
    let storage = |account| StorageSettings { account, container: "labelstream".to_owned() };
    let by_key = storage(StorageAccount::ConnectionString("UseDevelopmentStorage=true".into()));
    assert!(storage_credential(&identity(Proof::Federated), &by_key, None).unwrap().is_none());
    let by_identity = storage(StorageAccount::Identity {
        blob_service_uri: "https://contoso.blob.core.windows.net".parse().unwrap(),
        queue_service_uri: None,
        client_id: None,
    });
    assert!(storage_credential(&identity(Proof::Federated), &by_identity, None).unwrap().is_some());
}
