//! Nodes speak to each other over real sockets: the port's contract, with and without TLS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use souk_cluster::{PeersOptions, ServerOptions, Tls, TonicPeers, serve};
use souk_proto::internal::v1::{ReadNode, ask_request};
use souk_runtime::conformance::peers::{Pair, suite};
use souk_runtime::ports::{Inbound, Peers, Unreachable};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
struct OnLoopback {
    peers: Option<Arc<dyn Peers>>,
    address: String,
    tls: Option<Tls>,
    listening: Option<(CancellationToken, JoinHandle<()>)>,
}

impl OnLoopback {
    async fn new(speaks: Option<Tls>, listens: Option<Tls>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = port.local_addr().expect("it has one").to_string();
        let options = PeersOptions { tls: speaks, ..PeersOptions::new("127.0.0.1:1") };
        let peers = TonicPeers::new(options).expect("the options are right");
        Self { peers: Some(Arc::new(peers)), address, tls: listens, listening: None }
    }
}

#[async_trait]
impl Pair for OnLoopback {
    fn address(&self) -> &str {
        &self.address
    }

    fn peers(&self) -> Arc<dyn Peers> {
        self.peers.clone().expect("it was not silenced")
    }

    async fn listen(&mut self, inbound: Arc<dyn Inbound>) {
        let listener = TcpListener::bind(&self.address).await.expect("the port is free again");
        let leaving = CancellationToken::new();
        let options = ServerOptions { tls: self.tls.clone(), ..ServerOptions::default() };
        let serving = serve(listener, inbound, options, leaving.clone());
        let task = tokio::spawn(async move { serving.await.expect("it serves") });
        self.listening = Some((leaving, task));
    }

    async fn leave(&mut self) {
        let (leaving, task) = self.listening.take().expect("it listens");
        leaving.cancel();
        task.await.expect("it ends");
    }

    fn silence(&mut self) {
        self.peers = None;
    }
}

/// An authority, and what two nodes it signed for are told.
fn authority() -> impl Fn() -> Tls {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, key).expect("it signs itself");
    move || {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["souk-node".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("it is signed");
        Tls {
            authority: issuer.pem().into_bytes(),
            certificate: certificate.pem().into_bytes(),
            key: key.serialize_pem().into_bytes(),
            name: Some("souk-node".to_owned()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_plain_on_two_threads() {
    suite(async || OnLoopback::new(None, None).await).await;
}

#[tokio::test]
async fn in_plain_on_one_thread() {
    suite(async || OnLoopback::new(None, None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_tls() {
    let node = authority();
    suite(async || OnLoopback::new(Some(node()), Some(node())).await).await;
}

#[tokio::test]
async fn a_node_that_hangs_is_noticed_long_before_the_deadline() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = hanging.local_addr().expect("it has one").to_string();
    let accepting = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = hanging.accept().await {
            open.push(stream);
        }
    });
    let peers = TonicPeers::new(PeersOptions::new("127.0.0.1:1")).expect("the options are right");
    let began = Instant::now();
    let question = ask_request::Question::Node(ReadNode {});
    let answer = peers.ask(&address, question, began + Duration::from_secs(60)).await;
    assert_eq!(answer, Err(Unreachable));
    assert!(began.elapsed() < Duration::from_secs(15), "it took {:?}", began.elapsed());
    accepting.abort();
}

mod strangers {

    use souk_proto::internal::v1::{AskRequest, AskResponse, FollowRequest, LinkRequest};
    use souk_runtime::Error;
    use souk_runtime::ports::{LinkInbound, News};

    use super::*;

    /// Answers everybody, and must be asked by nobody but those it knows.
    #[derive(Debug)]
    struct Anybody;

    impl LinkInbound for Anybody {
        fn hear(&mut self, _: LinkRequest) {}
    }

    #[async_trait]
    impl Inbound for Anybody {
        fn link_opened(&self) -> Box<dyn LinkInbound> {
            Box::new(Self)
        }

        async fn answer(&self, _: AskRequest) -> AskResponse {
            AskResponse { answer: None }
        }

        fn follow(&self, _: FollowRequest) -> Result<News, Error> {
            Err(Error::Draining)
        }
    }

    async fn is_answered(speaks: Option<Tls>, listens: Option<Tls>) -> bool {
        let mut pair = OnLoopback::new(speaks, listens).await;
        pair.listen(Arc::new(Anybody)).await;
        let question = ask_request::Question::Node(ReadNode {});
        let deadline = Instant::now() + Duration::from_secs(10);
        let answer = pair.peers().ask(&pair.address, question, deadline).await;
        assert!(matches!(answer, Ok(_) | Err(Unreachable)));
        pair.leave().await;
        answer.is_ok()
    }

    #[tokio::test]
    async fn are_not_answered() {
        let (ours, theirs) = (authority(), authority());
        assert!(is_answered(Some(ours()), Some(ours())).await);
        assert!(!is_answered(Some(theirs()), Some(ours())).await, "signed by another authority");
        let forged = Tls { authority: ours().authority, ..theirs() };
        assert!(!is_answered(Some(forged.clone()), Some(ours())).await, "knows us, and is not ours");
        assert!(!is_answered(Some(ours()), Some(forged)).await, "a listener that is not ours");
        assert!(!is_answered(None, Some(ours())).await, "plain");
        assert!(!is_answered(Some(ours()), None).await, "nothing goes out in plain");
        let elsewhere = Tls { name: Some("souk-other".to_owned()), ..ours() };
        assert!(!is_answered(Some(elsewhere), Some(ours())).await, "another name");
    }
}
