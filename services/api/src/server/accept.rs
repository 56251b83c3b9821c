//! The accept loop: connections within their caps, all of them at once and from one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection::{self, Connecting};
use super::counters::{Counters, count};
use super::options::Options;
use super::web::Service;
use crate::limits::ACCEPT_REST;

/// The port, and every connection it gave.
#[derive(Debug)]
pub(super) struct Accepting {
    listener: TcpListener,
    connecting: Connecting,
    /// Each ends with the address it came from.
    open: JoinSet<IpAddr>,
    /// How many are open from each address.
    from: BTreeMap<IpAddr, usize>,
    most: usize,
    most_per_address: usize,
    counters: Arc<Counters>,
}

impl Accepting {
    pub(super) fn new(listener: TcpListener, options: &Options, counters: Arc<Counters>) -> Self {
        Self {
            listener,
            connecting: Connecting::new(options, counters.clone(), CancellationToken::new()),
            open: JoinSet::new(),
            from: BTreeMap::new(),
            most: options.connections,
            most_per_address: options.connections_per_address,
            counters,
        }
    }

    /// Accepts until `until` is done.
    pub(super) async fn run(&mut self, service: &Service, until: impl Future<Output = ()>) {
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                Some(ended) = self.open.join_next(), if !self.open.is_empty() => self.forget(ended),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.take(stream, peer.ip(), service),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_REST).await;
                    }
                },
            }
        }
    }

    /// Closes the port, lets every connection end what it is doing, and drops what is left when `grace` is over. Answers whether nothing
    /// was left.
    pub(super) async fn close(self, grace: Duration) -> bool {
        let Self { listener, connecting, mut open, .. } = self;
        drop(listener);
        connecting.closing.cancel();
        let all_ended = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all_ended).await.is_ok() {
            return true;
        }
        tracing::warn!(connections = open.len(), "dropping connections that did not end in time");
        open.shutdown().await;
        false
    }

    fn take(&mut self, stream: TcpStream, address: IpAddr, service: &Service) {
        let from = self.from.entry(address).or_default();
        if self.open.len() >= self.most || *from >= self.most_per_address {
            count(&self.counters.connections_refused);
            return;
        }
        *from += 1;
        count(&self.counters.connections);
        count(&self.counters.connections_open);
        let serving = connection::serve(stream, self.connecting.clone(), service.clone());
        self.open.spawn(async move {
            serving.await;
            address
        });
    }

    fn forget(&mut self, ended: Result<IpAddr, tokio::task::JoinError>) {
        self.counters.connections_open.fetch_sub(1, Ordering::Relaxed);
        // One that panicked does not say where it came from: that address keeps a place less, the cap on all does not.
        let Ok(address) = ended else { return };
        if let Some(from) = self.from.get_mut(&address) {
            *from -= 1;
            if *from == 0 {
                self.from.remove(&address);
            }
        }
    }
}
