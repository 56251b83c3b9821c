//! What feeds the screen: one watch, a look at the shards now and then, and keys. Rows go straight into the state: the watch reads on
//! however slowly a terminal draws, and nothing is ever dropped or queued.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::numbers::{Shards, request};
use super::state::{Key, State};
use crate::cli::exit::Failure;
use crate::client::Client;
use crate::client::watch::Watch;

/// Keys typed and not yet acted upon.
const KEYS: usize = 64;
/// How often the shards are asked for.
const SHARDS_EVERY: Duration = Duration::from_secs(2);
/// How soon the reader of keys sees that nobody wants them any more.
const KEYS_WAIT: Duration = Duration::from_millis(100);

/// The state, and a word when it changed.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) state: Mutex<State>,
    pub(super) changed: Notify,
}

impl Shown {
    pub(super) fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.changed.notify_one();
    }
}

/// Feeds the state from a node; ends only with a failure: it refuses, or stays away.
pub(super) async fn feed(client: Client, shown: &Shown) -> Failure {
    let mut watch = match Watch::new(client.clone(), "AnalyticsService/WatchMetric", request()) {
        Ok(watch) => watch,
        Err(failure) => return failure,
    };
    let show = |frame| {
        shown.change(|state| {
            state.frame(&frame);
            state.heard = Some(Instant::now());
        });
        Ok(())
    };
    let say = |words: &str| shown.change(|state| state.trouble = Some(words.to_owned()));
    tokio::select! {
        failure = watch.run(show, say) => failure,
        failure = shards(client, shown) => failure,
    }
}

/// Asks for the shards now and then, without end.
async fn shards(client: Client, shown: &Shown) -> Failure {
    let mut ticks = interval(SHARDS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Whether the node answers at all is the watch's to say.
        if let Ok(answer) = client.ask("AdminService/ListShards", json!({ "page_size": 1_000 })).await {
            shown.change(|state| state.shards(Shards::of(&answer)));
        }
    }
}

/// Reads keys on a thread of their own until nobody wants them.
pub(super) fn keys() -> mpsc::Receiver<Key> {
    let (keys, receiver) = mpsc::channel(KEYS);
    tokio::task::spawn_blocking(move || {
        while !keys.is_closed() {
            match event::poll(KEYS_WAIT) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(_) => return,
            }
            let Ok(event) = event::read() else { return };
            if let Some(key) = key(&event)
                && keys.blocking_send(key).is_err()
            {
                return;
            }
        }
    });
    receiver
}

/// A key that means something here, or a new size.
fn key(event: &Event) -> Option<Key> {
    match event {
        Event::Resize(..) => Some(Key::Resize),
        Event::Key(KeyEvent { code, modifiers, kind, .. }) if *kind != KeyEventKind::Release => match code {
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Leave),
            KeyCode::Char(letter) => Some(Key::Char(*letter)),
            KeyCode::Enter => Some(Key::Enter),
            KeyCode::Esc => Some(Key::Escape),
            KeyCode::Backspace => Some(Key::Backspace),
            _ => None,
        },
        _ => None,
    }
}
