//! Messages as the five designs write them, and the events they are.

use prost::Message as _;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Format, NAMES};

pub(super) const ADD_TO_CART: &str = r#"{"eventId":"8c7a1c6e-6f0e-4c0c-9a52-0f6a5b7f3c11","eventType":"add_to_cart","timestamp":"2026-11-21T09:00:00.123456+00:00","userId":"alice","cartId":"c-1","sessionId":"s-1","currency":"GBP","productId":"product1","productName":"laptop","productCategory":"electronic","productBrand":"apple","productPrice":199.99,"productQuantity":3,"totalAmount":599.9700000000001}"#;
pub(super) const CHECKOUT: &str = r#"{"eventId":"e-2","eventType":"checkout","timestamp":"2026-11-21T09:00:01Z","userId":"alice","cartId":"c-1","sessionId":"s-1","currency":"USD","transactionId":"t-1","paymentMethod":"credit_card","totalAmount":1.2345E7}"#;
pub(super) const PAGE_VIEW: &str = r#"{"eventId":"e-3","eventType":"page_view","timestamp":"2026-11-21T09:00:02.5Z","userId":"alice","page":"/plp","referrer":"email","sessionId":"s-1"}"#;
pub(super) const PURCHASE: &str = r#"{"eventType":"PURCHASE","userId":17,"productId":"p-1","amount":39.8,"quantity":2,"price":19.9,"timestamp":1795251600000}"#;
pub(super) const TRANSACTION: &str = r#"{"transactionId":"t-9","userId":"bob","transactionType":"refund","amount":"12.50","currency":"EUR","transactionDate":"2026-11-21T10:00:00","category":"home","merchant":"Souk \"Outlet\"","location":"Lyon"}"#;
pub(super) const TRIP: &str = r#"{"trip_id":"r-1","region_id":7,"event_time":"2026-11-21T09:00:00Z","fare":12.5,"duration":600,"distance":3.2,"pickup_lat":40.7,"pickup_lon":-73.9,"vehicle_type":"car"}"#;
pub(super) const ORDER: &str = r#"{"eventId":"e-4","sessionId":"s-1","userId":null,"eventType":"ORDER_PLACED","timestamp":1795251600000,"orderId":"o-1","items":[{"productId":"p-1","productName":"mug","quantity":2,"price":9.99},{"productId":"p-2","quantity":1,"price":5}],"total":24.98,"metadata":{"x":[1,{}]},"quantity":0}"#;
const PRODUCT: &str = r#"{"productId":"P001","name":"Mug","description":"A mug.\nBlue.","price":9.99,"category":"home","brand":"Souk","imageUrl":"https://x/y.png","inventory":40,"tags":["blue","new"],"rating":4.5,"reviewCount":12}"#;
const INVENTORY: &str = r#"{"productId":"P001","productName":"Mug","eventType":"INVENTORY_DECREASED","previousInventory":40,"currentInventory":9,"timestamp":1795251600000,"reason":"order"}"#;

/// Every message above with its format.
pub(super) const ALL: [(&str, &str); 9] = [
    ("cartpulse", ADD_TO_CART),
    ("cartpulse", CHECKOUT),
    ("cartpulse", PAGE_VIEW),
    ("analytics-engine", PURCHASE),
    ("commerce", TRANSACTION),
    ("streampulse", TRIP),
    ("kartshoppe", ORDER),
    ("kartshoppe", PRODUCT),
    ("kartshoppe", INVENTORY),
];

pub(super) fn decoded(format: &str, message: &str) -> v1::Event {
    let format = Format::named(format).expect("a built-in format");
    format.decode(message.as_bytes()).unwrap_or_else(|refusal| panic!("{message}: {refusal}"))
}

fn money(code: &str, minor_units: i64) -> Option<v1::Money> {
    Some(v1::Money { currency_code: code.to_owned(), minor_units: Some(minor_units) })
}

#[test]
fn a_cart_and_its_checkout() {
    let event = decoded("cartpulse", ADD_TO_CART);
    assert_eq!((event.user_id.as_str(), event.session_id.as_str()), ("alice", "s-1"));
    assert_eq!(event.event_time.map(|time| time.to_string()).as_deref(), Some("2026-11-21T09:00:00.123456Z"));
    let Some(Body::CartStep(step)) = event.kind else { panic!("{event:?}") };
    assert_eq!((step.action(), step.cart_id.as_str()), (v1::cart_step::Action::Add, "c-1"));
    assert_eq!(step.total, money("GBP", 59_997), "what doubles add to a sum is rounded away");
    let line = step.line.expect("a line");
    assert_eq!((line.quantity, line.unit_price), (Some(3), money("GBP", 19_999)));
    assert_eq!([line.title, line.category, line.brand], ["laptop", "electronic", "apple"]);

    let Some(Body::OrderStep(order)) = decoded("cartpulse", CHECKOUT).kind else { panic!("an order") };
    assert_eq!((order.stage(), order.order_id.as_str()), (v1::order_step::Stage::Placed, "t-1"));
    assert_eq!((order.total, order.lines), (money("USD", 1_234_500_000), Vec::new()));
}

