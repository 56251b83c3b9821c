//! Every bound between nodes, by name, with its reason.

use std::time::Duration;

// --- Peers: the side that speaks -------------------------------------------------------------------------------------------------

/// Nodes that are spoken to at a time. Of one more, the one that was left alone longest is forgotten.
pub const ADDRESSES: usize = 256;
/// Connections for links to one node, and the most that can be asked for. A connection is one lock and one TCP stream.
pub const CONNECTIONS: usize = 2;
pub const MOST_CONNECTIONS: usize = 16;
/// Messages on their way over one link: those of some shards for a round trip.
pub const LINK_CREDITS: u32 = 256;
/// The receiver gives credits back so many at a time. A link needs twice as many, or it would wait for ever.
pub const GRANT: u32 = 16;
pub const LEAST_LINK_CREDITS: u32 = 2 * GRANT;
pub const MOST_LINK_CREDITS: u32 = 65_536;
/// Bytes that wait in one link's queue. One message that is larger goes alone.
pub const LINK_BYTES: usize = 32 << 20;
/// One message: a batch of tallies has up to 1,024 rows, some of kilobytes.
pub const MESSAGE_BYTES: usize = 16 << 20;
/// How long a connection may take, TLS included. A refused one fails at once.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a node may take to open a link or to begin what is followed: it does nothing but look it up.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// Rest before a link is opened again: the first, and the longest after it doubled. Each is shortened by up to half at random, so that the
/// nodes of a cluster do not come all at once.
pub const FIRST_REST: Duration = Duration::from_millis(50);
pub const LONGEST_REST: Duration = Duration::from_secs(2);
/// A node nobody spoke to for so long is forgotten, with its connections. How often that is looked at.
pub const IDLE: Duration = Duration::from_secs(60);
pub const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Questions under way to one node, and things followed there. Both fit the streams of one connection.
pub const ASKS: usize = 1_024;
pub const FOLLOWS: usize = 2_048;
/// What an answer may take on its way: the other node waits so much less, and can still say what it waited for.
pub const ASK_MARGIN: Duration = Duration::from_millis(20);

// --- Both sides ------------------------------------------------------------------------------------------------------------------

/// How often a connection is asked whether it lives, and how long it may take to answer: a paused node is noticed within four seconds.
pub const KEEPALIVE: Duration = Duration::from_secs(2);
pub const KEEPALIVE_ANSWER: Duration = Duration::from_secs(2);
/// Bytes a stream, and a connection, may send ahead of being read.
pub const STREAM_WINDOW_BYTES: u32 = 4 << 20;
pub const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// Bytes of all headers.
pub const HEADER_BYTES: u32 = 8_192;

// --- The side that listens -------------------------------------------------------------------------------------------------------

/// Connections of other nodes: a few of each.
pub const ACCEPTED_CONNECTIONS: usize = 1_024;
/// Streams of one connection: all questions and all that is followed of one node.
pub const STREAMS_PER_CONNECTION: u32 = (ASKS + FOLLOWS) as u32;
/// Links open at once, over all connections.
pub const LINKS: usize = 1_024;
/// Links whose latest turn is remembered after they ended.
pub const REMEMBERED_LINKS: usize = 4 * LINKS;
/// Longest name a link goes by.
pub const LINK_NAME_BYTES: usize = 64;
/// Questions being answered at once, and things followed, of all nodes together.
pub const ANSWERS: usize = 8 * ASKS;
pub const FOLLOWED: usize = 16 * FOLLOWS;
/// Streams reset before they were looked at: questions nobody waits for any more come in hundreds when a node was paused.
pub const RESET_STREAMS: usize = ASKS;
/// How long a handshake of TLS may take.
pub const HANDSHAKE: Duration = Duration::from_secs(2);
/// Rest after a failed accept: mostly there is no file descriptor left, and one will be in a moment.
pub const ACCEPT_REST: Duration = Duration::from_millis(50);
/// How long answers under way may take once the node leaves.
pub const LEAVE_GRACE: Duration = Duration::from_secs(2);
/// A PEM file: a chain of certificates takes some kilobytes.
pub const PEM_BYTES: u64 = 1 << 20;

// --- Placement -------------------------------------------------------------------------------------------------------------------

/// Shards of one kind: partitions of a journal.
pub const PARTITIONS: u16 = 1_024;
/// A member that is silent for so long is taken for dead: the least brokers allow.
pub const SESSION: Duration = Duration::from_secs(6);
/// How often a member speaks to the group. It learns of others that come and go only then, so this is most of a planned move's time.
pub const HEARTBEAT: Duration = Duration::from_millis(500);
/// A member whose thread looks at nothing for so long leaves the group: its shards must not hang on a thread that does.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(15);
/// How often the group's thread looks whether the node leaves.
pub const POLL: Duration = Duration::from_millis(50);
/// How long a leave may take. The broker hears of it behind a rebalance under way, and that one waits for a member that died until its session is
/// over.
pub const LEAVE: Duration = SESSION.saturating_add(Duration::from_secs(4));
/// How long a broker may take to show that it is there, when the group took the shards away: nobody else can have them while it is not.
pub const PROOF_OF_LIFE: Duration = Duration::from_millis(500);
/// How long a start waits for a broker, and one question to one that may not be there yet.
pub const PATIENCE: Duration = Duration::from_secs(10);
pub const KNOCK: Duration = Duration::from_millis(500);
/// How long a topic that is not there is looked for, and how often: one just made is not known everywhere at once.
pub const TOPIC_PATIENCE: Duration = Duration::from_secs(2);
pub const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long the making of a topic may take.
pub const PREPARE_TIMEOUT: Duration = Duration::from_secs(30);
/// The membership topic keeps nothing, for it gets nothing.
pub const MEMBERS_RETENTION: Duration = Duration::from_secs(3_600);
/// How often brokers are asked for records that never come: partitions are paused, this is for what slips through.
pub const FETCH_WAIT: Duration = Duration::from_millis(500);

// --- Positions -------------------------------------------------------------------------------------------------------------------

/// How often positions are committed: lag tools look every ten seconds or less often.
pub const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// How long one commit may take.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);
