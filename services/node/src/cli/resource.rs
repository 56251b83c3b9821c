//! The grammar of names: a resource's name decides the call that reads it, a collection's the call that lists it.

use serde_json::{Value, json};

use super::exit::Failure;
use crate::output::table::{Column, columns};

/// A unary call that reads one thing.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) method: &'static str,
    pub(crate) request: Value,
    /// Where the thing stands in the answer, as `state.cart`; empty: the answer itself. A list there: the one of this name.
    pub(crate) part: &'static str,
}

/// A unary call that reads a page.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) method: &'static str,
    pub(crate) request: Value,
    /// The field of the answer that holds the rows.
    pub(crate) rows: &'static str,
    pub(crate) columns: &'static [Column],
}

/// What can be read by name, for messages.
const READABLE: &str = "metrics/M, users/U, users/U/cart, users/U/orders/O, users/U/sessions/S, products/P, shards/S, nodes/N, deadLetters/D";
/// What can be listed.
const LISTABLE: &str = "metrics, metrics/M/corrections, shards, nodes, deadLetters, users/U/sessions, users/U/events, \
                        users/U/abandonedCarts, users/-/abandonedCarts";
/// What can be watched.
const WATCHABLE: &str = "metrics/M, users/U";

/// The call that reads a resource, metrics apart: those are queried.
pub(crate) fn read(name: &str) -> Result<Read, Failure> {
    let parts: Vec<&str> = name.split('/').collect();
    let actor = |part| {
        let name = parts.get(..2).map(|parts| parts.join("/")).unwrap_or_default();
        Read { method: "AdminService/DescribeActor", request: json!({ "name": name }), part }
    };
    let named =
        |method, part| Read { method, request: json!({ "filter": format!("name = {name:?}") }), part };
    match parts[..] {
        ["users" | "products", id] if !id.is_empty() => Ok(actor("state")),
        ["users", id, "cart"] if !id.is_empty() => Ok(actor("state.cart")),
        ["users", id, "orders", _] if !id.is_empty() => Ok(actor("state.orders")),
        ["users", _, "sessions", _] => {
            Ok(Read { method: "UserService/GetSession", request: json!({ "name": name }), part: "session" })
        }
        ["shards", _] => Ok(named("AdminService/ListShards", "shards")),
        ["nodes", _] => {
            Ok(Read { method: "AdminService/GetNode", request: json!({ "name": name }), part: "node" })
        }
        ["deadLetters", _] => Ok(named("AdminService/ListDeadLetters", "deadLetters")),
        _ => Err(unknown(name, "names nothing that can be read", READABLE, "souk list metrics")),
    }
}

/// The call that lists a collection.
pub(crate) fn list(collection: &str) -> Result<Listing, Failure> {
    let parts: Vec<&str> = collection.split('/').collect();
    let plain = |method, rows, columns| Listing { method, request: json!({}), rows, columns };
    let below = |parent: [&str; 2], method, rows, columns| Listing {
        method,
        request: json!({ "parent": parent.join("/") }),
        rows,
        columns,
    };
    match parts[..] {
        ["metrics"] => Ok(plain("AnalyticsService/ListMetrics", "metrics", &METRICS)),
        ["metrics", m, "corrections"] => {
            Ok(below(["metrics", m], "AnalyticsService/ListCorrections", "corrections", &CORRECTIONS))
        }
        ["shards"] => Ok(plain("AdminService/ListShards", "shards", &SHARDS)),
        ["nodes"] => Ok(plain("AdminService/ListNodes", "nodes", &NODES)),
        ["deadLetters" | "dead-letters"] => {
            Ok(plain("AdminService/ListDeadLetters", "deadLetters", &DEAD_LETTERS))
        }
        ["users", u, "sessions"] => {
            Ok(below(["users", u], "UserService/ListSessions", "sessions", &SESSIONS))
        }
        ["users", u, "events"] => Ok(below(["users", u], "UserService/ListUserEvents", "events", &EVENTS)),
        ["users", u, "abandonedCarts"] => {
            Ok(below(["users", u], "AnalyticsService/ListAbandonedCarts", "abandonedCarts", &ABANDONED))
        }
        ["users"] | ["products"] => Err(Failure::usage(format_args!("{collection} are too many to list"))
            .hint(
                "one of them: souk get users/alice        the newest of one: souk list users/alice/events",
            )),
        _ => Err(unknown(collection, "is no collection", LISTABLE, "souk list metrics")),
    }
}