#[test]
fn ids_may_be_numbers_and_a_purchase_of_one_product_is_an_order_of_one_line() {
    let event = decoded("analytics-engine", PURCHASE);
    assert_eq!((event.user_id.as_str(), event.event_id.as_str()), ("17", ""));
    let Some(Body::OrderStep(order)) = event.kind else { panic!("an order") };
    assert_eq!(order.lines.len(), 1);
    assert_eq!((order.lines[0].quantity, &order.lines[0].unit_price), (Some(2), &money("USD", 1_990)));
    assert_eq!(order.total, money("USD", 3_980));
}

#[test]
fn transactions_and_trips() {
    let event = decoded("commerce", TRANSACTION);
    assert_eq!(
        event.event_time.map(|time| time.seconds),
        Some(1_795_255_200),
        "a time without an offset is UTC"
    );
    let Some(Body::Transaction(transaction)) = event.kind else { panic!("a transaction") };
    assert_eq!(transaction.r#type(), v1::transaction::Type::Refund);
    assert_eq!(
        (transaction.amount, transaction.merchant.as_str()),
        (money("EUR", 1_250), r#"Souk "Outlet""#)
    );

    let Some(Body::Trip(trip)) = decoded("streampulse", TRIP).kind else { panic!("a trip") };
    assert_eq!((trip.fare, trip.distance_meters), (money("USD", 1_250), 3_200));
    assert_eq!(trip.duration.map(|duration| duration.seconds), Some(600));
    assert_eq!((trip.pickup, trip.dropoff), (Some(v1::Point { latitude: 40.7, longitude: -73.9 }), None));
}

#[test]
fn orders_with_lines_products_and_stock() {
    let Some(Body::OrderStep(order)) = decoded("kartshoppe", ORDER).kind else { panic!("an order") };
    assert_eq!(order.lines.len(), 2);
    assert_eq!(
        (order.lines[1].product_id.as_str(), order.lines[1].unit_price.clone()),
        ("p-2", money("USD", 500))
    );

    let Some(Body::ProductStep(step)) = decoded("kartshoppe", PRODUCT).kind else { panic!("a product") };
    let product = step.product.expect("a product");
    assert_eq!((product.name.as_str(), product.description.as_str()), ("products/P001", "A mug.\nBlue."));
    assert_eq!(product.stock.and_then(|stock| stock.available), Some(40));
    assert_eq!((product.tags.len(), product.rating, product.review_count), (2, Some(4.5), Some(12)));

    let Some(Body::StockStep(step)) = decoded("kartshoppe", INVENTORY).kind else { panic!("stock") };
    assert_eq!(step.change, Some(v1::stock_step::Change::Level(9)));
}

/// Shards fold such messages in place: were one to become another event in a later build, two owners would part. Whoever must change
/// this does it behind a version barrier.
#[test]
fn what_becomes_of_a_message_does_not_change() {
    let now: Vec<u64> =
        ALL.iter().map(|(format, message)| xxh3_64(&decoded(format, message).encode_to_vec())).collect();
    let pinned = [
        0x9f47ad154d3ccdb2,
        0xcd5ecdbd42287120,
        0x23c37e0c0df9bf89,
        0xed172dab6a319433,
        0x50286ad37a2fa39d,
        0xa786b2ef386c0955,
        0x57931126a6b3b0a3,
        0x53c7787dd80e6edc,
        0xf8cf0c01a82b895b,
    ];
    assert_eq!(now, pinned, "{now:#x?}");
}

#[test]
fn declarations_are_told_apart() {
    let mut identities: Vec<u64> =
        NAMES.iter().filter_map(|name| Format::named(name)).map(|format| format.identity()).collect();
    let euros = souk_model::money::Currency::parse("EUR").expect("a currency");
    identities.push(Format::named("cartpulse").expect("a format").with_currency(euros).identity());
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), NAMES.len() + 1);
    assert_eq!(Format::named("nobody"), None);
}
