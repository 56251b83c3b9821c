//! The journal on Kafka and the store on Cassandra, as the configuration has them; and what makes them ready for a first node.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use souk_journal_kafka::{KafkaJournal, Topics, Wanted};
use souk_model::settings::Settings;
use souk_model::view::{Catalogue, Table};
use souk_store_cassandra::{CassandraStore, Login, Replication};

use super::neighbours;
use crate::config::Config;

pub(super) async fn open(config: &Config) -> anyhow::Result<(KafkaJournal, CassandraStore)> {
    let (journal, store) = tokio::join!(
        KafkaJournal::open(journal_options(config)),
        CassandraStore::open(store_options(config)?)
    );
    Ok((journal.context("the journal")?, store.context("the store")?))
}

/// Makes topics, keyspace and tables that are not there. Harmless to repeat.
pub(crate) async fn migrate(config: &Config) -> anyhow::Result<()> {
    let wanted =
        Wanted { replicas: config.kafka.replicas, in_sync: config.kafka.in_sync, keep: Wanted::CLUSTER.keep };
    souk_journal_kafka::prepare(&journal_options(config), wanted).await.context("the journal")?;
    neighbours::migrate(config).await?;
    souk_store_cassandra::migrate(&store_options(config)?).await.context("the store")?;
    let settings = Settings::layered(&config.settings_text().context("node.settings")?)?;
    let tables = Catalogue::of(&settings).tables();
    souk_store_cassandra::migrate_tables(store_options(config)?, tables)
        .await
        .context("the tables of the settings")?;
    if config.cassandra.history.is_empty() {
        return Ok(());
    }
    souk_store_cassandra::migrate_history(store_options(config)?, history_tables(config)?)
        .await
        .context("the tables of the history")
}

/// The tables of records that are kept, by the settings this node proposes.
pub(super) fn history_tables(config: &Config) -> anyhow::Result<Vec<Arc<Table>>> {
    let settings = Settings::layered(&config.settings_text().context("node.settings")?)?;
    let wanted = &config.cassandra.history;
    let tables = souk_runtime::history::tables(&settings, wanted);
    for name in wanted {
        if !tables.iter().any(|table| table.name == *name) {
            let known: Vec<_> = settings.history.iter().map(|history| history.name.as_str()).collect();
            bail!("cassandra.history: the settings have no [history.{name}]; they have {}", known.join(", "));
        }
    }
    Ok(tables)
}

pub(super) fn journal_options(config: &Config) -> souk_journal_kafka::Options {
    let kafka = &config.kafka;
    let topics = Topics { users: kafka.users_topic.clone(), products: kafka.products_topic.clone() };
    souk_journal_kafka::Options {
        // What is wrong with it was said when the configuration was read.
        adopted: config.adopt.adoption().ok().flatten(),
        client_id: config.node.name.clone(),
        ..souk_journal_kafka::Options::new(kafka.brokers.clone(), topics, config.partitions())
    }
}

pub(super) fn store_options(config: &Config) -> anyhow::Result<souk_store_cassandra::Options> {
    let cassandra = &config.cassandra;
    let datacenter = Some(cassandra.datacenter.clone()).filter(|name| !name.is_empty());
    let replication = match &datacenter {
        Some(name) => Replication::PerDatacenter([(name.clone(), cassandra.replicas)].into()),
        None => Replication::Simple(cassandra.replicas),
    };
    let login = match cassandra.user.is_empty() {
        true => None,
        false => Some(Login { user: cassandra.user.clone(), password: cassandra.password()? }),
    };
    Ok(souk_store_cassandra::Options {
        login,
        datacenter,
        keyspace: cassandra.keyspace.clone(),
        ..souk_store_cassandra::Options::new(cassandra.nodes.clone(), replication)
    })
}
