//! Prints what one counted page view costs the tally book: `cargo run --release -p souk-model --example count`.

use std::time::Instant;

use souk_model::fact::{Detail, Fact, Sign, Who};
use souk_model::settings::Settings;
use souk_model::tally::{Presence, TallyBook};
use souk_model::time::Now;

const USERS: u64 = 100_000;
const VIEWS: u64 = 2_000_000;
const BASE: i64 = 1_760_000_000_000;

#[allow(clippy::disallowed_methods, reason = "a measurement, not a fold")]
fn main() {
    let settings = Settings::builtin();
    let mut book = TallyBook::new(&settings, 8);
    book.rows_mut().set_empty_store();
    let mut people = vec![Presence::default(); USERS as usize];
    let names: Vec<String> = (0..USERS).map(|user| format!("u-{user}")).collect();
    let pages: Vec<String> = (0..50).map(|page| format!("/p/{page}")).collect();
    let started = Instant::now();
    for n in 0..VIEWS {
        // A fixed mix: 20,000 views a second, users and pages in no order.
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (user, page) = ((mixed % USERS) as usize, &pages[(mixed >> 7) as usize % pages.len()]);
        let time = BASE + (n / 20) as i64;
        let now = Now { offset: n + 1, log_time: time, high_water: time, watermark: time - 5_000, out_of_reach: 0 };
        let who = Who {
            shop: "main",
            user: &names[user],
            session: "",
            device: "",
            source: "",
            session_referrer: "",
            session_campaign: "",
            labels: None,
        };
        let details = [
            Detail::Event { kind: "page_view" },
            Detail::PageView { page, referrer: "", campaign: "" },
            Detail::JourneyStep { from: "/", to: page },
        ];
        for detail in details {
            let fact = Fact { time, sign: Sign::Counted, who, detail };
            book.count(&settings, &now, &fact, Some(&mut people[user]));
        }
        if n % 5_000 == 0 {
            book.outgoing(1, now.offset, now.high_water, settings.hash, 8);
        }
    }
    let nanos = started.elapsed().as_nanos() / u128::from(VIEWS);
    println!("{nanos} ns per page view (three facts), {} rows", book.rows().len());
}
