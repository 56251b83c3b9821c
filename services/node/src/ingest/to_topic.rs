//! A file into a topic: each line as a message of the form asked for, under the key of whom it is about.

use prost::Message as _;
use souk_model::record;
use souk_proto::v1;
use souk_runtime::ports::Clock as _;
use tokio::time::{Instant, sleep_until};

use super::input::Input;
use super::outcome::Outcomes;
use super::progress::Progress;
use super::reader::Item;
use super::speed::Timetable;
use super::{Args, Lines, say_shift};
use crate::cli::exit::Failure;
use crate::output::cell::grouped;
use crate::output::print;
use crate::topic::{Place, Topic};
use crate::wiring::SystemClock;

pub(super) async fn run(args: Args, place: &Place) -> Result<(), Failure> {
    let input = Input::of(&args.file);
    let mut topic = Topic::open(place, args.format.clone(), args.partitions).await?;
    let now = SystemClock.now();
    let (mut lines, times) = Lines::open(&args, &input, now).await?;
    say_shift(times, now);
    let mut progress = Progress::begin(input.size());
    let mut table = Timetable::new(args.speed);
    let (began, mut untold) = (Instant::now(), 0_u64);
    let mut chunk = lines.next(&input).await?;
    let mut outcomes = Outcomes::new(lines.rejects);
    while let Some(read) = chunk {
        let count = read.items.len();
        for item in read.items {
            let due = began + table.due(item.became.as_ref().ok().and_then(|ready| ready.millis));
            if due > Instant::now() {
                sleep_until(due).await;
            }
            untold += u64::from(!send(&mut topic, &mut outcomes, item).await?);
        }
        progress.advance(count, read.bytes);
        chunk = super::next(&mut lines.chunks, &input).await?;
    }
    let said = topic.finish().await?;
    progress.end();
    if untold > 0 {
        eprintln!("{} lines left out: the format has no word for their kind", grouped(&untold.to_string()));
    }
    let refused = outcomes.rejected()?;
    print(&format!("{said} · rejected {refused}\n"))
}

/// Sends a line, or writes down why not; false where the format has no word for it.
async fn send(topic: &mut Topic, outcomes: &mut Outcomes, item: Item) -> Result<bool, Failure> {
    let judged = match &item.became {
        Ok(ready) => {
            let event = v1::Event::decode(ready.event.clone()).map_err(anyhow::Error::from)?;
            record::validate_event(&event).map(|()| event)
        }
        Err(refusal) => Err(refusal.clone()),
    };
    match judged {
        Ok(event) => topic.send(&event).await,
        Err(refusal) => outcomes.refuse(item, &refusal).map(|()| true),
    }
}
