//! How processes and hosts end, and what that does to what is under way.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    dispatcher::{Dispatcher, End, Fate, How, Process as _, Rules, Standing, Trigger},
    host::Host,
    scripted::{Act, DONE, Script, host, queue, quick, tries, until},
    wire::soon,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_started_again_and_what_was_under_way_comes_again() {
    let (queue, script) = (queue().await, Script::new(|start, _| if start == 1 { Act::Hang } else { DONE }));
    for text in ["a", "b", "c"] {
        queue.put(text).await.unwrap();
    }
    let host = host(quick(), &queue, &script);
    script.wait_for(3).await;
    host.kill_handler();
    soon(host.drained()).await;
    let tries = tries(&host, 6).await;
    let (first, second) = tries.split_at(3);
    assert!(
        second.iter().all(|later| first.iter().any(|tried| tried.text == later.text && tried.ended <= later.begun))
    );
    assert!(first.iter().all(|tried| matches!(tried.how, How::Broken | How::Killed) && tried.fate == Fate::Again));
    assert!(second.iter().all(|tried| (&tried.how, tried.dequeue_count) == (&How::Succeeded, 2)), "{second:?}");
    assert_eq!(script.starts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_crash_takes_the_host_down() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::End(End::Crashed)));
    queue.put("bad").await.unwrap();
    let host = host(quick(), &queue, &script);
    soon(until(|| host.standing() == Standing::Down)).await;
    assert_eq!((tries(&host, 3).await.len(), script.starts()), (3, 3));
    assert_eq!((queue.count().await, queue.poison().count().await), (1, 0), "the next host tries it twice more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_with_zero_is_not_started_again_and_what_is_taken_becomes_poison() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::End(End::Done)));
    for text in ["a", "b", "c"] {
        queue.put(text).await.unwrap();
    }
    let host = host(quick(), &queue, &script);
    soon(host.drained()).await;
    assert_eq!((host.standing(), script.starts(), queue.poison().count().await), (Standing::Gone, 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_kills_the_process_with_all_that_is_under_way_and_is_no_crash() {
    let script = Script::new(|start, request| match (start, request.contains("slow")) {
        (1, true) => Act::Answer(204, ""), // the host waits for ever for one without a body
        (1, false) => Act::Hang,
        _ => DONE,
    });
    let queue = queue().await;
    queue.put("slow").await.unwrap();
    let rules = Rules {
        function_timeout: Duration::from_millis(1_500),
        grace: Duration::from_millis(500),
        visibility_timeout: Duration::from_secs(1),
        crashes: 1,
        ..quick()
    };
    let host = host(rules, &queue, &script);
    tries(&host, 1).await;
    // Its neighbour begins within the grace, and has time for longer than that.
    queue.put("neighbour").await.unwrap();
    soon(host.drained()).await;
    let how = |text: &str| host.tries().into_iter().filter(|tried| tried.text == text).map(|tried| tried.how).collect();
    let (slow, neighbour): (Vec<_>, Vec<_>) = (how("slow"), how("neighbour"));
    assert_eq!(slow, [How::TimedOut, How::Succeeded]);
    assert!(matches!(neighbour[..], [How::Killed | How::Broken, How::Succeeded]), "{neighbour:?}");
    assert_eq!((script.starts(), queue.poison().count().await), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_time_outs_together_take_the_host_down_and_leave_their_messages_hidden() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Hang));
    for text in ["a", "b"] {
        queue.put(text).await.unwrap();
    }
    let rules = Rules { function_timeout: Duration::from_millis(300), grace: Duration::from_secs(600), ..quick() };
    let host = host(rules, &queue, &script);
    soon(until(|| host.standing() == Standing::Down)).await;
    tries(&host, 2).await;
    assert_eq!((script.starts(), queue.count().await, queue.poison().count().await), (1, 2, 0));
    assert!(host.tries().iter().any(|tried| tried.fate == Fate::Left), "{:?}", host.tries());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_host_had_comes_to_another_when_its_lock_is_over() {
    let (queue, script) = (queue().await, Script::new(|start, _| if start == 1 { Act::Hang } else { DONE }));
    for text in ["a", "b"] {
        queue.put(text).await.unwrap();
    }
    let rules = Rules { lock: Duration::from_secs(1), ..quick() };
    let first = host(rules.clone(), &queue, &script);
    script.wait_for(2).await;
    first.vanish().await;
    let second = host(rules, &queue, &script);
    soon(second.drained()).await;
    assert!(tries(&second, 2).await.iter().all(|tried| (&tried.how, tried.dequeue_count) == (&How::Succeeded, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hosts_died_with_too_often_is_poison_untried() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Hang));
    queue.put("a").await.unwrap();
    let rules = Rules { lock: Duration::from_secs(1), max_dequeue_count: 1, ..quick() };
    let first = host(rules.clone(), &queue, &script);
    script.wait_for(1).await;
    first.vanish().await;
    let second = host(rules, &queue, &script);
    soon(second.drained()).await;
    assert_eq!((&tries(&second, 1).await[0].how, script.asked().len()), (&How::UsedUp, 1));
    assert_eq!(queue.poison().count().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_is_renewed_while_a_message_is_under_way() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Wait));
    queue.put("long").await.unwrap();
    let rules = Rules { lock: Duration::from_secs(1), ..quick() };
    let first = host(rules.clone(), &queue, &script);
    script.wait_for(1).await;
    let second = host(rules, &queue, &script);
    // Longer than the lock: what is not renewed is seen by the other.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    script.release(1);
    soon(first.drained()).await;
    assert_eq!((tries(&first, 1).await[0].fate, second.tries().len(), script.asked().len()), (Fate::Deleted, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_told_to_end_waits_for_what_is_under_way() {
    let (queue, script) = (queue().await, Script::new(|_, _| Act::Wait));
    queue.put("a").await.unwrap();
    let host = host(quick(), &queue, &script);
    script.wait_for(1).await;
    let stopping = tokio::spawn(host.stop());
    script.release(1);
    soon(stopping).await.unwrap();
    assert_eq!((queue.count().await, script.starts()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_may_be_the_real_binary() {
    let queue = queue().await;
    queue.put("{}").await.unwrap();
    let start = || {
        let binary = Command::new(env!("CARGO_BIN_EXE_labelstream"));
        Host::start_in(Path::new(env!("CARGO_MANIFEST_DIR")), binary, &[])
    };
    let trigger = Trigger::new("NoSuchFunction", "work", queue.name());
    let rules = Rules { max_dequeue_count: 2, visibility_timeout: Duration::from_secs(1), ..quick() };
    let host = Dispatcher::start(rules, trigger, start);
    soon(until(|| host.tries().len() == 1)).await;
    let first = host.handler(|process: &mut Host| process.id());
    host.kill_handler();
    soon(host.drained()).await;
    let second = host.handler(|process| (process.id(), process.end()));
    assert_eq!(
        host.tries().iter().map(|tried| tried.how.clone()).collect::<Vec<_>>(),
        [How::Refused(404), How::Refused(404)]
    );
    assert!(first.is_some() && second.is_some_and(|(id, end)| Some(id) != first && end.is_none()));
}