/// The stream that watches a resource: method and request.
pub(crate) fn watch(name: &str, query: Value) -> Result<(&'static str, Value), Failure> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["metrics", _] => Ok(("AnalyticsService/WatchMetric", json!({ "queries": [query], "watch": {} }))),
        ["users", _] => Ok(("UserService/WatchUser", json!({ "name": name, "watch": {} }))),
        _ => Err(unknown(
            name,
            "names nothing that can be watched",
            WATCHABLE,
            "souk watch metrics/active_users",
        )),
    }
}

fn unknown(name: &str, what: &str, known: &str, example: &str) -> Failure {
    Failure::usage(format_args!("{name:?} {what}"))
        .hint(format_args!("known: {known}"))
        .hint(format_args!("try: {example}"))
}

static METRICS: [Column; 5] = columns([
    ("metric", "name"),
    ("keys", "keys"),
    ("windows", "windows"),
    ("measures", "measures"),
    ("series", "seriesCount"),
]);
pub(super) static SHARDS: [Column; 9] = columns([
    ("shard", "name"),
    ("state", "state"),
    ("owner", "owner"),
    ("epoch", "epoch"),
    ("position", "position"),
    ("end", "endPosition"),
    ("watermark", "watermark"),
    ("cut age", "cutAge"),
    ("held by", "heldBy"),
]);
static NODES: [Column; 4] = columns([
    ("node", "name"),
    ("version", "version"),
    ("durability", "durability"),
    ("settings", "settingsHash"),
]);
pub(super) static DEAD_LETTERS: [Column; 6] = columns([
    ("dead letter", "name"),
    ("time", "time"),
    ("by", "processingComponent"),
    ("reason", "errorType"),
    ("source", "source"),
    ("what was wrong", "errorReason"),
]);
static SESSIONS: [Column; 5] = columns([
    ("session", "name"),
    ("state", "state"),
    ("start", "startTime"),
    ("last event", "lastEventTime"),
    ("landing page", "landingPage"),
]);
static EVENTS: [Column; 5] = columns([
    ("time", "eventTime"),
    ("event", "eventId"),
    ("kind", "kind"),
    ("session", "sessionId"),
    ("source", "source"),
]);
static ABANDONED: [Column; 5] = columns([
    ("abandoned cart", "name"),
    ("state", "state"),
    ("stage", "stage"),
    ("value", "value"),
    ("abandoned", "abandonTime"),
]);
static CORRECTIONS: [Column; 4] = columns([
    ("correction", "name"),
    ("cause", "cause"),
    ("before", "before.values"),
    ("after", "after.values"),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::schema::{from_json, method};

    /// Every name's request is a message of its method: what the grammar knows, the API knows.
    #[test]
    fn every_name_makes_a_request_of_its_method() {
        for name in [
            "users/a",
            "users/a/cart",
            "users/a/orders/o",
            "users/a/sessions/latest",
            "products/p",
            "shards/users-1",
            "nodes/n-1",
            "deadLetters/users-1.2.0",
        ] {
            let read = read(name).expect(name);
            let method = method(read.method).expect(read.method);
            from_json(method.input(), read.request).expect(name);
        }
        for name in [
            "metrics",
            "metrics/-/corrections",
            "shards",
            "nodes",
            "deadLetters",
            "users/a/sessions",
            "users/a/events",
            "users/-/abandonedCarts",
        ] {
            let list = list(name).expect(name);
            let method = method(list.method).expect(list.method);
            from_json(method.input(), list.request).expect(name);
            let fields: Vec<String> =
                method.output().fields().map(|field| field.json_name().to_owned()).collect();
            assert!(fields.iter().any(|field| field == list.rows), "{name}: {fields:?}");
        }
        for name in ["metrics/m", "users/a"] {
            let (stream, request) = watch(name, json!({ "name": name })).expect(name);
            from_json(method(stream).expect(stream).input(), request).expect(name);
        }
    }

    #[test]
    fn what_is_no_name_is_wrong_usage() {
        for name in ["", "users", "users/", "user/a", "users/a/b", "carts/a", "metrics/m"] {
            assert!(read(name).is_err(), "{name}");
        }
        assert!(list("users").is_err());
        assert!(watch("shards/users-1", json!({})).is_err());
    }
}
