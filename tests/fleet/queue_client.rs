//! The queue's client: what it puts, what it counts, and what it tells of a refusal.

use std::time::Duration;

use labelstream::{
    queue::{QueueError, WorkQueue},
    state::connection::{Service, StorageAccount},
};
use time::OffsetDateTime;

use crate::{
    account::own_account,
    azurite::KEY,
    queue::{Queue, decode},
};

fn client(connection: &str) -> WorkQueue {
    let account = StorageAccount::service_of(Service::Queue, connection).unwrap();
    WorkQueue::open(&account, "work", None).unwrap()
}

#[tokio::test]
async fn the_first_message_makes_the_queue_and_hidden_ones_count() {
    let (account, connection) = own_account();
    let (work, seen) = (client(&connection), Queue::of(&account, "work"));
    assert_eq!(work.approximate_count().await.unwrap(), 0);
    let begun = OffsetDateTime::now_utc() - time::Duration::seconds(1);
    let text = r#"{"tenantId":"x","name":"Zürich & <tags>"}"#;
    let sent = work.put(text, Duration::ZERO).await.unwrap();
    assert!(begun <= sent.at && sent.at <= OffsetDateTime::now_utc() + time::Duration::seconds(1), "{sent:?}");
    work.put("hidden", Duration::from_secs(60)).await.unwrap();
    assert_eq!(work.approximate_count().await.unwrap(), 2);
    let visible: Vec<_> = seen.peek().await.iter().map(|raw| decode(raw)).collect();
    assert_eq!(visible, [Some(text.to_owned())]);
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_shows_no_secret() {
    let (_, connection) = own_account();
    let wrong = "c2VjcmV0LXNlY3JldA==";
    let work = client(&connection.replace(KEY, wrong));
    for error in [work.put("x", Duration::ZERO).await.unwrap_err(), work.approximate_count().await.unwrap_err()] {
        let text = error.to_string();
        assert!(matches!(error, QueueError::Denied { .. }) && text.contains("check AccountKey"), "{text}");
        assert!(text.starts_with("the queue work: ") && !text.contains(wrong) && !text.contains('\n'), "{text}");
    }
    assert!(!format!("{work:?}").contains(wrong));
    let sas = connection
        .replace(&format!("AccountKey={KEY}"), "SharedAccessSignature=sv=2021-06-08&sig=c2VjcmV0LXNpZw%3D%3D");
    let error = client(&sas).put("x", Duration::ZERO).await.unwrap_err().to_string();
    assert!(error.contains("queue service") && !error.contains("c2VjcmV0"), "{error}");
}
