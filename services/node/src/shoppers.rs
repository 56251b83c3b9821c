//! The synthetic shoppers of `souk dev`: the one place where made-up traffic meets the node. Whoever makes the events knows a rate, a
//! seed and a sink, nothing of the node.

use std::pin::Pin;
use std::sync::Arc;

use prost::Message as _;
use souk_proto::v1::Event;
use souk_runtime::Runtime;
use souk_runtime::intake::Publication;

use crate::config::Traffic;
use crate::generate;

/// Takes a batch; answers when it is in the journal, or with what kept it out, in a word for the log.
pub(crate) type Sink = Box<dyn Fn(Vec<Event>) -> Taken + Send + Sync>;

/// A batch on its way.
pub(crate) type Taken = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Sends made-up events until it is dropped.
pub(crate) async fn shop(traffic: Traffic, sink: Sink) {
    generate::shop(traffic.rate, traffic.seed, sink).await
}

/// Into this node's intake, as a batch of a caller would go.
pub(crate) fn into_node(runtime: Arc<Runtime>) -> Sink {
    Box::new(move |events| {
        let runtime = Arc::clone(&runtime);
        Box::pin(async move {
            let events = events.iter().map(|event| event.encode_to_vec().into()).collect();
            let batch = Publication { events, shop: "main".to_owned(), ..Publication::default() };
            runtime.publish(batch, None).await.map(|_| ()).map_err(|error| error.to_string())
        })
    })
}
