//! The port of a cache on one Redis.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_trait::async_trait;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo as _, RedisError, Value};
use souk_model::owner::Unavailable;
use souk_model::view::Command;
use souk_runtime::ports::{Cache, CacheFigures, Held};
use tokio::time::Instant;

use crate::Error;
use crate::breaker::Breaker;
use crate::limits::{CONNECT_TIMEOUT, PIPELINE_COMMANDS, READ_TIMEOUT, RESPONSE_TIMEOUT};
use crate::mark::Mark;
use crate::pipeline::{Done, done, request};
use crate::script::SetIfNewer;

#[derive(Clone)]
pub struct Options {
    /// As `host:port`.
    pub address: String,
    pub user: Option<String>,
    pub password: Option<String>,
    /// Told apart from other nodes, and from every other start of this one.
    pub node: String,
    pub incarnation: u64,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("address", &self.address)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

/// The view in one Redis. Opening it asks nobody: a Redis that is away is away later too.
pub struct RedisCache {
    client: Client,
    /// Made by whoever writes.
    connection: Mutex<Option<MultiplexedConnection>>,
    /// Held while one writes.
    writing: tokio::sync::Mutex<()>,
    breaker: Mutex<Breaker>,
    script: SetIfNewer,
    mark: Mark,
    address: String,
    commands: AtomicU64,
    outdated: AtomicU64,
    failures: AtomicU64,
    refused: AtomicU64,
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("address", &self.address).finish_non_exhaustive()
    }
}

impl RedisCache {
    pub fn open(options: Options) -> Result<Self, Error> {
        let client = info(&options)
            .and_then(Client::open)
            .map_err(|error| Error::Address { address: options.address.clone(), why: error.to_string() })?;
        let Options { address, node, incarnation, .. } = options;
        Ok(Self {
            client,
            connection: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            breaker: Mutex::default(),
            script: SetIfNewer::default(),
            mark: Mark::new(&node, incarnation),
            address,
            commands: AtomicU64::new(0),
            outdated: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// One request, if the breaker lets it through.
    async fn ask(&self, commands: &[Command]) -> Result<Done, Unavailable> {
        // Whoever waits here waits for one request of a bounded time.
        let _writing = self.writing.lock().await;
        if !self.breaker.lock().lets_through(Instant::now()) {
            self.refused.fetch_add(1, Relaxed);
            return Err(Unavailable);
        }
        match self.request(commands).await {
            Ok(done) => {
                let was_open = self.breaker.lock().is_open();
                self.breaker.lock().succeeded();
                if was_open {
                    tracing::info!(address = self.address, "Redis answers again");
                }
                Ok(done)
            }
            Err(error) => {
                *self.connection.lock() = None;
                self.failed(&error);
                Err(Unavailable)
            }
        }
    }

    fn failed(&self, error: &impl fmt::Display) {
        self.failures.fetch_add(1, Relaxed);
        let mut breaker = self.breaker.lock();
        let was_open = breaker.is_open();
        breaker.failed(Instant::now());
        if was_open {
            tracing::debug!(address = self.address, %error, "Redis failed again");
        } else {
            tracing::warn!(address = self.address, %error, "Redis failed; the view is behind until it answers");
        }
    }

    async fn request(&self, commands: &[Command]) -> Result<Done, RedisError> {
        let known = self.connection.lock().clone();
        let mut connection = match known {
            Some(connection) => connection,
            None => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_TIMEOUT))
                    .set_response_timeout(Some(RESPONSE_TIMEOUT));
                let made = self.client.get_multiplexed_async_connection_with_config(&config).await?;
                self.connection.lock().insert(made).clone()
            }
        };
        let answers: Vec<Value> =
            request(&self.script, &self.mark, commands).query_async(&mut connection).await?;
        Ok(done(&self.mark, commands, &answers))
    }
}

fn info(options: &Options) -> Result<ConnectionInfo, RedisError> {
    let info = format!("redis://{}/", options.address).into_connection_info()?;
    let mut login = info.redis_settings().clone();
    if let Some(user) = &options.user {
        login = login.set_username(user);
    }
    if let Some(password) = &options.password {
        login = login.set_password(password);
    }
    Ok(info.set_redis_settings(login))
}

#[async_trait]
impl Cache for RedisCache {
    async fn write(&self, commands: Vec<Command>) -> Result<Held, Unavailable> {
        let mut rest = commands.as_slice();
        loop {
            let (now, later) = rest.split_at(rest.len().min(PIPELINE_COMMANDS));
            let done = self.ask(now).await?;
            self.commands.fetch_add(now.len() as u64, Relaxed);
            self.outdated.fetch_add(done.outdated, Relaxed);
            if done.refused > 0 {
                tracing::warn!(
                    names = done.refused,
                    "names in Redis hold something of another kind and were left alone"
                );
            }
            rest = later;
            if rest.is_empty() {
                return Ok(self.mark.tell());
            }
        }
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        // Who writes makes the connection, and finds out whether a server that failed answers again: a few times a second.
        let is_open = self.breaker.lock().is_open();
        let known = self.connection.lock().clone().filter(|_| !is_open);
        let Some(mut connection) = known else {
            self.refused.fetch_add(1, Relaxed);
            return Err(Unavailable);
        };
        let mut get = redis::cmd("GET");
        get.arg(name);
        let asked = get.query_async::<Option<Vec<u8>>>(&mut connection);
        match tokio::time::timeout(READ_TIMEOUT, asked).await {
            Ok(Ok(found)) => Ok(found),
            // Whatever stands there is not ours.
            Ok(Err(error)) if error.code() == Some("WRONGTYPE") => Ok(None),
            Ok(Err(error)) => {
                *self.connection.lock() = None;
                self.failed(&error);
                Err(Unavailable)
            }
            // It may be busy with what is written.
            Err(late) => {
                self.failed(&late);
                Err(Unavailable)
            }
        }
    }

    fn figures(&self) -> CacheFigures {
        CacheFigures {
            commands: self.commands.load(Relaxed),
            outdated: self.outdated.load(Relaxed),
            failures: self.failures.load(Relaxed),
            refused: self.refused.load(Relaxed),
            open: self.breaker.lock().is_open(),
        }
    }
}
