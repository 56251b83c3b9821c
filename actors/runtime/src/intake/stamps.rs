//! Stamps: what the catalogue says of the products an event names, where the event itself does not. The fold may not look it up.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::record::Event;
use souk_proto::journal::v1 as journal;
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use tokio::time::Instant;

use crate::Error;
use crate::limits::{STAMP_WAIT, STAMPS_AT_ONCE};
use crate::read::{Freshness, ReadOptions};
use crate::runtime::Runtime;

/// Stamps of one batch: every product is read once, and a shard that does not answer is waited for once.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    known: BTreeMap<String, Option<journal::Stamp>>,
    away: BTreeSet<ShardId>,
}

impl Stamps {
    /// Stamps of one event, for the products it leaves to the catalogue.
    pub(super) async fn of(&mut self, runtime: &Runtime, event: &Event) -> Vec<journal::Stamp> {
        let mut stamps: Vec<journal::Stamp> = Vec::new();
        let shop = event.key.shop();
        for product in unknown_products(&event.event) {
            if stamps.iter().any(|stamp| stamp.product_id == product) {
                continue;
            }
            let key = ActorKey::new(shop, product);
            let known = match self.known.get(key.as_str()) {
                Some(known) => known.clone(),
                None => {
                    let read = self.read(runtime, &key).await;
                    self.known.insert(key.as_str().to_owned(), read.clone());
                    read
                }
            };
            stamps.extend(known);
        }
        stamps
    }

    /// Reads the products of a whole batch that other nodes carry side by side: one after the other it would wait for each.
    async fn look_ahead(&mut self, runtime: &Runtime, events: &[Event]) {
        let world = runtime.world();
        let mut wanted = BTreeMap::new();
        for event in events {
            for product in unknown_products(&event.event) {
                let key = ActorKey::new(event.key.shop(), product);
                let is_far = !world.home(Journal::Products, &key).answers_here();
                if is_far && world.stamps.get(key.as_str()).is_none() {
                    wanted.insert(key.as_str().to_owned(), key);
                }
            }
        }
        let asked = wanted.into_values().map(|key| async move { (look_up(runtime, &key).await, key) });
        let mut asked = stream::iter(asked).buffer_unordered(STAMPS_AT_ONCE);
        while let Some((read, key)) = asked.next().await {
            match read {
                Ok(stamp) => world.stamps.put(key.as_str(), stamp),
                Err(_) => drop(self.away.insert(world.home(Journal::Products, &key).id)),
            }
        }
    }

    /// A product nobody has heard of, or that cannot be read in time, leaves no stamp: the fold then goes by what the event says.
    async fn read(&mut self, runtime: &Runtime, key: &ActorKey) -> Option<journal::Stamp> {
        let home = runtime.world().home(Journal::Products, key);
        let known = (!home.answers_here()).then(|| &runtime.world().stamps);
        if let Some(stamp) = known.and_then(|known| known.get(key.as_str())) {
            return stamp;
        }
        if self.away.contains(&home.id) {
            return None;
        }
        let Ok(stamp) = look_up(runtime, key).await else {
            self.away.insert(home.id);
            return None;
        };
        if let Some(known) = known {
            known.put(key.as_str(), stamp.clone());
        }
        stamp
    }
}

/// Stamps a batch that comes by another way than intake.
pub(crate) async fn stamp(runtime: &Runtime, events: &mut [Event]) {
    let mut stamps = Stamps::default();
    stamps.look_ahead(runtime, events).await;
    for event in events.iter_mut().filter(|event| is_wanted(&event.event)) {
        event.stamps = stamps.of(runtime, event).await;
    }
}

/// Whether the catalogue knows something the event does not say.
pub(super) fn is_wanted(event: &v1::Event) -> bool {
    unknown_products(event).next().is_some()
}

async fn look_up(runtime: &Runtime, key: &ActorKey) -> Result<Option<journal::Stamp>, Error> {
    let deadline = Some(Instant::now() + STAMP_WAIT);
    let options = ReadOptions { freshness: Freshness::Owner, deadline, ..ReadOptions::default() };
    let read = runtime.product(key, &options, |product, standing| {
        let price = product.price_now();
        let text = product.text();
        product.exists().then(|| journal::Stamp {
            product_id: key.id().to_owned(),
            title: text.title.clone(),
            category: text.category.clone(),
            brand: text.brand.clone(),
            currency_code: price.map(|price| price.currency.code().to_owned()).unwrap_or_default(),
            price_minor_units: price.map(|price| price.minor).unwrap_or_default(),
            position: standing.now.offset,
        })
    });
    Ok(read.await?.value.flatten())
}

/// Products of which the event does not say all that is counted.
fn unknown_products(event: &v1::Event) -> impl Iterator<Item = &str> {
    let (lines, view) = match &event.kind {
        Some(Kind::CartStep(step)) => (step.line.as_slice(), None),
        Some(Kind::OrderStep(step)) => (step.lines.as_slice(), None),
        Some(Kind::ProductView(view)) => ([].as_slice(), Some(view)),
        _ => ([].as_slice(), None),
    };
    let view = view.filter(|view| view.category.is_empty() || view.brand.is_empty());
    let lines = lines.iter().filter(|line| {
        line.unit_price.is_none()
            || line.category.is_empty()
            || line.brand.is_empty()
            || line.title.is_empty()
    });
    lines.map(|line| line.product_id.as_str()).chain(view.map(|view| view.product_id.as_str()))
}
