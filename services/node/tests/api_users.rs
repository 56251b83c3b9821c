//! UserService, end to end: a whole node behind a real connection.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod api_bench;

use api_bench::{Node, failed, now, page_view};
use souk_proto::v1;
use souk_proto::v1::session::State;
use tonic::{Code, Request};

const HOUR: i64 = 3_600_000;

fn at(millis: i64) -> Option<prost_types::Timestamp> {
    Some(souk_model::time::to_timestamp(millis))
}

fn read(position: &str) -> Option<v1::ReadOptions> {
    Some(v1::ReadOptions { min_position: position.to_owned(), ..Default::default() })
}

fn session(name: &str, position: &str) -> v1::GetSessionRequest {
    v1::GetSessionRequest { name: name.into(), read: read(position) }
}

fn events(position: &str) -> v1::ListUserEventsRequest {
    v1::ListUserEventsRequest { parent: "users/me".into(), read: read(position), ..Default::default() }
}

fn ids(answer: &v1::ListUserEventsResponse) -> Vec<&str> {
    answer.events.iter().map(|event| event.event_id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_found_by_name_and_listed_newest_first() {
    let node = Node::start().await;
    let mut users = node.users().await;
    let then = now() - 3 * HOUR;
    let old =
        v1::Event { event_time: at(then), device_id: "phone".into(), ..page_view("e-1", "me", "/mugs") };
    let position =
        node.publish(vec![old, page_view("e-2", "me", "/pots"), page_view("e-3", "me", "/")]).await;

    let latest =
        users.get_session(session("users/me/sessions/latest", &position)).await.unwrap().into_inner();
    let newest = latest.session.unwrap();
    assert_eq!(
        (newest.state(), &*newest.landing_page, newest.event_counts["page_view"]),
        (State::Active, "/pots", 2)
    );
    assert!(latest.info.unwrap().revision.unwrap() > 0);

    let list = v1::ListSessionsRequest { parent: "users/me".into(), page_size: 1, ..Default::default() };
    let page = users.list_sessions(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.sessions[0].name, newest.name);
    let rest = v1::ListSessionsRequest { page_token: page.next_page_token, ..list };
    let page = users.list_sessions(rest).await.unwrap().into_inner();
    let oldest = &page.sessions[0];
    assert_eq!((oldest.start_time, &*oldest.device_ids[0], &*page.next_page_token), (at(then), "phone", ""));
    let found = users.get_session(session(&oldest.name, "")).await.unwrap().into_inner().session.unwrap();
    assert_eq!((found.state(), found.end_time), (State::Ended, at(then + HOUR / 2)));

    let (code, reason, _) = failed(users.get_session(session("users/me/sessions/7", "")).await);
    assert_eq!((code, &*reason), (Code::NotFound, "RESOURCE_UNKNOWN"));
    let nobody = users.get_session(session("users/nobody/sessions/latest", "")).await.unwrap().into_inner();
    assert_eq!((nobody.session, nobody.info.is_some()), (None, true));
    let mut east = Request::new(session("users/me/sessions/latest", ""));
    east.metadata_mut().insert("souk-shop", "east".parse().unwrap());
    assert_eq!(users.get_session(east).await.unwrap().into_inner().session, None, "names are within a shop");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_back_newest_first_until_an_erase() {
    let node = Node::start().await;
    let mut users = node.users().await;
    let mine = (1..=5).map(|n| page_view(&format!("e-{n}"), "me", "/"));
    let others = (1..=50).map(|n| page_view(&format!("o-{n}"), &format!("u-{n}"), "/"));
    let twice = page_view("e-5", "me", "/again");
    let position = node.publish(mine.chain(others).chain([twice]).collect()).await;

    let all = users.list_user_events(events(&position)).await.unwrap().into_inner();
    assert_eq!(
        ids(&all),
        ["e-5", "e-5", "e-4", "e-3", "e-2", "e-1"],
        "as they came, whatever became of them"
    );
    let request = v1::ListUserEventsRequest { page_size: 4, ..events("") };
    let page = users.list_user_events(request.clone()).await.unwrap().into_inner();
    assert_eq!(ids(&page), ["e-5", "e-5", "e-4", "e-3"]);
    let rest = v1::ListUserEventsRequest { page_token: page.next_page_token, ..request };
    assert_eq!(ids(&users.list_user_events(rest).await.unwrap().into_inner()), ["e-2", "e-1"]);
    let filter = "event_id = \"e-3\" OR event_id = \"e-1\"".to_owned();
    let some = v1::ListUserEventsRequest { filter, ..events("") };
    assert_eq!(ids(&users.list_user_events(some).await.unwrap().into_inner()), ["e-3", "e-1"]);
    let wrong = v1::ListUserEventsRequest { filter: "page = 1".into(), ..events("") };
    assert_eq!(failed(users.list_user_events(wrong).await).1, "FILTER_INVALID");

    let erase = v1::EraseUserRequest { name: "users/me".into(), request_id: "r-1".into() };
    let erased = users.erase_user(erase.clone()).await.unwrap().into_inner();
    assert_eq!(erased.state(), v1::erase_user_response::State::Erasing);
    let at = erased.info.unwrap().position;
    assert!(users.erase_user(erase).await.is_ok(), "a repeat answers as the first");
    let latest = users.get_session(session("users/me/sessions/latest", &at)).await.unwrap().into_inner();
    assert_eq!(latest.session, None);
    let after = users.list_user_events(events(&at)).await.unwrap().into_inner();
    assert_eq!((ids(&after), &*after.next_page_token), (Vec::new(), ""));
}
