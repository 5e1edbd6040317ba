use proptest::{collection::vec, prelude::*};

use super::*;

const KEY: &str = "c2VjcmV0LWtleS1vZi1hbi1hY2NvdW50LXRoYXQtaXMtbm90LXJlYWw=";

fn parse(text: &str) -> StorageAccount {
    StorageAccount::from_connection_string(text).unwrap()
}

fn part_at_fault(text: &str) -> String {
    StorageAccount::from_connection_string(text).unwrap_err().part
}

fn key_of(account: &StorageAccount) -> (&str, &str) {
    match account.access() {
        Access::Key { account, key } => (account, key.secret()),
        other => panic!("no key: {other:?}"),
    }
}

#[test]
fn a_key_keeps_its_closing_equals_sign() {
    let account = parse(&format!("DefaultEndpointsProtocol=https;AccountName=state;AccountKey={KEY}"));
    assert_eq!(account.endpoint().as_str(), "https://state.blob.core.windows.net/");
    assert_eq!(key_of(&account), ("state", KEY));
}

#[test]
fn another_cloud_has_another_suffix() {
    let account = parse(&format!("AccountName=state;AccountKey={KEY};EndpointSuffix=core.usgovcloudapi.net"));
    assert_eq!(account.endpoint().as_str(), "https://state.blob.core.usgovcloudapi.net/");
}

#[test]
fn a_blob_endpoint_takes_the_place_of_the_composed_one() {
    let account = parse(&format!(
        "AccountName=state;AccountKey={KEY};BlobEndpoint=https://state.privatelink.example/;QueueEndpoint=nonsense"
    ));
    assert_eq!(account.endpoint().as_str(), "https://state.privatelink.example/");
}

#[test]
fn queues_have_an_address_of_their_own() {
    let of =
        |text: &str| StorageAccount::service_of(Service::Queue, text).map(|account| account.endpoint().to_string());
    for (text, address) in [
        (format!("AccountName=state;AccountKey={KEY}"), "https://state.queue.core.windows.net/"),
        (
            format!("AccountName=state;AccountKey={KEY};BlobEndpoint=nonsense;QueueEndpoint=https://q.example/"),
            "https://q.example/",
        ),
        ("UseDevelopmentStorage=true".to_owned(), "http://127.0.0.1:10001/devstoreaccount1"),
        (
            "AccountName=state;SharedAccessSignature=sig=abc;EndpointSuffix=core.chinacloudapi.cn".to_owned(),
            "https://state.queue.core.chinacloudapi.cn/",
        ),
    ] {
        assert_eq!(of(&text).as_deref(), Ok(address), "{text}");
    }
    let fault = of("BlobEndpoint=https://s.blob.core.windows.net;SharedAccessSignature=sig=abc").unwrap_err();
    assert_eq!(fault.part, "AccountName");
}

#[test]
fn queues_lie_beside_the_blobs_where_azure_names_them_so() {
    let beside = |blob: &str| StorageAccount::queues_beside(&Url::parse(blob).unwrap(), None);
    let account = beside("https://state.blob.core.usgovcloudapi.net/").unwrap();
    assert_eq!(account.endpoint().as_str(), "https://state.queue.core.usgovcloudapi.net/");
    assert!(matches!(account.access(), Access::Identity { client_id: None }));
    let fault = beside("https://state.private.example/").unwrap_err().to_string();
    assert!(fault.starts_with("AzureWebJobsStorage__queueServiceUri: the address is missing"), "{fault}");
}

#[test]
fn the_emulator_has_its_own_account() {
    for text in ["UseDevelopmentStorage=true", " usedevelopmentstorage = TRUE ; "] {
        let account = parse(text);
        assert_eq!(account.endpoint().as_str(), "http://127.0.0.1:10000/devstoreaccount1");
        assert_eq!(key_of(&account), (EMULATOR_ACCOUNT, EMULATOR_KEY));
    }
    let moved = parse("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://localhost");
    assert_eq!(moved.endpoint().as_str(), "http://localhost:10000/devstoreaccount1");
}

#[test]
fn a_shared_access_signature_is_kept_out_of_the_endpoint() {
    for sas in ["sv=2021-06-08&sig=abc%3D", "?sv=2021-06-08&sig=abc%3D"] {
        let account = parse(&format!("BlobEndpoint=https://state.blob.core.windows.net;SharedAccessSignature={sas}"));
        assert_eq!(account.endpoint().as_str(), "https://state.blob.core.windows.net/");
        match account.access() {
            Access::Sas(query) => assert_eq!(query.secret(), "sv=2021-06-08&sig=abc%3D"),
            other => panic!("no SAS: {other:?}"),
        }
        assert!(!format!("{account:?}").contains("abc"));
    }
}

