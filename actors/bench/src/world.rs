//! A users shard with live users, and records for it, made outside what is timed.

use std::sync::Arc;

use anyhow::Context as _;
use prost::Message;
use souk_model::journal::{Entry, Partitions, ShardId};
use souk_model::keying::Keying;
use souk_model::output::Outputs;
use souk_model::owner::PeerMessage;
use souk_model::owner::fold::{Fold, Progress};
use souk_model::planted::Planted;
use souk_model::settings::Settings;
use souk_model::shard::{At, Decoded, FOLD_VERSION, SettingsLibrary, Shard, ShardConfig, WARMED};
use souk_model::tally::TallyBatch;
use souk_proto::{journal::v1 as journal, v1};

use crate::random::Random;

/// Virtual start of time.
pub(crate) const START: i64 = 1_790_000_000_000;
/// Events per virtual millisecond: 10,000 a second.
pub(crate) const EVENTS_PER_MS: u64 = 10;

pub(crate) fn settings_text(extra: &str) -> anyhow::Result<String> {
    Ok(Settings::layered(extra).map_err(|errors| anyhow::anyhow!("{errors}"))?.text)
}

/// A users shard of which nothing is loaded.
pub(crate) fn users_shard(settings: String) -> anyhow::Result<Shard> {
    Shard::new(ShardConfig {
        id: ShardId::users(0),
        partitions: Partitions { users: 1, products: 8 },
        keying: Keying::Own,
        settings,
        library: Arc::new(SettingsLibrary::default()),
        build_version: FOLD_VERSION,
        planted: Planted::default(),
    })
    .map_err(|errors| anyhow::anyhow!("{errors}"))
}

/// A new users shard: all of it is known to be empty.
pub(crate) fn shard(settings: String) -> anyhow::Result<Shard> {
    let mut shard = users_shard(settings)?;
    for section in (0..64).chain(128..192).chain(192..256) {
        shard.load(section, &[]).context("an empty section")?;
    }
    Ok(shard)
}

/// A 20-byte user id.
pub(crate) fn user_id(user: u64) -> String {
    format!("user-{user:015}")
}

/// The shape of the events measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mix {
    /// People follow links from page to page.
    PageViews,
    /// Every page follows every other: more keys than a metric has places for.
    RandomPages,
    /// Half page views, a third product views, the rest adds to cart.
    Shop,
    Adds,
}

/// Pages of the shop, and links on each.
const PAGES: u64 = 1_000;
const LINKS: u64 = 8;

/// Where each user is.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pages: Vec<u16>,
}

impl Walk {
    /// The page behind one of the links of the page the user is at.
    fn next(&mut self, random: &mut Random, user: u64) -> u64 {
        let user = user as usize;
        if self.pages.len() <= user {
            self.pages.resize(user + 1, 0);
        }
        let page = (u64::from(self.pages[user]) * LINKS + random.below(LINKS)) % PAGES;
        self.pages[user] = page as u16;
        page
    }
}

