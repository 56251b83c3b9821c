//! Topics as the journal needs them: made if they are not there, checked if they are. Nothing that is there is changed.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::RDKafkaErrorCode;
use souk_kafka::Voice;
use souk_model::journal::Journal;
use tokio::time::{Instant, sleep};

use crate::desk::Desk;
use crate::error::Difference;
use crate::layout::Layout;
use crate::limits::{ASK_TIMEOUT, BATCH_BYTES, KNOCK, LEAST_RETENTION, PREPARE_TIMEOUT};
use crate::options::Options;
use crate::sender::SenderOptions;
use crate::{Error, sample, settings};

/// What topics are made with, and held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Copies of each record.
    pub replicas: u16,
    /// Copies that must have a record before it is acknowledged. One less than `replicas` lets a broker be away.
    pub in_sync: u16,
    /// How long records are kept; a week at least.
    pub keep: Duration,
}

impl Wanted {
    /// For a cluster of three brokers or more.
    pub const CLUSTER: Self = Self { replicas: 3, in_sync: 2, keep: LEAST_RETENTION };
    /// For one broker: what is acknowledged is as safe as its disk.
    pub const ONE_BROKER: Self = Self { replicas: 1, in_sync: 1, keep: LEAST_RETENTION };
}

/// Room a batch needs in a topic beside its records.
const BATCH_OVERHEAD: usize = 16 << 10;

/// Makes the topics that are missing but for one that is to be adopted, and refuses those that are not as they must be: what differs is in the error. Of a topic
/// that nobody has folded yet the first records are looked at: `sample`.
pub async fn prepare(options: &Options, wanted: Wanted) -> Result<(), Error> {
    options.check()?;
    if wanted.in_sync == 0 || wanted.in_sync > wanted.replicas {
        return Err(Error::Option {
            option: "in_sync".to_owned(),
            why: "must be 1 to `replicas`".to_owned(),
        });
    }
    if wanted.keep < LEAST_RETENTION {
        let why = format!("must be {} days at least", LEAST_RETENTION.as_secs() / 86_400);
        return Err(Error::Option { option: "keep".to_owned(), why });
    }
    let layout = Arc::new(Layout::new(options));
    let desk = Arc::new(Desk::new(options, Arc::clone(&layout))?);
    let (asked, asking) = (Arc::clone(&desk), options.clone());
    let knocked = tokio::task::spawn_blocking(move || asked.knock(&asking)).await;
    knocked.unwrap_or_else(|error| Err(Error::broker("ask for a broker", error)))?;
    for journal in [Journal::Users, Journal::Products] {
        if !layout.is_shared(journal) {
            make(options, &layout, journal, wanted).await?;
        }
        check_once_known(options, &desk, journal, wanted).await?;
    }
    match &options.adopted {
        Some(adopted) => sample::check(options, adopted, layout).await,
        None => Ok(()),
    }
}

fn admin(config: &ClientConfig) -> Result<AdminClient<Voice>, Error> {
    AdminClient::from_config_and_context(config, Voice::default())
        .map_err(|error| Error::Client { why: error.to_string() })
}

async fn make(options: &Options, layout: &Layout, journal: Journal, wanted: Wanted) -> Result<(), Error> {
    let name = layout.topic(journal);
    make_topic(&admin(&settings::desk(options))?, name, layout.partitions_of(journal), wanted).await
}

/// Makes the topic of a sender, so that it can be adopted later; with one copy: who wants more makes it beforehand.
pub(crate) async fn make_plain(options: &SenderOptions, partitions: u16) -> Result<(), Error> {
    make_topic(&admin(&settings::sender(options))?, &options.topic, partitions, Wanted::ONE_BROKER).await
}

