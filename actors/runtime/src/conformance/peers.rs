//! The peers port: what [`Peers`] and [`Inbound`] promise of each other, sentence by sentence. Every check gets a pair of nodes of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use souk_model::journal::ShardId;
use souk_proto::internal::v1::{
    ActorState, AskRequest, AskResponse, FollowRequest, LinkRequest, ReadActor, TallySince, ask_request,
    ask_response, follow_request, link_request,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::Error;
use crate::ports::{Inbound, LinkInbound, News, Peers, Unreachable};

/// More than any check takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// A node that refuses connections is found out well within this.
const FAST: Duration = Duration::from_secs(3);

/// Two nodes: one that speaks, one that listens, and goes and comes back.
#[async_trait]
pub trait Pair: Send {
    /// Where the listener is, also while it is away.
    fn address(&self) -> &str;

    /// The speaker's. Nobody is listening yet.
    fn peers(&self) -> Arc<dyn Peers>;

    /// The listener comes.
    async fn listen(&mut self, inbound: Arc<dyn Inbound>);

    /// It goes: its connections end.
    async fn leave(&mut self);

    /// The speaker ends, with all its connections.
    fn silence(&mut self);
}

/// Runs every check.
pub async fn suite<P: Pair>(make: impl AsyncFn() -> P) {
    what_a_shard_says_arrives_in_order(make().await).await;
    without_room_a_message_is_lost_at_once(make().await).await;
    a_question_is_answered(make().await).await;
    a_question_waits_until_its_deadline_and_no_longer(make().await).await;
    a_node_that_is_away_is_found_out_fast(make().await).await;
    news_come_at_once_and_are_merged(make().await).await;
    what_is_followed_ends_with_either_side(make().await).await;
    everything_goes_on_when_a_node_comes_back(make().await).await;
    interest_is_told_and_ends_with_its_link(make().await).await;
}

/// A listener that keeps what it hears.
#[derive(Debug, Default)]
struct Listener {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the shard that spoke.
    heard: BTreeMap<String, Vec<u64>>,
    /// By link, whether somebody watches behind it.
    links: BTreeMap<u64, bool>,
    opened: u64,
    /// The other ends of what is followed.
    followers: Vec<mpsc::Sender<()>>,
    /// Questions under way.
    asked: Arc<()>,
}

impl Listener {
    fn heard(&self, from: ShardId) -> Vec<u64> {
        self.state.lock().heard.get(&from.to_string()).cloned().unwrap_or_default()
    }

    fn watched(&self) -> bool {
        self.state.lock().links.values().any(|watched| *watched)
    }

    fn asked(&self) -> usize {
        Arc::strong_count(&self.state.lock().asked) - 1
    }
}

/// The listener, as nodes know it.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Listener>);

#[async_trait]
impl Inbound for Shared {
    fn link_opened(&self) -> Box<dyn LinkInbound> {
        let mut state = self.0.state.lock();
        state.opened += 1;
        let number = state.opened;
        state.links.insert(number, false);
        Box::new(Ear { number, of: self.clone() })
    }

    /// Answers with the key; to `never` not at all.
    async fn answer(&self, question: AskRequest) -> AskResponse {
        let _asked = self.0.state.lock().asked.clone();
        let Some(ask_request::Question::Actor(read)) = question.question else {
            panic!("nobody asked for {question:?}")
        };
        if read.key == "never" {
            std::future::pending::<()>().await;
        }
        let state = Some(read.key.into_bytes());
        AskResponse {
            answer: Some(ask_response::Answer::Actor(ActorState { state, ..ActorState::default() })),
        }
    }

    fn follow(&self, request: FollowRequest) -> Result<News, Error> {
        if request.subject.is_none() {
            return Err(Error::Draining);
        }
        let (news, reader) = mpsc::channel(1);
        news.try_send(()).expect("it is empty");
        self.0.state.lock().followers.push(news);
        Ok(reader)
    }
}

struct Ear {
    number: u64,
    of: Shared,
}

impl LinkInbound for Ear {
    fn hear(&mut self, message: LinkRequest) {
        let mut state = self.of.0.state.lock();
        match message.message {
            Some(link_request::Message::Since(since)) => {
                state.heard.entry(message.from).or_default().push(since.since);
            }
            Some(link_request::Message::Interest(interest)) => {
                state.links.insert(self.number, interest.watched);
            }
            other => panic!("nobody told {other:?}"),
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.of.0.state.lock().links.remove(&self.number);
    }
}

fn message(from: ShardId, offset: u64) -> LinkRequest {
    let since = TallySince { since: offset };
    let message = Some(link_request::Message::Since(since));
    LinkRequest {
        to: ShardId::users(0).to_string(),
        from: from.to_string(),
        message,
        ..LinkRequest::default()
    }
}

fn question(key: &str) -> ask_request::Question {
    ask_request::Question::Actor(ReadActor { key: key.to_owned(), ..ReadActor::default() })
}

fn subject(key: &str) -> FollowRequest {
    FollowRequest { subject: Some(follow_request::Subject::Row(key.to_owned())) }
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "in time: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Asks until an answer comes.
async fn ask(peers: &dyn Peers, address: &str, key: &str) -> AskResponse {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match peers.ask(address, question(key), Instant::now() + FAST).await {
            Ok(answer) => return answer,
            Err(Unreachable) => {
                assert!(Instant::now() < deadline, "a node that is there answers");
                sleep(Duration::from_millis(2)).await;
            }
        }
    }
}

async fn listening<P: Pair>(pair: &mut P) -> (Arc<Listener>, Arc<dyn Peers>, String) {
    let listener = Shared::default();
    pair.listen(Arc::new(listener.clone())).await;
    (listener.0, pair.peers(), pair.address().to_owned())
}

async fn what_a_shard_says_arrives_in_order(mut pair: impl Pair) {
    const MESSAGES: u64 = 2_000;
    let (listener, peers, address) = listening(&mut pair).await;
    let sources: Vec<_> = (0..6).map(ShardId::products).collect();
    for offset in 1..=MESSAGES {
        for source in &sources {
            until("there is room", || peers.tell(&address, message(*source, offset))).await;
        }
    }
    let all: Vec<_> = (1..=MESSAGES).collect();
    for source in sources {
        until("everything arrives", || listener.heard(source).last() == Some(&MESSAGES)).await;
        assert_eq!(listener.heard(source), all, "{source}");
    }
}

async fn without_room_a_message_is_lost_at_once(mut pair: impl Pair) {
    let (listener, peers, address) = listening(&mut pair).await;
    let source = ShardId::products(0);
    // Nothing here waits, so on one thread nothing leaves meanwhile; on several some does.
    let mut told = Vec::new();
    for offset in 1..=1_000_000 {
        if peers.tell(&address, message(source, offset)) {
            told.push(offset);
        } else if told.len() > 1_000 || told.last().is_none_or(|last| offset > last + 1_000) {
            break;
        }
    }
    assert!(told.len() < 1_000_000, "there is no end to what waits");
    until("what was taken arrives", || listener.heard(source).len() >= told.len()).await;
    assert_eq!(listener.heard(source), told, "and nothing else does");
    until("there is room again", || peers.tell(&address, message(source, u64::MAX))).await;
}

async fn a_question_is_answered(mut pair: impl Pair) {
    let (_listener, peers, address) = listening(&mut pair).await;
    let asking = (0..50).map(|n| {
        let (peers, address) = (peers.clone(), address.clone());
        tokio::spawn(async move {
            let key = format!("main/{n}");
            let answer = peers.ask(&address, question(&key), Instant::now() + DEADLINE).await;
            let Ok(AskResponse { answer: Some(ask_response::Answer::Actor(actor)) }) = answer else {
                panic!("{answer:?}")
            };
            assert_eq!(actor.state, Some(key.into_bytes()));
        })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.expect("it is answered with what was asked");
    }
}

async fn a_question_waits_until_its_deadline_and_no_longer(mut pair: impl Pair) {
    let (listener, peers, address) = listening(&mut pair).await;
    ask(&*peers, &address, "main/first").await;
    let patience = Duration::from_millis(200);
    let began = Instant::now();
    let answer = peers.ask(&address, question("never"), began + patience).await;
    assert_eq!(answer, Err(Unreachable));
    let took = began.elapsed();
    assert!(patience <= took && took < patience + FAST, "it took {took:?}");
    until("the other node stops as well", || listener.asked() == 0).await;
}

async fn a_node_that_is_away_is_found_out_fast(pair: impl Pair) {
    let (peers, address) = (pair.peers(), pair.address().to_owned());
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(peers.ask(&address, question("main/a"), began + DEADLINE).await, Err(Unreachable));
        assert_eq!(peers.follow(&address, subject("main/a")).await.err(), Some(Unreachable));
        assert!(began.elapsed() < FAST, "it took {:?}", began.elapsed());
    }
    until("a message is lost", || !peers.tell(&address, message(ShardId::products(0), 1))).await;
    let nowhere = peers.ask("", question("main/a"), Instant::now() + DEADLINE).await;
    assert_eq!(nowhere, Err(Unreachable), "nobody has no address");
}

async fn news_come_at_once_and_are_merged(mut pair: impl Pair) {
    let (listener, peers, address) = listening(&mut pair).await;
    let mut news = peers.follow(&address, subject("main/a")).await.expect("it can be followed");
    timeout(DEADLINE, news.recv()).await.expect("the first comes at once").expect("it is followed");
    let sender = listener.state.lock().followers[0].clone();
    for _ in 0..500 {
        timeout(DEADLINE, sender.send(()))
            .await
            .expect("a slow reader stops nobody")
            .expect("it is followed");
    }
    let mut came = 0;
    timeout(DEADLINE, news.recv()).await.expect("they come").expect("it is followed");
    while timeout(Duration::from_millis(300), news.recv()).await.is_ok() {
        came += 1;
    }
    assert!(came < 500, "{came} of 500 were not merged");
    let refused = peers.follow(&address, FollowRequest { subject: None }).await;
    assert_eq!(refused.err(), Some(Unreachable), "what there is not is not followed");
}

async fn what_is_followed_ends_with_either_side(mut pair: impl Pair) {
    let (listener, peers, address) = listening(&mut pair).await;
    let mut first = peers.follow(&address, subject("main/a")).await.expect("it can be followed");
    let second = peers.follow(&address, subject("main/b")).await.expect("it can be followed");
    drop(second);
    until("who followed has gone", || listener.state.lock().followers[1].is_closed()).await;
    assert!(!listener.state.lock().followers[0].is_closed());
    listener.state.lock().followers.clear();
    let ends = async { while first.recv().await.is_some() {} };
    timeout(DEADLINE, ends).await.expect("what is over ends");
    let mut third = peers.follow(&address, subject("main/c")).await.expect("it can be followed");
    pair.leave().await;
    let ends = async { while third.recv().await.is_some() {} };
    timeout(DEADLINE, ends).await.expect("it ends with its node");
}

async fn everything_goes_on_when_a_node_comes_back(mut pair: impl Pair) {
    let source = ShardId::products(1);
    let mut offset = 0;
    for _ in 0..3 {
        let (listener, peers, address) = listening(&mut pair).await;
        until("a message arrives", || {
            offset += 1;
            peers.tell(&address, message(source, offset));
            !listener.heard(source).is_empty()
        })
        .await;
        ask(&*peers, &address, "main/a").await;
        pair.leave().await;
        let answer = peers.ask(&address, question("main/a"), Instant::now() + DEADLINE).await;
        assert_eq!(answer, Err(Unreachable), "it is away");
        until("a message is lost", || {
            offset += 1;
            !peers.tell(&address, message(source, offset))
        })
        .await;
        let heard = listener.heard(source);
        assert!(heard.is_sorted_by(|a, b| a < b), "in order or not at all: {heard:?}");
    }
}

async fn interest_is_told_and_ends_with_its_link(mut pair: impl Pair) {
    let (listener, peers, address) = listening(&mut pair).await;
    let speak = |offset| peers.tell(&address, message(ShardId::products(0), offset));
    peers.set_interest(true);
    until("there is room", || speak(1)).await;
    until("interest is told", || listener.watched()).await;
    peers.set_interest(false);
    until("that it ended is told", || !listener.watched()).await;
    peers.set_interest(true);
    until("interest is told again", || listener.watched()).await;

    pair.leave().await;
    until("it ends with its link", || listener.state.lock().links.is_empty()).await;
    let (listener, ..) = listening(&mut pair).await;
    until("the next link begins with it", || listener.watched()).await;
    drop(peers);
    pair.silence();
    until("it ends with whoever told it", || listener.state.lock().links.is_empty()).await;
}
