//! `souk top`: the shop's numbers on one screen, pushed as they change. Off a terminal: the same once, as text.

mod feed;
mod numbers;
mod screen;
mod state;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use self::feed::{Shown, feed};
use self::state::{Key, State};
use crate::cli::exit::{Exit, Failure};
use crate::client::{Target, connect};
use crate::output::print;

/// Watch the shop's numbers on one screen
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk top
  souk top --address 10.0.0.7:7070
  souk top | head -3                the numbers once, as text

")]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
}

/// Width and height of the text where there is no terminal.
const TEXT: (u16, u16) = (80, 24);
/// How long a whole first snapshot may take.
const SNAPSHOT_WAIT: Duration = Duration::from_secs(10);
/// How often the screen is drawn without news, to say how long nothing was heard; and at most, with any.
const DRAW_AT_LEAST: Duration = Duration::from_millis(500);
const DRAW_AT_MOST: Duration = Duration::from_millis(50);

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = connect(&args.target).await?;
    let shown = Shown::new(State::new(client.address()));
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let whole = tokio::select! {
            failure = feed(client, &shown) => Err(failure),
            whole = timeout(SNAPSHOT_WAIT, whole(&shown)) => whole.map_err(|_| late(&args.target)),
        };
        whole?;
        let (width, height) = TEXT;
        return print(&screen::plain(&shown.state.lock(), width, height));
    }
    // Also puts the screen back if anything panics.
    let mut terminal = ratatui::try_init().map_err(|error| failed(&error))?;
    let done = tokio::select! {
        failure = feed(client, &shown) => Err(failure),
        done = on_screen(&mut terminal, &shown, feed::keys()) => done,
    };
    // Whatever happened, the shell gets its screen back before anything is said.
    ratatui::try_restore().map_err(|error| failed(&error))?;
    done
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format_args!("the terminal: {error}"))
}

fn late(target: &Target) -> Failure {
    Failure::new(Exit::TimedOut, format_args!("{} did not answer in time  [exit 4]", target.address))
}

/// Waits until there is everything to show.
async fn whole(shown: &Shown) {
    while !shown.state.lock().is_whole() {
        shown.changed.notified().await;
    }
}

/// Draws until somebody leaves.
async fn on_screen(
    terminal: &mut ratatui::DefaultTerminal,
    shown: &Shown,
    mut keys: mpsc::Receiver<Key>,
) -> Result<(), Failure> {
    let mut least = interval(DRAW_AT_LEAST);
    loop {
        terminal
            .draw(|frame| {
                let mut state = shown.state.lock();
                state.silence = state.heard.map(|heard| heard.elapsed());
                screen::draw(&state, frame.area(), frame.buffer_mut());
            })
            .map_err(|error| failed(&error))?;
        tokio::select! {
            _ = least.tick() => {}
            () = shown.changed.notified() => tokio::time::sleep(DRAW_AT_MOST).await,
            key = keys.recv() => match key {
                Some(key) if shown.state.lock().key(key) => return Ok(()),
                Some(_) => {}
                None => return Err(failed(&io::ErrorKind::UnexpectedEof.into())),
            },
        }
    }
}