async fn make_topic(
    admin: &AdminClient<Voice>,
    name: &str,
    partitions: u16,
    wanted: Wanted,
) -> Result<(), Error> {
    let (keep, in_sync) = (wanted.keep.as_millis().to_string(), wanted.in_sync.to_string());
    let largest = (1_usize << 20).max(BATCH_BYTES + BATCH_OVERHEAD).to_string();
    let replicas = TopicReplication::Fixed(i32::from(wanted.replicas));
    let topic = NewTopic::new(name, i32::from(partitions), replicas)
        .set("message.timestamp.type", "LogAppendTime")
        .set("cleanup.policy", "delete")
        .set("retention.ms", &keep)
        .set("retention.bytes", "-1")
        .set("min.insync.replicas", &in_sync)
        .set("unclean.leader.election.enable", "false")
        .set("max.message.bytes", &largest);
    let doing = || format!("make the topic {name}");
    let timeouts =
        AdminOptions::new().request_timeout(Some(PREPARE_TIMEOUT)).operation_timeout(Some(PREPARE_TIMEOUT));
    let made = admin.create_topics([&topic], &timeouts).await;
    for made in made.map_err(|error| Error::broker(doing(), error))? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, error)) => return Err(Error::broker(doing(), error)),
        }
    }
    Ok(())
}

/// A topic just made is not known everywhere at once.
async fn check_once_known(
    options: &Options,
    desk: &Arc<Desk>,
    journal: Journal,
    wanted: Wanted,
) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        match check(options, desk, journal, Some(wanted)).await {
            // One of others is there, or it is not: nobody makes it now.
            Err(Error::NoTopic { .. })
                if !is_others(options, journal) && began.elapsed() < PREPARE_TIMEOUT =>
            {
                sleep(KNOCK).await;
            }
            other => return other,
        }
    }
}

fn is_others(options: &Options, journal: Journal) -> bool {
    journal == Journal::Users && options.adopted.is_some()
}

/// Holds a topic to what the journal needs, and to what is wanted beyond that.
pub(crate) async fn check(
    options: &Options,
    desk: &Arc<Desk>,
    journal: Journal,
    wanted: Option<Wanted>,
) -> Result<(), Error> {
    let layout = Layout::new(options);
    let topic = layout.topic(journal).to_owned();
    let doing = format!("look at the topic {topic}");
    let (asked, name, count) = (Arc::clone(desk), topic.clone(), layout.partitions_of(journal));
    let replicas = wanted.map_or(1, |wanted| wanted.replicas);
    let shape = tokio::task::spawn_blocking(move || asked.shape(&name, count, replicas)).await;
    let mut differences = shape.unwrap_or_else(|error| Err(Error::broker(doing.clone(), error)))?;

    let timeouts = AdminOptions::new().request_timeout(Some(ASK_TIMEOUT));
    let described = admin(&settings::desk(options))?
        .describe_configs([&ResourceSpecifier::Topic(&topic)], &timeouts)
        .await;
    let described = described.map_err(|error| Error::broker(doing.clone(), error))?;
    for config in described {
        let config = config.map_err(|error| Error::broker(doing.clone(), error))?;
        differences.extend(unlike(&config, wanted));
    }
    if differences.is_empty() { Ok(()) } else { Err(Error::Differs { topic, differences }) }
}

/// Settings that are not as the journal's promises need them.
fn unlike(config: &ConfigResource, wanted: Option<Wanted>) -> Vec<Difference> {
    let value = |what: &str| config.get(what).and_then(|entry| entry.value.clone()).unwrap_or_default();
    let mut found = Vec::new();
    for (what, needs) in [
        // Append times are the broker's: a client's clock decides nothing.
        ("message.timestamp.type", "LogAppendTime"),
        ("cleanup.policy", "delete"),
        ("retention.bytes", "-1"),
        ("unclean.leader.election.enable", "false"),
    ] {
        let has = value(what);
        if has != needs {
            found.push(Difference { what, has, needs: needs.to_owned() });
        }
    }
    let keep = wanted.map_or(LEAST_RETENTION, |wanted| wanted.keep).as_millis();
    let in_sync = wanted.map_or(1, |wanted| u128::from(wanted.in_sync));
    for (what, least) in [
        ("retention.ms", keep),
        ("min.insync.replicas", in_sync),
        ("max.message.bytes", (BATCH_BYTES + BATCH_OVERHEAD) as u128),
    ] {
        let has = value(what);
        let for_ever = what == "retention.ms" && has == "-1";
        if !for_ever && has.parse::<u128>().map_or(true, |has| has < least) {
            found.push(Difference { what, has, needs: format!("{least} at least") });
        }
    }
    found
}
