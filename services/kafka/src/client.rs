//! How a client is set up, whatever it is for.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// What a caller may set, by librdkafka's names; all by prefix. Everything else is what promises hang on.
const OPEN_TO_CALLERS: [&str; 6] =
    ["security.", "sasl.", "ssl.", "socket.", "broker.address.", "client.rack"];

pub fn is_open_to_callers(property: &str) -> bool {
    OPEN_TO_CALLERS.iter().any(|open| property.starts_with(open))
}

/// What all clients begin with. Addresses are `host:port`, with commas between them.
pub fn client(addresses: &str, client_id: &str, properties: &BTreeMap<String, String>) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in properties {
        config.set(key, value);
    }
    config
        .set("bootstrap.servers", addresses)
        .set("client.id", client_id)
        // A broker that restarts is back within seconds: look for it more often than every ten.
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Info);
    config
}
