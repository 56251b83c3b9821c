//! Every bound of the fold, by name, with its reason.

use crate::time::{Millis, SECOND};

/// Ids: long enough for a UUID with a prefix, short enough to key on.
pub const ID_BYTES: usize = 64;
/// Pages, queries, titles, reasons: what a person reads in a line.
pub const TEXT_BYTES: usize = 1_024;
/// A dimension value in a metric's key; longer ones are cut at a character boundary.
pub const DIMENSION_BYTES: usize = 256;
/// Labels of an event: dimensions, not a document.
pub const LABELS: usize = 16;
pub const LABEL_BYTES: usize = 128;
/// Lines of a cart or an order: above any basket a person fills.
pub const CART_LINES: usize = 200;
/// Pieces of one product in a cart or order line.
pub const LINE_QUANTITY: i64 = 1_000;
/// Products a recommendation may name.
pub const RECOMMENDED: usize = 50;

/// Event ids an actor remembers for an hour.
pub const REMEMBERED_EVENTS: usize = 4_096;
/// Minutes of log time an event id is remembered.
pub const REMEMBERED_EVENT_MINUTES: i64 = 60;
/// Request ids an actor remembers for a day.
pub const REMEMBERED_REQUESTS: usize = 256;
/// Orders an actor knows by id.
pub const ORDERS: usize = 256;
/// Abandoned carts an actor can restore.
pub const ABANDONED_CARTS: usize = 16;
/// Merges of guests' carts a user may have under way.
pub const MERGES: usize = 16;
/// Steps of a journey kept.
pub const JOURNEY_STEPS: usize = 64;
/// Sessions of one actor kept open to correction.
pub const SESSIONS: usize = 64;
/// Devices remembered of a session.
pub const SESSION_DEVICES: usize = 8;
/// (metric, key) pairs whose distinct-user windows one actor remembers; the oldest gives way.
pub const PRESENCES: usize = 4_096;
/// Offsets above the stable point a bridge may have under way.
pub const BRIDGE_WINDOW: usize = 4_096;
/// Foreign (topic, partition) pairs bridged into one shard.
pub const BRIDGES: usize = 1_024;

/// Holds of one product that are not settled.
pub const HOLDS: usize = 100_000;
/// Terminal marks of one product: an hour of checkouts of a hot product.
pub const MARKS: usize = 200_000;

/// Terminal marks of one product looked at for pruning in one step: many more than a step adds, well below a millisecond.
pub const MARKS_PRUNED_PER_STEP: usize = 256;
/// Users one sale counts the pieces of, when it limits them: as many as may hold pieces at once.
pub const SALE_USERS: usize = HOLDS;
/// Words one product is found by; further ones are not indexed.
pub const SEARCH_WORDS: usize = 128;
/// Bytes of a word that are searched; longer ones are cut at a character boundary.
pub const SEARCH_WORD_BYTES: usize = 32;
/// Words of a search query that are looked at.
pub const QUERY_WORDS: usize = 8;
/// Words a prefix may stand for before walking the products is shorter than joining their lists.
pub const PREFIX_WORDS: usize = 32;
/// Products looked at for one page of a list: about a millisecond. The page then ends early, with a token.
pub const LIST_SCAN: usize = 10_000;
/// Products on one page of a list.
pub const LIST_PAGE: usize = 1_000;

/// Entries of a ring in state: alerts, dead letters, abandoned carts, open orders, corrections.
pub const RING: usize = 1_024;
/// Records one shard may be told to skip.
pub const SKIPS: usize = 1_024;
/// Bytes of a quarantined record kept in state, for people; the whole record stays in the journal at its position.
pub const DEAD_LETTER_BYTES: usize = 256;

/// Due timers fired in one slice: well below a millisecond.
pub const TIMERS_PER_SLICE: usize = 32;
/// Timers of one deadline put in key order in one slice: a million may be due at the same moment.
pub const TIMERS_GATHERED_PER_SLICE: usize = 128;
/// Actors encoded in one slice of a cut.
pub const CUT_ACTORS_PER_SLICE: usize = 256;
/// Bytes encoded, or compressed, in one slice of a cut: a fraction of a millisecond.
pub const CUT_BYTES_PER_SLICE: usize = 128 * 1024;
/// Between two slices of a cut: about a tenth of a core for each shard that cuts.
pub const CUT_SLICE_EVERY: Millis = 2;
/// A cut that takes this long is a big one, and hurries: half the pause first, none after as long again. A tenth of a core encodes half a
/// million actors by then.
pub const CUT_HURRIES_AFTER: Millis = 5 * SECOND;
/// A cut that has been due this long begins, whether there is room for it or not.
pub const CUT_WAITS_FOR_ROOM: Millis = 30 * SECOND;
/// Deltas after which a section gets a new base, however small they are: loading reads them all.
pub const SECTION_DELTAS: u64 = 64;
/// Cells in one tally batch.
pub const TALLY_BATCH: usize = 1_024;
/// Changes of the series kept for those who listen: some batches of tallies; beyond, they look at everything they listen for.
pub const CHANGES_KEPT: usize = 16 * TALLY_BATCH;
/// Rows of one key set whose places are remembered by their values: half a megabyte, enough for most of what `max_keys` allows.
pub const RECENT_ROWS: usize = 65_536;
/// Records between two looks for tally cells closed for good, and rows looked at each time: a full round of 100,000 rows takes
/// fewer records than such a shard folds in a minute, and a look costs less than a record.
pub const TALLY_SWEEP_EVERY: u64 = 64;
pub const TALLY_SWEEP_ROWS: usize = 32;
/// Rows and windows of one answer of one shard: above any page a person reads, below what a link carries at once.
pub const ANSWER_ROWS: usize = 10_000;
pub const ANSWER_WINDOWS: usize = 10_000;
/// Records decoded before they are folded, while their buckets load: one read of the journal.
pub const DECODED_AHEAD: usize = READ_AHEAD;

