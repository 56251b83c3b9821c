//! ListAbandonedCarts: carts left behind, newest first, with the lines their users still remember.

use std::cmp::Reverse;

use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::ring::RingId;
use souk_model::shard::{AbandonedCart, AbandonedState, Shard};
use souk_model::user::abandoned_cart;
use souk_proto::v1;
use souk_runtime::read::ReadOptions;

use crate::filter::{Field, Filter, Kind, Value};
use crate::page::{self, Page};
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context, names};

const FIELDS: [Field; 2] = [
    Field::new("state", Kind::Word(&["OPEN", "RECOVERED", "RETRACTED"])),
    Field::new("stage", Kind::Word(&["CART", "CHECKOUT"])),
];

/// What orders carts, newest first: when it was abandoned, then where it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
struct Cursor {
    #[prost(sint64, tag = "1")]
    deadline: i64,
    #[prost(uint32, tag = "2")]
    partition: u32,
    #[prost(uint64, tag = "3")]
    position: u64,
    #[prost(uint32, tag = "4")]
    n: u32,
}

/// One entry of a shard's ring.
struct Entry {
    shard: ShardId,
    id: RingId,
    cart: AbandonedCart,
}

impl Entry {
    fn cursor(&self) -> Cursor {
        let RingId { position, n } = self.id;
        Cursor { deadline: self.cart.deadline, partition: self.shard.partition.into(), position, n }
    }
}

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListAbandonedCartsRequest,
) -> Result<v1::ListAbandonedCartsResponse, ApiError> {
    let user = names::user_or_all("parent", &request.parent)?;
    let filter = Filter::parse(&request.filter, &FIELDS)?;
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let page = Page::of(request)?;
    let after = match &page.cursor {
        Some(bytes) => Some(Cursor::decode(bytes.as_slice()).map_err(|_| page::mismatch())?),
        None => None,
    };
    let is_wanted = |cart: &AbandonedCart| {
        cart.actor.shop() == call.shop
            && user.is_none_or(|user| cart.actor.id() == user)
            && filter.holds(|field| value_of(cart, field))
    };
    let wanted = |shard: &Shard| -> Vec<(RingId, AbandonedCart)> {
        let entries = shard.as_users().into_iter().flat_map(|users| users.abandoned().after(None));
        entries.filter(|(_, cart)| is_wanted(cart)).map(|(id, cart)| (id, cart.clone())).collect()
    };
    let (reads, unreachable) = context.runtime.shards(Journal::Users, &read.options, wanted).await?;
    let info = read.info_of_list(&reads, &unreachable);
    let of_shard = |read: souk_runtime::read::Read<Vec<(RingId, AbandonedCart)>>| {
        let shard = read.shard;
        read.value.into_iter().map(move |(id, cart)| Entry { shard, id, cart })
    };
    let mut entries: Vec<Entry> = reads.into_iter().flat_map(of_shard).collect();
    let total_size = entries.len();
    entries.sort_by_cached_key(|entry| Reverse(entry.cursor()));
    let rest = entries.into_iter().filter(|entry| after.as_ref().is_none_or(|after| entry.cursor() < *after));
    let (entries, next_page_token) = page.cut(rest, |entry| entry.cursor().encode_to_vec());
    // Freshness was waited for above; a user who cannot be read is shown without items.
    let options = ReadOptions { deadline: call.deadline, ..ReadOptions::default() };
    let mut abandoned_carts = Vec::with_capacity(entries.len());
    for Entry { shard, id, cart } in entries {
        let known = context
            .runtime
            .user(&cart.actor, &options, |user, _| abandoned_cart(shard, id, &cart, Some(user)));
        let known = known.await?.value;
        abandoned_carts.push(known.unwrap_or_else(|| abandoned_cart(shard, id, &cart, None)));
    }
    Ok(v1::ListAbandonedCartsResponse {
        abandoned_carts,
        total_size: Some(i64::try_from(total_size).unwrap_or(i64::MAX)),
        next_page_token,
        unreachable: unreachable.into_iter().map(names::of_shard).collect(),
        info: Some(info),
    })
}

fn value_of(cart: &AbandonedCart, field: &str) -> Value<'static> {
    match field {
        "state" => Value::Text(match cart.state {
            AbandonedState::Open => "OPEN",
            AbandonedState::Recovered { .. } => "RECOVERED",
            AbandonedState::Retracted => "RETRACTED",
        }),
        "stage" => Value::Text(if cart.stage == "checkout" { "CHECKOUT" } else { "CART" }),
        _ => Value::Absent,
    }
}
