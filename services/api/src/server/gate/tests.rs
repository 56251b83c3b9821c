use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::Notify;
use tonic_types::StatusExt as _;
use tower::{Service as _, ServiceExt as _};

use super::*;

/// Does what the method's name says.
#[derive(Clone, Default)]
struct Obedient {
    go_on: Arc<Notify>,
}

impl tower::Service<Request<Body>> for Obedient {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let go_on = self.go_on.clone();
        async move {
            let deadline = request.extensions().get::<Deadline>().expect("put there").0;
            match request.uri().path().rsplit('/').next() {
                Some("Panic") => panic!("as told"),
                Some("Hang") => {
                    assert!(deadline.is_some());
                    std::future::pending().await
                }
                Some("Wait") => go_on.notified().await,
                Some("None") => return Ok(Status::unimplemented("").into_http()),
                Some("TooLarge") => {
                    return Ok(Status::out_of_range("decoded message length too large").into_http());
                }
                // A path of ours that streams.
                Some("StreamEvents") => {
                    assert!(deadline.is_none());
                    let panics =
                        futures_util::stream::poll_fn(|_| -> Poll<Option<Result<Frame<Bytes>, Status>>> {
                            panic!("in the middle")
                        });
                    return Ok(Response::new(Body::new(StreamBody::new(panics))));
                }
                _ => {}
            }
            Ok(Status::ok("").into_http())
        }
        .boxed()
    }
}

struct Bench {
    gate: Gate<Obedient>,
    go_on: Arc<Notify>,
    drain: CancellationToken,
    counters: Arc<Counters>,
    methods: Arc<Methods>,
}

fn bench(options: &Options) -> Bench {
    let service = Obedient::default();
    let (go_on, drain, counters) = (service.go_on.clone(), CancellationToken::new(), Arc::default());
    let methods = Arc::new(Methods::new().unwrap());
    let gate = Gate::new(service, options, drain.clone(), &counters, &methods, None);
    Bench { gate, go_on, drain, counters, methods }
}

impl Bench {
    fn call(&self, method: &str) -> BoxFuture<'static, Response<Body>> {
        let request = Request::post(format!("/souk.v1.EventService/{method}")).body(Body::empty()).unwrap();
        self.send(request)
    }

    /// What the calls so far are counted under.
    fn took(&self) -> Vec<(String, &'static str, u64)> {
        let took = self.methods.took().into_iter();
        took.map(|calls| (calls.method, calls.code, calls.took.count)).collect()
    }

    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let mut gate = self.gate.clone();
        async move { gate.ready().await.unwrap().call(request).await.unwrap() }.boxed()
    }
}

fn reason(response: &Response<Body>) -> String {
    let status = Status::from_header_map(response.headers()).expect("a status");
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_panic_is_a_bug_of_ours_and_nothing_else() {
    let bench = bench(&Options::default());
    assert_eq!(reason(&bench.call("Panic").await), "INTERNAL_BUG");
    assert_eq!(reason(&bench.call("Fine").await), "");
    assert_eq!(bench.counters.figures().panics, 1);
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_stream_ends_it_with_a_status() {
    let bench = bench(&Options::default());
    let response = bench.call("StreamEvents").await;
    assert_eq!(bench.counters.figures().streams_open, 1);
    let body = response.into_body().collect().await.unwrap();
    let status = Status::from_header_map(body.trailers().expect("it has an end")).unwrap();
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "INTERNAL_BUG");
    assert_eq!(bench.counters.figures().streams_open, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline() {
    let bench = bench(&Options::default());
    let begun = Instant::now();
    assert_eq!(reason(&bench.call("Hang").await), "DEADLINE_PASSED");
    assert_eq!(begun.elapsed(), Options::default().unary_deadline + DEADLINE_SLACK);
    let request = Request::post("/souk.v1.EventService/Hang").header("grpc-timeout", "50m");
    let begun = Instant::now();
    assert_eq!(reason(&bench.send(request.body(Body::empty()).unwrap()).await), "DEADLINE_PASSED");
    assert_eq!(begun.elapsed(), Duration::from_millis(50) + DEADLINE_SLACK);
}

#[tokio::test]
async fn what_there_is_no_room_for_is_shed_at_once() {
    let bench = bench(&Options { calls: 1, streams: 0, ..Options::default() });
    let mut waiting = bench.call("Wait");
    assert!((&mut waiting).now_or_never().is_none());
    let shed = bench.call("Fine").await;
    assert_eq!(reason(&shed), "OVERLOADED");
    let details = Status::from_header_map(shed.headers()).unwrap().get_error_details();
    assert!(details.retry_info().is_some());
    assert_eq!(reason(&bench.call("StreamEvents").await), "TOO_MANY_STREAMS");
    bench.go_on.notify_one();
    assert_eq!(reason(&waiting.await), "");
    assert_eq!(reason(&bench.call("Fine").await), "");
    assert_eq!(bench.counters.figures().shed, 2);
}

#[tokio::test]
async fn a_leaving_node_takes_no_calls() {
    let bench = bench(&Options::default());
    bench.drain.cancel();
    assert_eq!(reason(&bench.call("Fine").await), "NODE_DRAINING");
}

#[tokio::test]
async fn every_call_is_timed_under_its_method_and_how_it_ended() {
    let bench = bench(&Options { calls: 1, ..Options::default() });
    let mut waiting = bench.call("Wait");
    assert!((&mut waiting).now_or_never().is_none());
    drop(bench.call("PublishEvents").await);
    drop(waiting);
    drop(bench.call("PublishEvents").await);
    drop(bench.call("Panic").await);
    drop(bench.call("StreamEvents").await.into_body().collect().await);
    drop(bench.call("StreamEvents").await);
    let of = |method: &str, code, count| (format!("souk.v1.EventService/{method}"), code, count);
    let expected = [
        of("PublishEvents", "OK", 1),
        of("PublishEvents", "RESOURCE_EXHAUSTED", 1),
        of("StreamEvents", "CANCELLED", 1),
        of("StreamEvents", "INTERNAL", 1),
        ("_OTHER".to_owned(), "CANCELLED", 1),
        ("_OTHER".to_owned(), "INTERNAL", 1),
    ];
    assert_eq!(bench.took(), expected);
    let untimed = self::bench(&Options { timed: false, ..Options::default() });
    drop(untimed.call("Fine").await);
    assert_eq!(untimed.took(), []);
}

#[tokio::test]
async fn statuses_of_tonics_own_leave_as_ours() {
    let bench = bench(&Options::default());
    assert_eq!(reason(&bench.call("TooLarge").await), "MESSAGE_TOO_LARGE");
    assert_eq!(reason(&bench.call("None").await), "METHOD_UNKNOWN");
}
