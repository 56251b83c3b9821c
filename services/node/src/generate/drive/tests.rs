use super::*;
use crate::generate::traffic::due;

fn slots(count: u64, rate: u32) -> impl Iterator<Item = Made> {
    (0..count).map(move |n| Made { due: due(n, rate), what: What::Broken(n.to_string()) })
}

/// Notes when each slot came, and stalls once.
struct Stalling {
    began: Instant,
    stall: Option<(u64, Duration)>,
    taken: Vec<(u64, Duration)>,
}

impl Sink for Stalling {
    type Error = String;

    async fn take(&mut self, batch: Vec<Made>) -> Result<(), String> {
        for made in batch {
            let What::Broken(n) = made.what else { continue };
            self.taken.push((n.parse().map_err(|_| n)?, self.began.elapsed()));
        }
        if let Some((at, how_long)) = self.stall
            && self.taken.len() as u64 > at
        {
            self.stall = None;
            sleep(how_long).await;
        }
        Ok(())
    }
}

fn stalling(stall: Option<(u64, Duration)>) -> Stalling {
    Stalling { began: Instant::now(), stall, taken: Vec::new() }
}

#[test]
fn the_nth_event_is_due_exactly_n_over_the_rate_after_the_first() {
    for rate in [1, 3, 200, 7_919, 100_000] {
        for n in [0, 1, 2, u64::from(rate), 1_000_003, 10_000_000_000] {
            let exact = u128::from(n) * 1_000_000_000 / u128::from(rate);
            assert_eq!(due(n, rate).as_nanos(), exact, "{n} at {rate}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_slot_goes_out_when_it_is_due() {
    let mut sink = stalling(None);
    let (driven, done) = drive(slots(400, 200), Pace::Schedule, &mut sink, std::future::pending()).await;
    assert_eq!(done, Ok(()));
    assert_eq!(driven.made, 400);
    assert_eq!(sink.taken.len(), 400);
    for (n, at) in sink.taken {
        let due = due(n, 200);
        assert!(
            due <= at && at <= due + BATCH_EVERY + Duration::from_millis(1),
            "{n} was due {due:?}, came {at:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_delays_what_waits_and_does_not_shift_the_schedule() {
    let stall = Duration::from_secs(3);
    let mut sink = stalling(Some((100, stall)));
    let (driven, done) = drive(slots(2_000, 200), Pace::Schedule, &mut sink, std::future::pending()).await;
    assert_eq!(done, Ok(()));
    let came: Vec<u64> = sink.taken.iter().map(|(n, _)| *n).collect();
    assert_eq!(came, (0..2_000).collect::<Vec<_>>(), "in order, none lost");
    assert!(
        driven.behind > stall - Duration::from_millis(20) && driven.behind <= stall,
        "{:?}",
        driven.behind
    );
    // Stalled from 0.5 s to 3.5 s. Whatever is due later comes as if nothing had happened.
    for (n, at) in sink.taken.into_iter().filter(|(n, _)| *n > 720) {
        let due = due(n, 200);
        assert!(
            due <= at && at <= due + BATCH_EVERY + Duration::from_millis(1),
            "{n} was due {due:?}, came {at:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_schedule_nothing_waits() {
    let mut sink = stalling(None);
    let (driven, _) = drive(slots(5_000, 1), Pace::Sink, &mut sink, std::future::pending()).await;
    assert_eq!((driven.made, driven.behind), (5_000, Duration::ZERO));
    assert_eq!(sink.began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn driving_stops_when_told() {
    let mut sink = stalling(None);
    let stop = sleep(Duration::from_secs(10));
    let (driven, done) = drive(slots(u64::MAX, 100), Pace::Schedule, &mut sink, stop).await;
    assert_eq!(done, Ok(()));
    assert!((990..=1_001).contains(&driven.made), "{}", driven.made);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_not_taken_is_offered_again() {
    let offers = std::cell::RefCell::new(Vec::new());
    let mut sink = Insisting(|events: Vec<Event>| {
        offers.borrow_mut().push(events);
        let taken = offers.borrow().len() == 4;
        async move { if taken { Ok(()) } else { Err("no room".to_owned()) } }
    });
    let event = Event { event_id: "e-1".to_owned(), ..Event::default() };
    let made = Made { due: Duration::ZERO, what: What::Event(event.clone()) };
    let Ok(()) = sink.take(vec![made]).await;
    assert_eq!(offers.into_inner(), vec![vec![event]; 4]);
}
