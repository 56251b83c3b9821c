//! The header of a cut: what a shard knows beside its actors, written whole with every cut. `souk.state.v1.Header`.

use std::collections::BTreeSet;

use prost::Message;
use souk_proto::state::v1 as state;
use souk_proto::v1;
use xxhash_rust::xxh3::xxh3_64;

use crate::actor::StateError;
use crate::key::ActorKey;
use crate::ring::{Ring, RingId};
use crate::shard::Shard;
use crate::shard::alerts::Alert;
use crate::shard::bridge::Bridges;
use crate::shard::core::{Core, Counts, DeadLetter};
use crate::shard::news::{AbandonedCart, AbandonedState, OpenOrder};
use crate::shard::products::ProductsShard;
use crate::shard::users::UsersShard;
use crate::verdict::{Reason, Refusal};

/// Newest header this build writes and reads.
const FORMAT: u32 = 1;

impl Core {
    fn to_header(&self) -> state::Header {
        state::Header {
            format: FORMAT,
            position: self.position,
            log_time_ms: self.log_time,
            high_water_ms: self.high_water,
            out_of_reach_ms: self.out_of_reach,
            fold_version: self.fold_version,
            settings: self.settings.text.clone(),
            settings_revision: self.settings_revision,
            counts: Some(state::Counts {
                received: self.counts.received,
                counted: self.counts.counted,
                duplicate: self.counts.duplicate,
                late: self.counts.late,
                rejected: self.counts.rejected,
            }),
            folded_by_version: self.folded_by_version.clone(),
            dead_letters: self
                .dead_letters
                .after(None)
                .map(|(id, letter)| dead_letter_entry(id, letter))
                .collect(),
            dead_letters_dropped: self.dead_letters.dropped(),
            ..state::Header::default()
        }
    }

    fn take_header(&mut self, header: &state::Header) -> Result<(), StateError> {
        self.position = header.position;
        self.log_time = header.log_time_ms;
        self.high_water = header.high_water_ms;
        self.out_of_reach = header.out_of_reach_ms;
        self.fold_version = header.fold_version;
        self.settings_revision = header.settings_revision;
        if !self.planted.has(crate::planted::Bug::SettingsFromProcess) {
            self.settings = self
                .library
                .compile(&header.settings)
                .map_err(|errors| StateError::Damaged(errors.to_string()))?;
        }
        let counts = header.counts.unwrap_or_default();
        self.counts = Counts {
            received: counts.received,
            counted: counts.counted,
            duplicate: counts.duplicate,
            late: counts.late,
            rejected: counts.rejected,
        };
        self.folded_by_version = header.folded_by_version.clone();
        self.dead_letters = Ring::default();
        for entry in &header.dead_letters {
            self.dead_letters.restore(ring_id(entry.id), dead_letter(entry));
        }
        self.dead_letters.set_dropped(header.dead_letters_dropped);
        Ok(())
    }
}

/// Decodes a header, refusing one of a newer build.
pub(super) fn decode(bytes: &[u8]) -> Result<state::Header, StateError> {
    let header =
        state::Header::decode(bytes).map_err(|error| StateError::Damaged(format!("header: {error}")))?;
    if header.format != FORMAT {
        return Err(StateError::Newer { found: header.format.min(255) as u8, newest: FORMAT as u8 });
    }
    Ok(header)
}

/// Digest of a header without what is not folded state.
pub(super) fn digest(mut header: state::Header) -> u64 {
    header.book.clear();
    xxh3_64(&header.encode_to_vec())
}

impl Shard {
    /// What it knows beside its actors, as a cut would hold it, for another node to read.
    pub fn header(&self) -> Vec<u8> {
        match self {
            Self::Users(shard) => shard.to_header(),
            Self::Products(shard) => shard.to_header(),
        }
        .encode_to_vec()
    }

    /// Takes what another node has: a copy to read from, without actors.
    pub fn take_header(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let header = decode(bytes)?;
        match self {
            Self::Users(shard) => shard.take_header(&header),
            Self::Products(shard) => shard.take_header(&header),
        }
    }
}

impl UsersShard {
    /// The header as it stands; `book` is the tally book's own part.
    pub(super) fn to_header(&self) -> state::Header {
        state::Header {
            bridges: self.bridges.encode(),
            salt: self.salt.clone(),
            abandoned: self.abandoned.after(None).map(|(id, cart)| abandoned_entry(id, cart)).collect(),
            abandoned_dropped: self.abandoned.dropped(),
            open_orders: self
                .open_orders
                .after(None)
                .map(|(id, order)| state::OpenOrderEntry {
                    id: Some(to_ring_id(id)),
                    actor: order.actor.as_str().to_owned(),
                    order_id: order.order_id.clone(),
                })
                .collect(),
            open_orders_dropped: self.open_orders.dropped(),
            book: self.book.encode_header(),
            open_sagas: self.open_sagas.keys().copied().collect(),
            ..self.core.to_header()
        }
    }

