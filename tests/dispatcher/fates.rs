//! What becomes of a message after each kind of answer.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    dispatcher::{Fate, How, Rules},
    queue::decode,
    scripted::{Act, DONE, Script, host, queue, quick, tries, until},
    wire::soon,
};

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_has_its_end() {
    for (act, how) in [
        (DONE, How::Succeeded),
        (Act::Answer(202, "{}"), How::Succeeded),
        (Act::Answer(500, "{}"), How::Refused(500)),
        (Act::Answer(404, ""), How::Refused(404)),
        (Act::Answer(200, "[]"), How::Refused(200)),
        (Act::Typed("text/plain", "{}"), How::Refused(200)),
        (Act::Drop, How::Broken),
    ] {
        let (queue, script) = (queue().await, Script::new(move |_, _| act));
        queue.put(r#"{"tenantId":"x"}"#).await.unwrap();
        let host = host(Rules { max_dequeue_count: 1, ..quick() }, &queue, &script);
        soon(host.drained()).await;
        let [tried] = &host.tries()[..] else { panic!("{:?}", host.tries()) };
        let poison = usize::from(how != How::Succeeded);
        assert_eq!((&tried.how, tried.member("tenantId"), queue.poison().count().await), (&how, "x".into(), poison));
        assert_eq!(host.queue_errors(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_five_times_is_poison_as_it_was() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Answer(500, "")));
    queue.put("work").await.unwrap();
    let host = host(quick(), &queue, &script);
    soon(host.drained()).await;
    let ends: Vec<_> = host.tries().iter().map(|tried| (tried.dequeue_count, tried.fate)).collect();
    let again = [1, 2, 3, 4].map(|count| (count, Fate::Again));
    assert_eq!(ends, [&again[..], &[(5, Fate::Poison)]].concat());
    assert_eq!(
        queue.poison().peek().await.iter().map(|raw| decode(raw)).collect::<Vec<_>>(),
        [Some("work".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_is_hidden_for_the_visibility_time_out() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Answer(500, "")));
    queue.put("work").await.unwrap();
    let host = host(Rules { visibility_timeout: Duration::from_secs(600), ..quick() }, &queue, &script);
    assert_eq!(tries(&host, 1).await[0].fate, Fate::Again);
    assert_eq!((queue.count().await, queue.peek().await.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_base64_is_poison_untried_and_is_taken_as_it_is_where_host_json_says_so() {
    let (queue, script) = (queue().await, Script::new(|_, _| DONE));
    queue.put_raw(r#"{"tenantId":"x"}"#).await.unwrap();
    let encoded = host(quick(), &queue, &script);
    soon(encoded.drained()).await;
    assert_eq!((&encoded.tries()[0].how, script.asked().len()), (&How::Undecodable, 0));
    assert_eq!(queue.poison().peek().await, [r#"{"tenantId":"x"}"#]);
    drop(encoded);
    queue.put_raw("plain").await.unwrap();
    let plain = host(Rules { base64: false, ..quick() }, &queue, &script);
    soon(plain.drained()).await;
    assert_eq!((plain.tries()[0].text.as_str(), script.asked().len()), ("plain", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_are_under_way_as_batch_and_threshold_allow() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Wait));
    for number in 0..12 {
        queue.put(&number.to_string()).await.unwrap();
    }
    let host = host(Rules { batch_size: 4, new_batch_threshold: 2, ..quick() }, &queue, &script);
    script.wait_for(4).await;
    assert_eq!((host.under_way().len(), queue.peek().await.len()), (4, 8));
    script.release(2);
    script.wait_for(8).await;
    assert_eq!(host.under_way().len(), 6);
    script.release(10);
    soon(host.drained()).await;
    assert_eq!((script.asked().len(), script.most_at_once()), (12, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_on_an_idle_queue_is_found_and_a_queue_that_is_not_there_is_waited_for() {
    let (queue, script) = (queue().await, Script::new(|_, _| DONE));
    let missing = crate::queue::Queue::named(&format!("{}-later", queue.name()));
    let host = host(quick(), &missing, &script);
    soon(until(|| host.handler(|_| ()).is_some())).await;
    missing.create().await.unwrap();
    missing.put("first").await.unwrap();
    tries(&host, 1).await;
    missing.put("second").await.unwrap();
    let texts: Vec<_> = tries(&host, 2).await.into_iter().map(|tried| tried.text).collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(host.queue_errors(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_s_output_becomes_messages_and_a_failed_one_s_does_not() {
    let script = Script::new(|_, request| match request {
        timer if timer.starts_with("POST /FleetTimer ") => {
            Act::Answer(200, r#"{"Outputs":{"work":["{\"tenantId\":\"a\"}","{\"tenantId\":\"b\"}"]}}"#)
        }
        broken if broken.starts_with("POST /Broken ") => Act::Answer(500, r#"{"Outputs":{"work":["{}"]}}"#),
        _ => DONE,
    });
    let queue = queue().await;
    let host = host(quick(), &queue, &script);
    assert_eq!(soon(host.tick("Broken")).await.unwrap().status, 500);
    assert_eq!(soon(host.tick("FleetTimer")).await.unwrap().status, 200);
    soon(host.drained()).await;
    let mut tenants: Vec<_> = tries(&host, 2).await.iter().map(|tried| tried.member("tenantId")).collect();
    tenants.sort_by_key(ToString::to_string);
    assert_eq!(tenants, ["a", "b"]);
    assert_eq!(script.asked().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_hosts_share_a_queue_and_handle_nothing_twice() {
    let (queue, script) = (queue().await, Script::new(|_, _| DONE));
    for number in 0..60 {
        queue.put(&number.to_string()).await.unwrap();
    }
    let hosts = [(); 3].map(|()| host(Rules { batch_size: 4, ..quick() }, &queue, &script));
    for host in &hosts {
        soon(host.drained()).await;
    }
    let tries: Vec<_> = hosts.iter().flat_map(|host| host.tries()).collect();
    let texts: BTreeSet<&str> = tries.iter().map(|tried| tried.text.as_str()).collect();
    let messages: BTreeSet<&str> = tries.iter().map(|tried| tried.message_id.as_str()).collect();
    assert_eq!([tries.len(), texts.len(), messages.len()], [60; 3]);
}
