//! Resource names: `users/alice/cart`, `products/p-17`, `shards/users-17`. Read into typed values; a wrong one is refused with the field
//! and the form it should have. Names are within the call's shop.

use souk_model::journal::ShardId;
use souk_model::record;
use souk_model::ring::RingId;

use crate::ApiError;

/// What an id may be.
const ID_RULE: &str = "1 to 64 of A-Z a-z 0-9 . _ ~ : @ + -";
/// Stands for every user as the parent of a list.
const ALL: &str = "-";
/// The newest session.
const LATEST: &str = "latest";

/// `users/alice/sessions/s-1`, or `users/alice/sessions/latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionName<'a> {
    pub user: &'a str,
    /// None: the latest.
    pub session: Option<&'a str>,
}

/// `users/alice/orders/o-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderName<'a> {
    pub user: &'a str,
    pub order: &'a str,
}

/// `users/alice/abandonedCarts/48211`: the user, and what names the cart within its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbandonedCartName<'a> {
    pub user: &'a str,
    pub cart: &'a str,
}

/// `deadLetters/users-17.48211.0`: an entry of a shard's ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterName {
    pub shard: ShardId,
    pub id: RingId,
}

/// An actor: whose state DescribeActor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorName<'a> {
    User(&'a str),
    Product(&'a str),
}

/// An id that stands by itself.
pub fn id<'a>(field: &str, value: &'a str) -> Result<&'a str, ApiError> {
    if record::is_id(value) { Ok(value) } else { Err(ApiError::invalid(field, format!("must be {ID_RULE}"))) }
}

/// `users/alice`.
pub fn user<'a>(field: &str, name: &'a str) -> Result<&'a str, ApiError> {
    let [user] = parts(field, name, "users/{user}")?;
    Ok(user)
}

/// `users/alice`, or none for `users/-`: every user.
pub fn user_or_all<'a>(field: &str, name: &'a str) -> Result<Option<&'a str>, ApiError> {
    let user = user(field, name)?;
    Ok((user != ALL).then_some(user))
}

/// `users/alice/cart`: the user whose cart it is.
pub fn cart<'a>(field: &str, name: &'a str) -> Result<&'a str, ApiError> {
    let [user] = parts(field, name, "users/{user}/cart")?;
    Ok(user)
}

pub fn session<'a>(field: &str, name: &'a str) -> Result<SessionName<'a>, ApiError> {
    let [user, session] = parts(field, name, "users/{user}/sessions/{session}")?;
    Ok(SessionName { user, session: (session != LATEST).then_some(session) })
}

pub fn order<'a>(field: &str, name: &'a str) -> Result<OrderName<'a>, ApiError> {
    let [user, order] = parts(field, name, "users/{user}/orders/{order}")?;
    Ok(OrderName { user, order })
}

pub fn abandoned_cart<'a>(field: &str, name: &'a str) -> Result<AbandonedCartName<'a>, ApiError> {
    let [user, cart] = parts(field, name, "users/{user}/abandonedCarts/{cart}")?;
    Ok(AbandonedCartName { user, cart })
}

/// `products/p-17`.
pub fn product<'a>(field: &str, name: &'a str) -> Result<&'a str, ApiError> {
    let [product] = parts(field, name, "products/{product}")?;
    Ok(product)
}

/// `metrics/active_users`.
pub fn metric<'a>(field: &str, name: &'a str) -> Result<&'a str, ApiError> {
    let [metric] = parts(field, name, "metrics/{metric}")?;
    Ok(metric)
}

/// `nodes/n-1`.
pub fn node<'a>(field: &str, name: &'a str) -> Result<&'a str, ApiError> {
    let [node] = parts(field, name, "nodes/{node}")?;
    Ok(node)
}

/// `shards/users-17`.
pub fn shard(field: &str, name: &str) -> Result<ShardId, ApiError> {
    const FORM: &str = "shards/users-{partition} or shards/products-{partition}";
    let [shard] = parts(field, name, "shards/{shard}").map_err(|_| wrong(field, FORM))?;
    shard.parse().map_err(|_| wrong(field, FORM))
}

pub fn dead_letter(field: &str, name: &str) -> Result<DeadLetterName, ApiError> {
    const FORM: &str = "deadLetters/{shard}.{position}.{n}";
    let [letter] = parts(field, name, "deadLetters/{letter}").map_err(|_| wrong(field, FORM))?;
    let read = || {
        let (shard, id) = letter.split_once('.')?;
        let (position, n) = id.split_once('.')?;
        let id = RingId { position: position.parse().ok()?, n: n.parse().ok()? };
        Some(DeadLetterName { shard: shard.parse().ok()?, id })
    };
    read().ok_or_else(|| wrong(field, FORM))
}

