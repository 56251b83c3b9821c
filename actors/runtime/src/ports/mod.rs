//! The ports: what the runtime needs of the world, as narrow traits. The simulator, the embedded default and the real adapters all
//! implement them, and one suite per port (`conformance`) runs against each.

mod clock;
mod history;
mod journal;
mod peers;
mod placement;
mod store;
mod view;

pub use clock::Clock;
pub use history::{History, HistoryAt, HistoryPlace, HistoryRow};
pub use journal::{Appended, Appending, Journal, Line, NewRecord, Refused, unavailable};
pub use peers::{Inbound, LinkInbound, News, Nobody, Peers, Unreachable};
pub use placement::{Alone, Placement};
pub use store::Store;
pub use view::{Cache, CacheFigures, Held, TableWrite, Tables, TablesAt, Views};