    pub(super) fn take_header(&mut self, header: &state::Header) -> Result<(), StateError> {
        self.core.take_header(header)?;
        self.bridges = Bridges::decode(&header.bridges);
        self.salt = header.salt.clone();
        self.abandoned = Ring::default();
        for entry in &header.abandoned {
            self.abandoned.restore(ring_id(entry.id), abandoned_cart(entry)?);
        }
        self.abandoned.set_dropped(header.abandoned_dropped);
        self.open_orders = Ring::default();
        for entry in &header.open_orders {
            let order = OpenOrder { actor: actor(&entry.actor)?, order_id: entry.order_id.clone() };
            self.open_orders.restore(ring_id(entry.id), order);
        }
        self.open_orders.set_dropped(header.open_orders_dropped);
        self.open_sagas = header.open_sagas.iter().map(|hash| (*hash, BTreeSet::new())).collect();
        self.book.decode_header(&self.core.settings, &header.book)
    }
}

impl ProductsShard {
    pub(super) fn to_header(&self) -> state::Header {
        state::Header {
            alerts: self.alerts.after(None).map(|(id, alert)| alert_entry(id, alert)).collect(),
            alerts_dropped: self.alerts.dropped(),
            bridges: self.bridges.encode(),
            book: self.series.encode_header(),
            ..self.core.to_header()
        }
    }

    pub(super) fn take_header(&mut self, header: &state::Header) -> Result<(), StateError> {
        self.core.take_header(header)?;
        self.alerts = Ring::default();
        for entry in &header.alerts {
            self.alerts.restore(ring_id(entry.id), alert(entry)?);
        }
        self.alerts.set_dropped(header.alerts_dropped);
        self.bridges = Bridges::decode(&header.bridges);
        self.series.decode_header(&self.core.settings, &header.book)
    }
}

fn to_ring_id(id: RingId) -> state::RingId {
    state::RingId { position: id.position, n: id.n }
}

fn ring_id(id: Option<state::RingId>) -> RingId {
    id.map_or_else(RingId::default, |id| RingId { position: id.position, n: id.n })
}

fn actor(text: &str) -> Result<ActorKey, StateError> {
    ActorKey::parse(text).ok_or_else(|| StateError::Damaged(format!("{text} is no actor")))
}

fn dead_letter_entry(id: RingId, letter: &DeadLetter) -> state::DeadLetterEntry {
    state::DeadLetterEntry {
        id: Some(to_ring_id(id)),
        reason: letter.refusal.reason.into(),
        field: letter.refusal.field.clone().into_owned(),
        message: letter.refusal.message.clone().into_owned(),
        time_ms: letter.time,
        original: letter.original.clone(),
    }
}

fn dead_letter(entry: &state::DeadLetterEntry) -> DeadLetter {
    let reason = Reason::try_from(entry.reason).unwrap_or(Reason::Unspecified);
    DeadLetter {
        refusal: Refusal::new(reason, entry.field.clone(), entry.message.clone()),
        time: entry.time_ms,
        original: entry.original.clone(),
    }
}

fn abandoned_entry(id: RingId, cart: &AbandonedCart) -> state::AbandonedEntry {
    let (state, order_id) = match &cart.state {
        AbandonedState::Open => (0, String::new()),
        AbandonedState::Retracted => (1, String::new()),
        AbandonedState::Recovered { order_id } => (2, order_id.clone()),
    };
    state::AbandonedEntry {
        id: Some(to_ring_id(id)),
        actor: cart.actor.as_str().to_owned(),
        deadline_ms: cart.deadline,
        stage: cart.stage.clone(),
        currency_code: cart.currency_code.clone(),
        minor_units: cart.minor,
        state,
        order_id,
    }
}

fn abandoned_cart(entry: &state::AbandonedEntry) -> Result<AbandonedCart, StateError> {
    let state = match entry.state {
        0 => AbandonedState::Open,
        1 => AbandonedState::Retracted,
        2 => AbandonedState::Recovered { order_id: entry.order_id.clone() },
        other => return Err(StateError::Damaged(format!("abandoned cart in state {other}"))),
    };
    Ok(AbandonedCart {
        actor: actor(&entry.actor)?,
        deadline: entry.deadline_ms,
        stage: entry.stage.clone(),
        currency_code: entry.currency_code.clone(),
        minor: entry.minor_units,
        state,
    })
}

fn alert_entry(id: RingId, alert: &Alert) -> state::AlertEntry {
    state::AlertEntry {
        id: Some(to_ring_id(id)),
        actor: alert.actor.as_str().to_owned(),
        kind: alert.kind.into(),
        severity: alert.severity.into(),
        message: alert.message.clone(),
        time_ms: alert.time,
        acknowledged_ms: alert.acknowledged,
    }
}

fn alert(entry: &state::AlertEntry) -> Result<Alert, StateError> {
    let damaged = |what: &str| StateError::Damaged(format!("alert of an unknown {what}"));
    Ok(Alert {
        actor: actor(&entry.actor)?,
        kind: v1::alert::Kind::try_from(entry.kind).map_err(|_| damaged("kind"))?,
        severity: v1::alert::Severity::try_from(entry.severity).map_err(|_| damaged("severity"))?,
        message: entry.message.clone(),
        time: entry.time_ms,
        acknowledged: entry.acknowledged_ms,
    })
}