/// `users/alice` or `products/p-17`.
pub fn actor<'a>(field: &str, name: &'a str) -> Result<ActorName<'a>, ApiError> {
    if let Ok(user) = user(field, name) {
        return Ok(ActorName::User(user));
    }
    product(field, name)
        .map(ActorName::Product)
        .map_err(|_| wrong(field, "users/{user} or products/{product}"))
}

/// `shards/users-17`.
pub fn of_shard(shard: ShardId) -> String {
    format!("shards/{shard}")
}

/// `nodes/n-1`.
pub fn of_node(node: &str) -> String {
    format!("nodes/{node}")
}

/// `deadLetters/users-17.48211.0`.
pub fn of_dead_letter(letter: DeadLetterName) -> String {
    let DeadLetterName { shard, id } = letter;
    format!("deadLetters/{shard}.{}.{}", id.position, id.n)
}

/// Matches a name against its form: words stand as they are, `{…}` for an id each. As many ids as the form has.
fn parts<'a, const N: usize>(field: &str, name: &'a str, form: &str) -> Result<[&'a str; N], ApiError> {
    let mut ids = [""; N];
    let mut found = 0;
    let mut segments = name.split('/');
    for word in form.split('/') {
        let segment = segments.next().ok_or_else(|| wrong(field, form))?;
        if !word.starts_with('{') {
            if segment != word {
                return Err(wrong(field, form));
            }
            continue;
        }
        let valid = if word == "{user}" { record::is_user_id(segment) } else { record::is_id(segment) };
        if !valid {
            return Err(wrong(field, form));
        }
        ids[found] = segment;
        found += 1;
    }
    if segments.next().is_some() { Err(wrong(field, form)) } else { Ok(ids) }
}

#[cold]
fn wrong(field: &str, form: &str) -> ApiError {
    ApiError::invalid(field, format!("must be {form}, each id {ID_RULE}")).with("form", form)
}

#[cfg(test)]
mod tests {
    use souk_model::verdict::Reason;

    use super::*;

    #[test]
    fn names_are_read_into_what_they_name() {
        assert_eq!(user("name", "users/alice").unwrap(), "alice");
        assert_eq!(user("name", "users/guest:s-1").unwrap(), "guest:s-1");
        assert_eq!(user_or_all("parent", "users/-").unwrap(), None);
        assert_eq!(cart("name", "users/alice/cart").unwrap(), "alice");
        let latest = session("name", "users/alice/sessions/latest").unwrap();
        assert_eq!(latest, SessionName { user: "alice", session: None });
        let order = order("name", "users/alice/orders/o-1").unwrap();
        assert_eq!(order, OrderName { user: "alice", order: "o-1" });
        let cart = abandoned_cart("name", "users/alice/abandonedCarts/17").unwrap();
        assert_eq!(cart, AbandonedCartName { user: "alice", cart: "17" });
        assert_eq!(product("name", "products/p-17").unwrap(), "p-17");
        assert_eq!(metric("name", "metrics/active_users").unwrap(), "active_users");
        assert_eq!(node("name", "nodes/n-1").unwrap(), "n-1");
        assert_eq!(shard("name", "shards/users-17").unwrap(), ShardId::users(17));
        assert_eq!(actor("name", "products/p-1").unwrap(), ActorName::Product("p-1"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let letter = DeadLetterName { shard: ShardId::products(3), id: RingId { position: 48_211, n: 2 } };
        assert_eq!(of_dead_letter(letter), "deadLetters/products-3.48211.2");
        assert_eq!(dead_letter("name", &of_dead_letter(letter)).unwrap(), letter);
        assert_eq!(shard("name", &of_shard(ShardId::users(0))).unwrap(), ShardId::users(0));
    }

    #[test]
    fn a_wrong_name_is_refused_with_its_field_and_form() {
        let long = format!("users/{}", "x".repeat(65));
        for name in
            ["", "alice", "users/", "users/a b", "users/alice/", "users/alice/cart/x", "carts/alice", &long]
        {
            let Err(ApiError::Refused(refused)) = cart("scope.name", name) else { panic!("{name} is wrong") };
            assert_eq!(refused.reason, Reason::FieldInvalid);
            assert_eq!(refused.fields[0].path, "scope.name");
            assert_eq!(refused.metadata["form"], "users/{user}/cart");
        }
        for name in ["shards/users", "shards/carts-1", "shards/users-70000", "users-17"] {
            assert!(shard("name", name).is_err(), "{name}");
        }
        for name in
            ["deadLetters/users-1", "deadLetters/users-1.x.0", "deadLetters/users-1.7", "deadLetters/a.1.0.0"]
        {
            assert!(dead_letter("name", name).is_err(), "{name}");
        }
    }
}
