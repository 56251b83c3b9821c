//! Every bound of the runtime, by name, with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

use souk_model::time::Millis;

/// Bytes of one read of a shard from the journal: a few thousand records, folded in some milliseconds.
pub const READ_BYTES: usize = 1 << 20;
/// How long a read at the journal's end waits for a record before it answers empty: the owner then looks after its timers.
pub const READ_WAIT: Duration = Duration::from_millis(500);
/// Records of a users shard that may wait unfolded before intake sheds: some seconds of folding.
pub const UNFOLDED_RECORDS: u64 = 1_000_000;
/// Bytes of appends under way on one node: what group commit can write in a few hundred milliseconds.
pub const APPENDING_BYTES: usize = 64 << 20;
/// How long a caller that was shed should wait.
pub const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Queries one watch may hold: a dashboard.
pub const QUERIES_PER_WATCH: usize = 32;
/// Rows one watched query sends.
pub const ROWS_PER_WATCH: usize = 1_000;
/// Events of one publication: the API's limit of a message.
pub const EVENTS_PER_BATCH: usize = 1_000;

/// Slices folded under one lock: about a hundred microseconds, which is what a read waits at most.
pub const SLICES_PER_LOCK: usize = 48;
/// How long a shard goes on folding for one message; then whatever else is ready on the node has its turn, and other messages of it.
pub const TURN: Duration = Duration::from_millis(1);
/// Turns of one message, should the clock stand still.
pub const TURNS_PER_MESSAGE: usize = 32;
/// Messages of other owners that wait for one shard; further ones are lost, and asked for again.
pub const PEER_MESSAGES_WAITING: u64 = 4_096;
/// Words of the fold kept for callers who wait: some seconds of a shard's records.
pub const WORDS_KEPT: usize = 262_144;
/// Shards of a node that cut at the same time: each takes a tenth of a core and a second for a hundred thousand changed actors, and sends
/// all it encoded to the disk the journal syncs to.
pub const CUTS_AT_ONCE: usize = 2;
/// How often a node goes round its shards for memory to let go of, in steps of some tenths of a millisecond.
pub const TIDY_EVERY: Duration = Duration::from_millis(250);
pub const IDLE_ENCODED_PER_STEP: usize = 64;
/// Steps of one shard in one round: the others wait that long.
pub const TIDY_STEPS: usize = 32;
/// Between two steps: tidying takes a tenth of a core.
pub const TIDY_PAUSE: Duration = Duration::from_millis(2);
/// Sections one round reads into a shard that has room for all of them: all are there within seconds, and what needs them does not wait
/// for the store, nor fail while it is away.
pub const SECTIONS_PER_ROUND: usize = 4;
/// A shard that holds more than its share by this part of it grows faster than that: its steps follow each other without a pause.
pub const TIDY_HURRIES_PAST: u64 = 4;
/// Before an owner that lost touch with the journal or the store is replaced.
pub const RESTART_AFTER: Duration = Duration::from_millis(500);
/// How often a caller that waits for a position looks again where nothing tells it.
pub const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Metrics topics a node keeps: distinct queries watched. Users are counted apart.
pub const METRIC_TOPICS: usize = 10_000;
pub const USER_TOPICS: usize = 100_000;
/// Shortest time between two evaluations of one watched query; longer by what one takes, so that watching costs a bounded share.
pub const EVALUATE_EVERY: Duration = Duration::from_millis(4);
pub const EVALUATION_SHARE: u32 = 20;
/// Longest time between the two: most of what a long one took it waited for a shard that moved.
pub const EVALUATION_REST: Duration = Duration::from_millis(500);
/// How long the keeper of a quiet topic sleeps before it looks whether anybody still watches.
pub const TOPIC_HEARTBEAT: Duration = Duration::from_secs(5);
/// Rounds of proposing settings: each reaches the partitions the one before did not.
pub const PROPOSALS: usize = 8;
/// Records of one shard kept decoded between their append and their fold: what some batches leave behind when the fold is slow.
pub const FRESH_KEPT: usize = 16_384;
/// Batches of one shard whose way to their readers is timed at once: more than callers have under way while the fold keeps up.
pub const BATCHES_TIMED: usize = 16_384;
/// Rows of a topic that are gone and still told of; beyond, the oldest are forgotten.
pub const GONE_KEPT: usize = 10_000;
/// Shards one position names: more than any generation has.
pub const MOST_SHARDS: usize = 4_096;

