//! Settings: whatever order partitions see them in, they end alike, and a metric declared again begins anew.

use std::sync::Arc;

use prost::Message as _;
use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::{EventRecord, Record};
use souk_proto::v1::event::Kind;
use souk_proto::v1::{Event, PageView};

use super::{FOLD_VERSION, Shard, ShardConfig};
use crate::journal::{Entry, Partitions, ShardId};
use crate::keying::Keying;
use crate::metric::Window;
use crate::output::Outputs;
use crate::owner::fold::{Fold as _, Progress};
use crate::planted::Planted;
use crate::series::{Figure, Query, Span};
use crate::settings::Settings;

const FORMAT: &str = "format = 1\n";
const DEFAULTS: &str = "defaults = { currency = \"EUR\", time_zone = \"UTC\", lateness = \"5s\", correct_for = \"1h\", keep = \"8d\", max_keys = 10, windows = [\"total\"] }\n";
const START: i64 = 1_772_323_200_000;

struct Log {
    shard: Shard,
    offset: u64,
}

impl Log {
    fn of(id: ShardId) -> Self {
        let shard = Shard::new(ShardConfig {
            id,
            partitions: Partitions { users: 1, products: 1 },
            keying: Keying::Own,
            settings: with_tax(0),
            library: Arc::default(),
            build_version: FOLD_VERSION,
            planted: Planted::default(),
        });
        let mut shard = shard.unwrap();
        let needed: Vec<u16> = shard.needed_at_start().into_iter().chain(0..64).collect();
        needed.into_iter().for_each(|section| shard.load(section, &[]).unwrap());
        Self { shard, offset: 0 }
    }

    fn append(&mut self, body: Body) -> &mut Self {
        self.offset += 1;
        let bytes = Record { body: Some(body) }.encode_to_vec();
        let entry = Entry::new(self.offset, START, bytes.into());
        let mut out = Outputs::default();
        while self.shard.step(&entry, &mut out) == Progress::More {}
        self
    }

    fn propose(&mut self, revision: u64, body: &str) -> &mut Self {
        self.append(Body::Settings(Settings::parse(body).unwrap().record(revision)))
    }

    fn view(&mut self, event_id: &str) -> &mut Self {
        let page = PageView { page: "/".to_owned(), ..PageView::default() };
        let (event_id, user_id) = (event_id.to_owned(), "u".to_owned());
        let event = Event { event_id, user_id, kind: Some(Kind::PageView(page)), ..Event::default() };
        self.append(Body::Event(EventRecord { event: Some(event), ..EventRecord::default() }))
    }

    fn dead_letters(&self) -> Vec<&str> {
        self.shard.dead_letters(None).map(|(_, letter)| &*letter.refusal.field).collect()
    }

    fn tell(&mut self, other: &mut Self) {
        for (_, message) in self.shard.peer_messages(1, 8) {
            other.shard.receive(ShardId::users(0), message);
        }
    }

    /// The total of the metric `m`; nothing while it is not known or nothing was counted.
    fn total(&self) -> Option<Figure> {
        let query = Query {
            shop: "main".to_owned(),
            metric: "m".to_owned(),
            key_set: 0,
            window: Some(Window::Total),
            key: None,
            given: Vec::new(),
            span: Span::Newest,
            closed_only: false,
            top: None,
        };
        let answer = self.shard.as_products().unwrap().series().query(&query).ok()?;
        Some(answer.rows.first()?.values[0].figure.clone())
    }
}

/// Settings with one more thing said of the fold, and what follows.
fn settings(fold: &str, rest: &str) -> String {
    let fold = format!(
        "fold = {{ abandon_after = \"30m\", session_gap = \"30m\", order_timeout = \"10m\", low_stock_below = 10, \
         stale_stock_after = \"1h\", price_drop = \"10%\", shipping = \"0 EUR\"{fold} }}\n"
    );
    format!("{FORMAT}{fold}{DEFAULTS}{rest}")
}

fn with_tax(percent: u32) -> String {
    settings(&format!(", tax = \"{percent}%\""), "")
}

fn with_metric(of: &str) -> String {
    settings(
        ", tax = \"0%\"",
        &format!("[metric.m]\nfrom = \"page_view\"\nmeasures = {{ n = {{ {of} }} }}\n"),
    )
}

#[test]
fn two_settings_in_either_order_end_the_same() {
    let (one, two) = (with_tax(1), with_tax(2));
    for revisions in [[1, 2], [1, 1]] {
        let mut there = Log::of(ShardId::users(0));
        there.propose(revisions[0], &one).propose(revisions[1], &two);
        let mut back = Log::of(ShardId::products(0));
        back.propose(revisions[1], &two).propose(revisions[0], &one);
        assert_eq!(there.shard.settings().hash, back.shard.settings().hash);
        let refused = there.dead_letters().len() + back.dead_letters().len();
        assert_eq!(refused, 1, "one of them was overtaken in one of the two");
    }
}

#[test]
fn settings_proposed_again_change_nothing_and_are_no_dead_letter() {
    let mut users = Log::of(ShardId::users(0));
    users
        .propose(1, &with_metric("count = true"))
        .view("a")
        .propose(1, &with_metric("count = true"))
        .view("b");
    assert!(users.dead_letters().is_empty());
    assert_eq!(users.shard.as_users().unwrap().book().ledger("m").counted, 2);
}

#[test]
fn the_clock_of_a_journal_cannot_be_changed() {
    let mut users = Log::of(ShardId::users(0));
    users.propose(1, &settings(", tax = \"0%\", clock = \"history\"", ""));
    assert_eq!(users.dead_letters(), ["settings.body.fold.clock"]);
}

#[test]
fn a_metric_declared_again_begins_anew_even_where_its_absence_was_never_seen() {
    let (mut users, mut products) = (Log::of(ShardId::users(0)), Log::of(ShardId::products(0)));
    let metric = with_metric("count = true");
    users.propose(1, &metric).view("a").view("b");
    products.propose(1, &metric);
    users.tell(&mut products);
    assert_eq!(products.total(), Some(Figure::Integer(2)));
    users.propose(2, &with_tax(0)).propose(3, &metric);
    users.tell(&mut products);
    assert_eq!(products.total(), None, "the source forgot what it had counted");
    users.view("c");
    users.tell(&mut products);
    assert_eq!(products.total(), Some(Figure::Integer(1)));
}

#[test]
fn a_name_with_another_meaning_is_answered_once_both_sides_mean_it() {
    let (mut users, mut products) = (Log::of(ShardId::users(0)), Log::of(ShardId::products(0)));
    let (counted, distinct) = (with_metric("count = true"), with_metric("distinct = \"user\""));
    users.propose(1, &counted).view("a").view("b");
    products.propose(1, &counted);
    users.tell(&mut products);
    users.propose(2, &distinct).view("c");
    users.tell(&mut products);
    assert_eq!(products.total(), None, "the source counts something else by now");
    products.propose(2, &distinct);
    assert_eq!(products.total(), Some(Figure::Integer(1)));
}
