//! What an idle actor costs in memory, and what the store adds to a fold. Prints; asserts nothing.
//!
//! `cargo run --release -p souk-model --example bucket_bytes [-- USERS]`; with a number of users only the speed is measured.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use souk_model::actor::{Actor, Deadlines, StateError};
use souk_model::bucket::{Actors, KeyRef};
use souk_model::key::ActorKey;
use souk_model::limits::CUT_ACTORS_PER_SLICE;
use souk_model::planted::Planted;

const STATE: usize = 90;

/// As large as a small user: 90 bytes of state.
#[derive(Debug, Clone)]
struct Small {
    count: u64,
    rest: [u8; STATE - 8],
}

impl Default for Small {
    fn default() -> Self {
        Self { count: 0, rest: [7; STATE - 8] }
    }
}

impl Actor for Small {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.rest);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let damaged = || StateError::Damaged("small".to_owned());
        let (count, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let rest = rest.try_into().map_err(|_| damaged())?;
        Ok(Self { count: u64::from_le_bytes(*count), rest })
    }

    fn deadlines(&self) -> Deadlines {
        Deadlines::default()
    }

    fn is_empty(&self) -> bool {
        false
    }
}

fn key(n: u64) -> ActorKey {
    ActorKey::new("main", &format!("customer-{n:011}")) // 25 bytes
}

/// Resident bytes of this process, as Linux tells them.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

fn store() -> Actors<Small> {
    let mut actors = Actors::new(0, Planted::default());
    actors.set_empty_store();
    actors
}

fn touch(actors: &mut Actors<Small>, key: KeyRef<'_>) {
    let counted = actors.fold(key, |small| small.count += 1);
    assert!(counted.is_ok());
}

/// Takes a whole cut and says how it went. Other work on the machine shows in the longest slice, hence the 99th percentile.
fn cut(actors: &mut Actors<Small>) -> String {
    let begun = Instant::now();
    actors.freeze();
    let freeze = begun.elapsed().as_micros();
    let mut slices = Vec::new();
    loop {
        let begun = Instant::now();
        let done = actors.cut_slice(CUT_ACTORS_PER_SLICE).is_ok_and(|done| done);
        slices.push(begun.elapsed().as_micros());
        if done {
            break;
        }
    }
    let begun = Instant::now();
    let bytes: usize = actors.take_drafts().iter().map(|draft| draft.blob.len()).sum();
    let drafts = begun.elapsed().as_micros();
    actors.committed();
    slices.sort_unstable();
    let (p99, longest) = (slices[slices.len() * 99 / 100], slices[slices.len() - 1]);
    format!(
        "{bytes} bytes; frozen in {freeze} us, {} slices, p99 {p99} us, longest {longest} us, drafts in {drafts} us",
        slices.len()
    )
}

fn memory() {
    let mut actors = store();
    let start = resident();
    let mut before = (0, start, 0);
    for upto in [100_000_u64, 250_000, 500_000, 750_000, 1_000_000, 1_500_000, 2_000_000] {
        for n in before.0..upto {
            touch(&mut actors, KeyRef::from(&key(n)));
            actors.passivate(2);
            if n % 50_000 == 49_999 {
                cut(&mut actors);
            }
        }
        while actors.hot() > 0 {
            actors.passivate(1_000);
        }
        let (now, counted) = (resident(), actors.bytes() as u64);
        let own = (STATE + 25) as u64;
        println!(
            "{upto:>9} idle: {:>5} B resident each since the start, {:>5} B since the line before; {:>4} B counted, {own} B are key and state",
            (now - start) / upto,
            (now as i64 - before.1 as i64) / (upto - before.0) as i64,
            counted / upto,
        );
        before = (upto, now, counted);
    }
}

fn speed(users: u64) {
    let mut actors = store();
    let keys: Vec<ActorKey> = (0..users).map(key).collect();
    for key in &keys {
        touch(&mut actors, key.into());
    }
    println!("{users:>9} dirty, cut to bases: {}", cut(&mut actors));
    // The key of the next event comes with the event: it is copied here in random order, so that reading it is not what is measured.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % users
    };
    let order: Vec<ActorKey> = (0..2_000_000).map(|_| keys[random() as usize].clone()).collect();
    let refs: Vec<KeyRef<'_>> = order.iter().map(KeyRef::from).collect();
    let mut bare: Vec<[u64; 24]> = vec![[0; 24]; users as usize];
    let places: Vec<u64> = refs.iter().map(|_| random()).collect();
    let begun = Instant::now();
    for (place, key) in places.iter().zip(&refs) {
        let row = &mut bare[*place as usize];
        row[0] += key.text.as_bytes()[0] as u64;
        row[10] += 1;
    }
    println!("{users:>9} rows of a plain array, uniform: {} ns each", begun.elapsed().as_nanos() / 2_000_000);
    drop(black_box(bare));
    for round in ["first", "again"] {
        let begun = Instant::now();
        for key in &refs {
            touch(&mut actors, black_box(*key));
        }
        let each = begun.elapsed().as_nanos() / refs.len() as u128;
        println!("{users:>9} hot, uniform, {round}: {each} ns a fold");
    }
    println!("{users:>9} dirty again, cut to deltas: {}", cut(&mut actors));
    let begun = Instant::now();
    let cooled: usize = (0..users / 100).map(|_| actors.passivate(400)).sum();
    println!("{users:>9} cooled: {} ns each of {cooled}", begun.elapsed().as_nanos() / cooled.max(1) as u128);
    let warmed = refs.len().min(200_000);
    let begun = Instant::now();
    for key in &refs[..warmed] {
        touch(&mut actors, *key);
        actors.passivate(1);
    }
    println!(
        "{users:>9} idle, uniform: {} ns a fold with its thaw and one cooled",
        begun.elapsed().as_nanos() / warmed as u128
    );
}

fn main() {
    let only = std::env::args().nth(1).and_then(|users| users.parse().ok());
    if let Some(users) = only {
        return speed(users);
    }
    memory();
    speed(100_000);
    speed(1_000_000);
}