/// How long a question to another node may wait for its answer: beyond it the node is taken for away.
pub const ASK_WAIT: Duration = Duration::from_secs(5);
/// How long reads wait for an owner before the last cut answers, from the first of them that found none: longer than a planned move takes.
pub const STALE_AFTER: Duration = Duration::from_millis(500);
/// How long an owner has to answer a question however late it is.
pub const LEAST_ASK_WAIT: Duration = Duration::from_millis(100);
/// Before a shard that was not where it was looked for is looked for again.
pub const HUNT_PAUSE: Duration = Duration::from_millis(20);
/// How often the manifest of a shard that nobody carries is read, by all who look for it together: a serial read each.
pub const MANIFEST_AGAIN: Duration = Duration::from_millis(100);
/// How often it is looked where shards are that nobody asks for, and how long others may take to say what they carry.
pub const SCOUT_EVERY: Duration = Duration::from_secs(1);
pub const ASK_AROUND_WAIT: Duration = Duration::from_millis(500);
/// How long a node that did not answer counts as away.
pub const SILENT_FOR: Duration = Duration::from_secs(1);
/// Nodes remembered as away: more than a cluster has.
pub const SILENT_NODES: usize = 1_024;
/// How long a copy of a cut is taken for the newest.
pub const CUT_FRESH: Duration = Duration::from_secs(1);
/// How long a copy of a cut is kept that nobody asks for.
pub const CUT_KEPT: Duration = Duration::from_secs(30);
/// Settings of shards elsewhere that are kept: a change is under way between two of them.
pub const SETTINGS_LEARNED: usize = 8;
/// How long a desk is manned for another node, and how much sooner that node asks for it again.
pub const DESK_LEASE: Duration = Duration::from_secs(10);
pub const DESK_MARGIN: Duration = Duration::from_secs(5);
/// How long one evaluation of a topic waits for a shard that moves.
pub const EVALUATION_WAIT: Duration = Duration::from_secs(1);
/// Subjects other nodes' readers follow on this one.
pub const FAR_FOLLOWERS: usize = 110_000;
/// How often it is looked whether what a topic follows is still where it was.
pub const FOLLOW_AGAIN: Duration = Duration::from_secs(1);
/// Before an owner that was fenced though its shard is this node's tries again: by then placement has heard of whoever fenced it.
pub const FENCED_REST: Duration = Duration::from_secs(5);
/// How long a shard that is to go elsewhere is carried on at most, and how often it is looked whether its next owner serves: a serial read
/// of the store each.
pub const HAND_OVER_WAIT: Duration = Duration::from_secs(10);
pub const LOOK_FOR_NEXT: Duration = Duration::from_millis(150);
/// How long a next owner may take to claim it: placement's answer takes half a second. After that nobody is expected to follow.
pub const NEXT_CLAIMS_WITHIN: Duration = Duration::from_secs(2);
/// How long the last cut of a shard that nobody followed may take.
pub const LAST_CUT_WAIT: Duration = Duration::from_secs(5);
/// How long intake waits for what the catalogue says of a product: an event goes without rather than late.
pub const STAMP_WAIT: Duration = Duration::from_millis(100);
/// How long what another node's catalogue said is taken for what it says, and of how many products it is kept.
pub const STAMP_FRESH: Duration = Duration::from_secs(1);
pub const STAMPS_KEPT: usize = 65_536;
/// Products of other nodes a bridge's batch asks for at once: a batch of new ones takes some tens of round trips.
pub const STAMPS_AT_ONCE: usize = 64;

/// How often it is looked what of the journal is to be kept as rows: behind the fold nobody waits for it.
pub const HISTORY_EVERY: Duration = Duration::from_millis(500);
/// Shards whose records are kept at a time, and reads and their bytes of one of them before others get their turn: some megabytes in all.
pub const HISTORY_SHARDS: usize = 4;
pub const HISTORY_READS: usize = 16;
pub const HISTORY_BYTES: usize = 256 << 10;
/// Rest after a history did not answer: it doubles from one to the other.
pub const HISTORY_PAUSE: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(10);

/// How often changes of the series are taken to where they wait to be published, and written.
pub const PUBLISH_EVERY: Duration = Duration::from_millis(200);
/// How long a row waits before it is written to tables, so that what changes meanwhile goes with it: within the second it may be old, with
/// time left for others before it and for the write.
pub const TABLES_WAIT: Duration = Duration::from_millis(500);
/// Rows of one write to a cache.
pub const CACHE_ROWS: usize = 2_000;
/// Rows that wait to be published to tables, or to a cache; further ones are found again by going round all rows.
pub const DIRTY_ROWS: usize = 262_144;
/// Rows of the write after one that failed.
pub const ROWS_PER_TRIAL: usize = 32;
/// Rows read under one lock: some tens of microseconds.
pub const ROWS_PER_LOCK: usize = 32;
/// Rows read for one write in one go, and how many goes more than those it needs, where some of the rows are not to be written yet.
pub const ROWS_PER_GO: usize = 64;
pub const FURTHER_GOES: usize = 32;
/// Keys looked at under one lock, and locks taken in one round, while all rows of a shard are gone round.
pub const SWEEP_KEYS: usize = 32;
pub const SWEEP_STEPS: usize = 32;
/// Windows that closed this long ago or less are published again by a new owner: an old one may have died with a server away.
pub const PUBLISHED_AGAIN: Millis = 3_600_000;
/// So are older ones that the last so many records of a users shard changed, as late records do: a minute and more of the heaviest traffic.
pub const PUBLISHED_AGAIN_RECORDS: u64 = 65_536;
/// How often lists of first rows are looked at: each look ranks all keys.
pub const TOP_EVERY: Duration = Duration::from_secs(1);
/// Longest time between two looks: one that waited for a shard that moves took long and cost little.
pub const TOP_LATEST: Duration = Duration::from_secs(5);
/// Windows of them looked at each time, and now and then all that late records still correct, up to so many.
pub const TOP_NEWEST: usize = 2;
pub const TOP_WINDOWS: usize = 32;
pub const TOP_ALL_EVERY: Duration = Duration::from_secs(60);
/// How long a look may wait for a shard that moves.
pub const TOP_WAIT: Duration = Duration::from_secs(2);
