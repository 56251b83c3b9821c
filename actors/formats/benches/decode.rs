//! What reading a message costs: `cargo bench -p souk-formats`. With the name of a format: a fixed number of its messages, for an
//! instruction counter.

// Measuring is reading the clock.
#![allow(clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::Instant;

use souk_formats::Format;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESSAGES: [(&str, &str); 5] = [
    (
        "cartpulse",
        r#"{"eventId":"8c7a1c6e-6f0e-4c0c-9a52-0f6a5b7f3c11","eventType":"page_view","timestamp":"2026-11-21T09:00:02.123456+00:00","userId":"smith-jones-17","page":"/checkout","referrer":"email","sessionId":"4a1b8f30-5e8c-4d3f-9b1e-1f0a5b7f3c22"}"#,
    ),
    (
        "cartpulse",
        r#"{"eventId":"8c7a1c6e-6f0e-4c0c-9a52-0f6a5b7f3c11","eventType":"add_to_cart","timestamp":"2026-11-21T09:00:00.123456+00:00","userId":"alice","cartId":"c-1","sessionId":"s-1","currency":"GBP","productId":"product1","productName":"laptop","productCategory":"electronic","productBrand":"apple","productPrice":199.99,"productQuantity":3,"totalAmount":599.97}"#,
    ),
    (
        "commerce",
        r#"{"transactionId":"8c7a1c6e-6f0e-4c0c","userId":"bob","transactionType":"purchase","amount":12.50,"currency":"EUR","transactionDate":"2026-11-21T10:00:00.000Z","category":"home","merchant":"Souk Outlet","location":"Lyon"}"#,
    ),
    (
        "streampulse",
        r#"{"trip_id":"r-1","region_id":7,"event_time":"2026-11-21T09:00:00Z","fare":12.5,"duration":600,"distance":3.2,"pickup_lat":40.7,"pickup_lon":-73.9,"dropoff_lat":40.8,"dropoff_lon":-73.8,"vehicle_type":"car"}"#,
    ),
    (
        "kartshoppe",
        r#"{"eventId":"e-4","sessionId":"s-1","userId":"alice","eventType":"ADD_TO_CART","timestamp":1795251600000,"productId":"p-17","productName":"blue mug","categoryId":"home","price":9.99,"quantity":2}"#,
    ),
];
const ROUNDS: u32 = 200_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, message) in MESSAGES {
        if wanted.as_deref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        let format = Format::named(name).expect("a built-in format");
        let rounds = if wanted.is_some() { ROUNDS / 10 } else { ROUNDS };
        let began = Instant::now();
        for _ in 0..rounds {
            black_box(format.decode(black_box(message.as_bytes())).expect("a message of the format"));
        }
        let nanos = began.elapsed().as_nanos() / u128::from(rounds);
        if wanted.is_some() {
            continue;
        }
        let event = format.decode(message.as_bytes()).expect("a message of the format");
        let mut out = Vec::with_capacity(message.len());
        let began = Instant::now();
        for _ in 0..rounds {
            out.clear();
            black_box(format.encode(black_box(&event), &mut out));
        }
        let writing = began.elapsed().as_nanos() / u128::from(rounds);
        println!("{name:<18} {:>4} B  read {nanos:>5} ns  write {writing:>5} ns", message.len());
    }
}