#[test]
fn errors_name_the_part_at_fault() {
    for (text, part) in [
        ("", "the connection string"),
        (" ; ;", "the connection string"),
        ("AccountName=state", "AccountKey"),
        ("AccountName=state;AccountKey=", "AccountKey"),
        ("AccountName=state;AccountKey=no base64", "AccountKey"),
        ("AccountKey=YWJj", "AccountName"),
        ("AccountName=State/evil;AccountKey=YWJj", "AccountName"),
        ("AccountName=state;AccountKey=YWJj;EndpointSuffix=evil.example/x?", "EndpointSuffix"),
        ("AccountName=state;AccountKey=YWJj;DefaultEndpointsProtocol=http", "DefaultEndpointsProtocol"),
        ("AccountName=state;AccountKey=YWJj;BlobEndpoint=http://storage.example", "BlobEndpoint"),
        ("AccountName=state;AccountKey=YWJj;BlobEndpoint=https://x.example/?sig=YWJj", "BlobEndpoint"),
        ("AccountName=state;AccountKey=YWJj;SharedAccessSignature=sig=x", "AccountKey"),
        ("AccountName=state;SharedAccessSignature=sv=1&se=2", "SharedAccessSignature"),
        ("AccountName=state;YWJjZGVm", "part 2"),
        ("AccountName=state;accountname=other;AccountKey=YWJj", "part 2"),
        ("UseDevelopmentStorage=yes", "UseDevelopmentStorage"),
        ("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite", "DevelopmentStorageProxyUri"),
    ] {
        assert_eq!(part_at_fault(text), part, "{text}");
    }
}

#[test]
fn an_identity_needs_https_and_a_bare_address() {
    let account = StorageAccount::from_service_uri(" https://state.blob.core.windows.net/ ", Some("6f1c-id")).unwrap();
    assert_eq!(account.endpoint().as_str(), "https://state.blob.core.windows.net/");
    assert!(matches!(account.access(), Access::Identity { client_id: Some(id) } if id == "6f1c-id"));
    for uri in
        ["", "state", "http://127.0.0.1:1/", "ftp://state", "https://state.example/?sig=x", "https://u:p@x.example"]
    {
        let error = StorageAccount::from_service_uri(uri, None).unwrap_err();
        assert_eq!(error.setting, SERVICE_URI, "{uri}");
    }
}

#[test]
fn http_is_for_loopback_alone() {
    for host in ["127.0.0.1:1", "127.8.8.8", "localhost:9", "[::1]:9"] {
        let text = format!("AccountName=a;AccountKey={KEY};BlobEndpoint=http://{host}/a");
        assert_eq!(parse(&text).endpoint().scheme(), "http");
    }
    for host in ["10.0.0.1", "localhost.example", "127.0.0.1.example"] {
        let text = format!("AccountName=a;AccountKey={KEY};BlobEndpoint=http://{host}/a");
        assert_eq!(part_at_fault(&text), "BlobEndpoint");
    }
}

/// The same letters in any case.
fn any_case(text: &'static str) -> impl Strategy<Value = String> {
    vec(any::<bool>(), text.len()).prop_map(move |upper| {
        text.chars()
            .zip(upper)
            .map(|(char, up)| if up { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() })
            .collect()
    })
}

proptest! {
    #[test]
    fn order_case_and_spaces_do_not_matter(
        account in "[a-z0-9]{3,24}",
        bytes in vec(any::<u8>(), 1..80),
        suffix in "[a-z]{1,8}\\.[a-z]{2,4}",
        names in (any_case("AccountName"), any_case("AccountKey"), any_case("EndpointSuffix")),
        spaces in vec(" {0,2}", 6),
        turn in 0..3_usize,
    ) {
        let key = STANDARD.encode(&bytes);
        let mut pairs = [(&names.0, &account), (&names.1, &key), (&names.2, &suffix)];
        pairs.rotate_left(turn);
        let text: String = pairs.iter().zip(spaces.chunks(2))
            .map(|((name, value), space)| format!("{}{name}{}={}{value};", space[0], space[1], space[0]))
            .collect();
        let parsed = parse(&text);
        prop_assert_eq!(parsed.endpoint().as_str(), format!("https://{account}.blob.{suffix}/"));
        prop_assert_eq!(key_of(&parsed), (account.as_str(), key.as_str()));
    }

    #[test]
    fn nothing_of_a_value_is_shown(secret in "[A-Za-z0-9+/%&]{12,40}={0,2}", shape in 0..8_usize) {
        let text = match shape {
            0 => secret.clone(),
            1 => format!("AccountName=a;AccountKey={secret}!"),
            2 => format!("AccountName=a;AccountKey={}", STANDARD.encode(&secret)),
            3 => format!("AccountName=a;SharedAccessSignature=sv=1&sig={secret}"),
            4 => format!("AccountName=a;SharedAccessSignature={secret}"),
            5 => format!("AccountName={secret}~;AccountKey=YWJj"),
            6 => format!("AccountName=a;AccountKey=YWJj;BlobEndpoint=https://x.example/?{secret}"),
            _ => format!("AccountName=a;{secret};{secret}"),
        };
        let shown = match StorageAccount::from_connection_string(&text) {
            Ok(account) => format!("{account:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&secret), "{shown}");
        prop_assert!(!shown.contains(&STANDARD.encode(&secret)), "{shown}");
    }

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,80}", pairs in vec(("[A-Za-z]{0,14}", "[^;]{0,12}"), 0..5)) {
        let composed: String = pairs.iter().map(|(name, value)| format!("{name}={value};")).collect();
        for text in [text, composed] {
            if let Ok(account) = StorageAccount::from_connection_string(&text) {
                prop_assert!(account.endpoint().scheme() == "https" || is_loopback(account.endpoint()));
            }
        }
    }
}