/// Answers to a load that lack a segment the manifest names, before it counts as missing: one replica may be behind the others.
pub const STALE_READS: u32 = 4;
/// Tries of one read or write of the store or the journal before an owner gives up: with its back-off about a minute.
pub const CALL_TRIES: u32 = 16;
/// Tries of a read from the journal while a shard is carried: with its back-off some five minutes without a journal.
pub const READ_TRIES: u32 = 64;
/// Identical conditional writes sent before their outcome is called unknown.
pub const CONDITIONAL_TRIES: u32 = 6;
/// How often the segments of one cut are written before the cut is given up.
pub const SEGMENT_TRIES: u32 = 6;
/// Rounds of loading before what was read folds: more than a shard has sections, and every round loads one that was not there.
pub const LOAD_ROUNDS: u32 = 256;
/// Actors encoded in one step of an owner that is to hold less in memory: a fraction of a millisecond.
pub const COOLED_PER_STEP: usize = 256;
/// Bytes a decoded actor owns beyond its slot, for an estimate: a cart, a session and a few remembered ids.
pub const HOT_ACTOR_BYTES: usize = 512;
/// Slices folded in one call of an owner: a few milliseconds, then reads and replies get their turn.
pub const SLICES_PER_HANDLE: usize = 4_096;
/// Entries an owner holds unfolded before it stops reading ahead.
pub const READ_AHEAD: usize = 8_192;
/// Appends of saga steps whose outcome is open; steps beyond wait for their re-send.
pub const APPENDS_IN_FLIGHT: usize = 1_024;
/// Steps re-sent from state in one period: the token bucket after a takeover.
pub const RESENDS_PER_PERIOD: usize = 256;
/// Steps whose back-off an owner remembers; others are re-sent with every sweep.
pub const RESENDS_REMEMBERED: usize = 16_384;
/// Messages to peers in one period.
pub const PEER_MESSAGES: usize = 64;
/// Panics of the fold at one offset after which it is passed over.
pub const PANICS_TO_SKIP: u32 = 3;
/// Bytes of a panic's message kept in the skip list.
pub const PANIC_MESSAGE_BYTES: usize = 256;

/// One record: a batch of 1,000 events is this large, so one event never is.
pub const RECORD_BYTES: usize = 262_144;
/// Tags of a product: words to find it by, not a document.
pub const TAGS: usize = 32;
/// Fields an update mask may name: more than a product has.
pub const MASK_PATHS: usize = 32;
/// Lines of an address.
pub const ADDRESS_LINES: usize = 8;
/// Stamps of one record: a cart's worth of products.
pub const STAMPS: usize = CART_LINES;

/// The settings text: it stands in every partition's log and every cut, within a record.
pub const SETTINGS_BYTES: usize = 131_072;
/// Problems reported of one settings text: enough to mend it by.
pub const SETTINGS_PROBLEMS: usize = 100;
/// A name in the settings.
pub const SETTINGS_NAME_BYTES: usize = 63;
/// Metrics of one catalogue, and tables of records kept.
pub const METRICS: usize = 256;
pub const HISTORIES: usize = 64;
/// Key sets of a metric: each multiplies what a fact costs.
pub const KEY_SETS: usize = 16;
/// Dimensions of a key set.
pub const DIMENSIONS: usize = 8;
pub const MEASURES: usize = 32;
pub const WINDOWS: usize = 16;
/// Instances of a sliding window that hold one time: a day by the second.
pub const WINDOW_STEPS: i64 = 86_400;
/// Values a filter accepts.
pub const FILTER_VALUES: usize = 64;
/// Tables of one metric.
pub const TABLES: usize = 16;
/// How long an answer is kept for those who ask while there is no owner: twice as long as a cut may be older than its shard, and what a cut
/// includes is answered of the cut.
pub const ANSWER_KEPT: i64 = 2 * 3_600_000;
/// Rows of a published top list.
pub const TOP: i64 = 10_000;
/// Live keys of one shard, metric and key set.
pub const MAX_KEYS: i64 = 1_000_000;
/// Values kept exactly in one window of one key before a sketch takes over.
pub const EXACT_VALUES: i64 = 65_536;
/// The same where the settings do not say.
pub const EXACT_VALUES_DEFAULT: usize = 4_096;

/// Pieces of one product in stock, or in one change of it: above any warehouse, and sums of them stay far inside 64 bits.
pub const PIECES: i64 = 1_000_000_000;
