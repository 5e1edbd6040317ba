//! The client by itself against the simulated Graph.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use labelstream::{
    feed::http_client,
    identity::{IdentityError, Token, TokenSource},
    labels::{GraphClient, GraphError},
};
use labelstream_simulator::{Answer, Config, Effect, Endpoint, Fault, Simulator, When};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::Mutex,
};

/// Long enough for whatever is to be answered.
const LONG: Duration = Duration::from_secs(30);

/// Tokens as the simulated identity gives them out.
#[derive(Debug)]
struct Tokens {
    url: String,
    header: String,
    held: Mutex<Option<Token>>,
    refused: std::sync::Mutex<u64>,
}

impl Tokens {
    fn of(simulator: &Simulator) -> Arc<Self> {
        let setting = |name| simulator.environment().into_iter().find(|(known, _)| *known == name).unwrap().1;
        let url =
            format!("{}?api-version=2019-08-01&resource=https://graph.microsoft.com", setting("IDENTITY_ENDPOINT"));
        Arc::new(Self { url, header: setting("IDENTITY_HEADER"), held: Mutex::default(), refused: Default::default() })
    }

    fn refused(&self) -> u64 {
        *self.refused.lock().unwrap()
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        let generation = self.refused();
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.generation() == generation) {
            return Ok(token.clone());
        }
        let asked = http_client().unwrap().get(&self.url).header("X-IDENTITY-HEADER", &self.header).send();
        let body: serde_json::Value = serde_json::from_str(&asked.await.unwrap().text().await.unwrap()).unwrap();
        let token = Token::new(body["access_token"].as_str().unwrap(), generation);
        *held = Some(token.clone());
        Ok(token)
    }

    fn refuse(&self, _: &Token) {
        *self.refused.lock().unwrap() += 1;
    }
}

async fn world(config: Config) -> (Simulator, Arc<Tokens>, GraphClient) {
    let simulator = Simulator::start(config).await.unwrap();
    let tokens = Tokens::of(&simulator);
    let endpoint = simulator.base().parse().unwrap();
    let client = GraphClient::new(http_client().unwrap(), &endpoint, Arc::clone(&tokens) as Arc<dyn TokenSource>);
    (simulator, tokens, client)
}

fn asked(simulator: &Simulator) -> u64 {
    simulator.requests().by_endpoint.get(&Endpoint::Labels).copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_put_together_and_each_is_tried_again_by_itself() {
    let (simulator, _, client) = world(Config { label_page_size: 1, ..Config::default() }).await;
    simulator.fault(Fault::new(Endpoint::Labels, When::Nth(3), Effect::status(502))).unwrap();
    let mut listed: Vec<_> = client.labels(LONG).await.unwrap().labels;
    listed.sort_by_key(|label| label.priority);
    let tenant = simulator.tenant();
    let names: Vec<_> = listed.iter().map(|label| label.full_name().into_owned()).collect();
    assert_eq!(names, tenant.labels.iter().map(|label| tenant.label_path(label)).collect::<Vec<_>>());
    let tops = tenant.labels.iter().filter(|label| label.parent.is_none()).count();
    assert_eq!(asked(&simulator), tops as u64 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_replaced_once() {
    let (simulator, tokens, client) = world(Config::default()).await;
    client.labels(LONG).await.unwrap();
    simulator.revoke_tokens();
    client.labels(LONG).await.unwrap();
    assert_eq!((tokens.refused(), asked(&simulator)), (1, 3));
    simulator.fault(Fault::new(Endpoint::Labels, When::Always, Effect::status(401))).unwrap();
    let error = client.labels(LONG).await.unwrap_err();
    assert!(matches!(error, GraphError::Refused(_)), "{error}");
    assert_eq!((tokens.refused(), asked(&simulator)), (2, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_without_an_end_are_left() {
    let (simulator, _, client) = world(Config::default()).await;
    let next = format!("{}/v1.0/security/dataSecurityAndGovernance/sensitivityLabels?again", simulator.base());
    let body = format!(r#"{{"value":[{{"id":"a","name":"A"}}],"@odata.nextLink":"{next}"}}"#);
    let endless = Effect::Answer(Answer { status: 200, body, ..Answer::default() });
    simulator.fault(Fault::new(Endpoint::Labels, When::Always, endless)).unwrap();
    let error = client.labels(LONG).await.unwrap_err();
    assert!(matches!(error, GraphError::Malformed(_)) && error.to_string().contains("100 pages"), "{error}");
    assert_eq!(asked(&simulator), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ended_in_time_is_told_by_what_failed_last() {
    let (simulator, _, client) = world(Config::default()).await;
    let fault = simulator.fault(Fault::new(Endpoint::Labels, When::Always, Effect::Delay(60_000))).unwrap();
    let error = client.labels(Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error, GraphError::TooLate(_)), "{error}");
    simulator.end_fault(fault);
    simulator.fault(Fault::new(Endpoint::Labels, When::Always, Effect::status(503))).unwrap();
    let error = client.labels(Duration::from_millis(700)).await.unwrap_err();
    assert!(matches!(error, GraphError::Failed { .. }), "{error}");
}

/// Whoever is named as the next page, or answers a redirect, never sees the token.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_goes_to_another_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    let visits = tokio::spawn(async move {
        let (mut visitor, _) = listener.accept().await.unwrap();
        let mut sent = vec![0; 4096];
        let length = visitor.read(&mut sent).await.unwrap();
        visitor.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"value\":[]}").await.unwrap();
        String::from_utf8_lossy(&sent[..length]).into_owned()
    });
    let (simulator, _, client) = world(Config::default()).await;
    let location = vec![("Location".to_owned(), format!("{elsewhere}/labels"))];
    let redirect = Effect::Answer(Answer { status: 307, headers: location, ..Answer::default() });
    for (effect, words) in [
        (Effect::ForeignPage(elsewhere.clone()), "no token is sent there"),
        (redirect, "does not serve them here (HTTP 307)"),
    ] {
        let fault = simulator.fault(Fault::new(Endpoint::Labels, When::Always, effect)).unwrap();
        let error = client.labels(LONG).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        simulator.end_fault(fault);
    }
    // Nobody was there before this visitor.
    let last = http_client().unwrap().get(format!("{elsewhere}/the-test-itself")).send().await.unwrap();
    assert_eq!(last.status(), 200);
    assert!(visits.await.unwrap().starts_with("GET /the-test-itself "));
}