pub(crate) fn event(
    random: &mut Random,
    walk: &mut Walk,
    mix: Mix,
    user: u64,
    n: u64,
    time: i64,
) -> journal::Record {
    let kind = match (mix, random.below(100)) {
        (Mix::PageViews | Mix::RandomPages, _) | (Mix::Shop, 0..50) => {
            v1::event::Kind::PageView(v1::PageView {
                page: match mix {
                    Mix::RandomPages => format!("/p/{}", random.below(PAGES)),
                    _ => format!("/p/{}", walk.next(random, user)),
                },
                referrer: "ads".into(),
                campaign: String::new(),
            })
        }
        (Mix::Shop, 50..83) => v1::event::Kind::ProductView(v1::ProductView {
            product_id: format!("product-{:012}", random.below(1_000)),
            category: format!("category-{}", random.below(20)),
            brand: "brand".into(),
        }),
        (Mix::Shop | Mix::Adds, _) => v1::event::Kind::CartStep(v1::CartStep {
            action: v1::cart_step::Action::Add.into(),
            line: Some(v1::Line {
                product_id: format!("product-{:012}", user % 1_000),
                quantity: Some(1),
                unit_price: Some(v1::Money { currency_code: "EUR".into(), minor_units: Some(1_999) }),
                category: format!("category-{}", user % 20),
                ..v1::Line::default()
            }),
            ..v1::CartStep::default()
        }),
    };
    let event = v1::Event {
        event_id: format!("event-{n:014}"),
        event_time: Some(prost_types::Timestamp {
            seconds: time.div_euclid(1_000),
            nanos: (time.rem_euclid(1_000) * 1_000_000) as i32,
        }),
        user_id: user_id(user),
        session_id: format!("s-{user}"),
        device_id: "phone".into(),
        shop: "main".into(),
        source: "web".into(),
        kind: Some(kind),
        ..v1::Event::default()
    };
    let body = journal::record::Body::Event(journal::EventRecord {
        event: Some(event),
        stamps: vec![],
        bridge: None,
    });
    journal::Record { body: Some(body) }
}

pub(crate) fn entry(record: &journal::Record, offset: u64, append_time: i64) -> Entry {
    Entry::new(offset, append_time, record.encode_to_vec().into())
}

pub(crate) fn decoded(entry: &Entry) -> (At, Decoded) {
    (At::from(entry), Decoded::of(entry))
}

/// Feeds a shard: offsets rise, virtual time passes at [`EVENTS_PER_MS`].
#[derive(Debug)]
pub(crate) struct Feed {
    pub shard: Shard,
    pub random: Random,
    walk: Walk,
    offset: u64,
    out: Outputs,
}

impl Feed {
    pub(crate) fn new(settings: String) -> anyhow::Result<Self> {
        Ok(Self {
            shard: shard(settings)?,
            random: Random::new(7),
            walk: Walk::default(),
            offset: 0,
            out: Outputs::default(),
        })
    }

    pub(crate) fn now(&self) -> i64 {
        START + (self.offset / EVENTS_PER_MS) as i64
    }

    /// The next event, as the journal has it.
    pub(crate) fn encoded(&mut self, mix: Mix, user: u64) -> Entry {
        self.offset += 1;
        let now = self.now();
        let record = event(&mut self.random, &mut self.walk, mix, user, self.offset, now);
        entry(&record, self.offset, now)
    }

    /// The next event, decoded.
    pub(crate) fn decoded(&mut self, mix: Mix, user: u64) -> (At, Decoded) {
        decoded(&self.encoded(mix, user))
    }

    /// Folds records decoded before.
    pub(crate) fn fold(&mut self, batch: &[(At, Decoded)]) -> anyhow::Result<()> {
        for (n, (at, decoded)) in batch.iter().enumerate() {
            if n.is_multiple_of(WARMED) {
                self.shard.warm_all(batch[n..].iter().map(|(_, decoded)| decoded));
            }
            while self.shard.step_decoded(*at, &[], decoded, &mut self.out)? == Progress::More {}
            self.out.items.clear();
        }
        Ok(())
    }

    pub(crate) fn fold_one(&mut self, mix: Mix, user: u64) -> anyhow::Result<()> {
        let one = self.decoded(mix, user);
        self.fold(&[one])
    }

    /// What is due to the products shards, as an owner sends it every 250 ms.
    pub(crate) fn tallies(&mut self) -> Vec<TallyBatch> {
        let mut batches = Vec::new();
        loop {
            let messages = self.shard.peer_messages(1, 64 * 1024).into_iter();
            let tallies = messages.filter_map(|(_, message)| match message {
                PeerMessage::Tally(batch) if !batch.rows.is_empty() => Some(batch),
                _ => None,
            });
            let before = batches.len();
            batches.extend(tallies);
            if batches.len() == before {
                return batches;
            }
        }
    }
}
