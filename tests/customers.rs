//! The feeds of customers: the real binary logs in to a tenant that is not its own, over TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

use std::process::{Command, Stdio};

use labelstream_simulator::{
    ContentType, Endpoint, Environment, Isolation, Provider, ProviderConfig, Simulator, Trouble,
};
use time::{Duration, OffsetDateTime};

/// A provider of so many tenants, each with label events of its own.
async fn provider(tenants: u32, change: impl FnOnce(&mut ProviderConfig)) -> Provider {
    let mut config = ProviderConfig::of(tenants);
    config.tenants.iter_mut().for_each(|tenant| tenant.subscribed = true);
    change(&mut config);
    let provider = Provider::start(config).await.unwrap();
    for tenant in provider.tenants() {
        let created = OffsetDateTime::now_utc() - Duration::minutes(20);
        tenant.publish(ContentType::General, created, 5, 4);
    }
    provider
}

/// One run of the binary with these settings and nothing else; whether it went well, and what it said.
async fn pull(environment: Environment) -> (bool, String) {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
    command
        .args(["pull", "--budget", "5", "--state"])
        .arg(state.path())
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn logins(tenant: &Simulator) -> u64 {
    tenant.requests().by_endpoint.get(&Endpoint::Login).copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_read_by_the_managed_identity_and_another_by_a_secret() {
    let provider = provider(3, |_| ()).await;
    let [federated, secret, unread] = provider.tenants() else { panic!("three tenants") };
    let ways = [
        (federated, provider.environment_of(federated)),
        (secret, [secret.environment(), secret.app_environment()].concat()),
    ];
    for (tenant, environment) in ways {
        let (done, said) = pull(environment).await;
        assert!(done, "{said}");
        let report = tenant.report();
        assert_eq!((report.arrived, report.is_clean(), report.surplus_rows), (5, true, 0), "{report:#?}");
        assert_eq!(tenant.heartbeats().len(), 1, "the row of the run has come to its tenant");
        let labels = tenant.requests().by_endpoint[&Endpoint::Labels];
        assert_eq!((logins(tenant), labels), (2, 1), "for the feed, and for the labels of the same tenant");
    }
    assert_eq!((logins(unread), unread.report().missing), (0, 5));
    let report = provider.report();
    assert_eq!((&report.isolation, report.unclean()), (&Isolation::default(), vec![&*unread.tenant().id]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_endpoint_of_an_unknown_authority_is_given_nothing() {
    let provider = provider(1, |_| ()).await;
    let tenant = &provider.tenants()[0];
    let mut environment = [tenant.environment(), tenant.app_environment()].concat();
    environment.retain(|(name, _)| *name != "SSL_CERT_FILE");
    let (done, said) = pull(environment).await;
    assert!(!done && said.contains("certificate"), "{said}");
    assert_eq!((logins(tenant), logins(provider.home())), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_which_a_customer_is_broken_is_named() {
    for (trouble, said_of_it) in
        Trouble::ALL.into_iter().zip(["ActivityFeed.Read", "AADSTS90002", "AF20023", "throttl", "could not be read"])
    {
        let provider = provider(1, |config| trouble.set_up(&mut config.tenants[0])).await;
        let tenant = &provider.tenants()[0];
        trouble.begin(tenant).unwrap();
        let (_, said) = pull(provider.environment_of(tenant)).await;
        assert!(said.contains(said_of_it), "{trouble:?}: {said}");
        assert_eq!(provider.report().isolation, Isolation::default());
    }
}
