//! The fault menu: every kind of trouble with its name, an on/off bit per seed, and a count of how often it was really done.

use std::fmt;

use crate::rng::Rng;

macro_rules! menu {
    ($($kind:ident $name:literal),+ $(,)?) => {
        /// One kind of trouble.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Fault { $($kind),+ }

        impl Fault {
            pub const ALL: &'static [Fault] = &[$(Fault::$kind),+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }
        }
    };
}

menu! {
    AppendReplyLost "append: reply lost",
    AppendDelayed "append: delayed past a takeover",
    AppendDuplicated "append: duplicated",
    AppendsReordered "append: reordered across producers",
    AppendRefused "append: refused",
    PartitionUnavailable "journal: partition unavailable",
    ReadStalls "journal: reads stall",
    RetentionCutsHead "journal: retention cuts the head",
    RetentionAbovePosition "journal: retention cuts above a position",
    LogTruncated "journal: end moves back",
    TopicRecreated "journal: topic recreated",
    RecordCorrupted "journal: record corrupted on its way in",
    PoisonBytes "journal: poison bytes",
    BrokerClockJumps "journal: broker clock jumps an hour",
    BrokerClockStepsBack "journal: broker clock steps back",
    BrokerClockFrozen "journal: broker clock frozen",
    CasAppliedReplyLost "store: conditional write applied, reply lost",
    CasNotAppliedReplyLost "store: conditional write not applied, reply lost",
    CasAppliedLater "store: conditional write timed out, applied later",
    CasContention "store: contention",
    StoreSlow "store: slow",
    StoreUnavailable "store: unavailable",
    SegmentLostBeforeQuorum "store: segment lost before quorum",
    SegmentsWrittenLate "store: segments written after their owner's death",
    ReplicaMissesWrites "store: a replica misses writes",
    StaleReplicaRead "store: stale answer from one replica",
    BitFlip "store: bit flip in a segment",
    OlderBackup "store: restored to an older backup",
    SegmentResurrected "store: deleted segment resurrected",
    WrongTimestampWrite "store: an operator's write with a wrong timestamp",
    DiskFull "store: disk full",
    PeerLost "peers: message lost",
    PeerRepeated "peers: message repeated",
    PeerReordered "peers: messages reordered",
    PeerDelayed "peers: message delayed",
    OneWayCut "peers: one-way cut",
    PeerFromOldEpoch "peers: stale message of an old epoch",
    CrashEpochRaised "crash: epoch raised",
    CrashHeaderLoaded "crash: header loaded",
    CrashReplayDone "crash: replay done",
    CrashStepsAppended "crash: steps appended",
    CrashCutFrozen "crash: cut frozen",
    CrashSegmentsWritten "crash: segments written",
    CrashManifestFlipped "crash: manifest flipped",
    CrashSupersededDeleted "crash: superseded deleted",
    CrashTallySent "crash: tally sent",
    CrashSkipListed "crash: skip listed",
    CrashBetweenEffects "crash: between two effects",
    OwnerPaused "owner: paused, goes on as a zombie",
    TwoOwners "owner: two alive",
    ThreeOwners "owner: three alive",
    TakeoverDuringCut "owner: takeover during a cut",
    TakeoverDuringTakeover "owner: takeover during a takeover",
    MembershipFlaps "owner: membership flaps",
    NodeRestarts "owner: node restarted with empty memory",
    HandOver "owner: handed over",
    RollingUpgrade "owner: rolling upgrade with version barrier",
    ClockSkewed "clock: an hour off",
    ClockStepsBack "clock: steps back",
    ClockFrozen "clock: frozen",
    ViewFlushed "view: flushed",
    ViewStale "view: stale",
    ViewOtherKey "view: another key's value",
    RetrySameId "client: retries with the same id",
    RetryNewId "client: retries with a new id",
    SameIdOtherBody "client: same id, other body",
    AbandonAfterSend "client: gone after sending",
    Burst "client: tenfold burst",
    WatcherResumes "client: watcher resumes from an old token",
    FarFutureEvent "data: event of the year 2099",
    KeySkew "data: 99 % of one user and product",
    EraseUser "data: user erased",
    SettingsChanged "data: settings changed",
    FoldPanics "data: record panics the fold",
    BridgeZombie "bridge: zombie",
    BridgeSendLost "bridge: send expired",
    MemoryPressure "owner: under memory pressure",
}

impl Fault {
    /// Kinds whose only right outcome is an owner that refuses to serve.
    pub const REFUSALS: [Fault; 6] = [
        Fault::RetentionAbovePosition,
        Fault::LogTruncated,
        Fault::TopicRecreated,
        Fault::BitFlip,
        Fault::OlderBackup,
        Fault::WrongTimestampWrite,
    ];

    pub fn is_refusal(self) -> bool {
        Self::REFUSALS.contains(&self)
    }
}

/// The kinds switched on in a seed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultSet(u128);

impl FaultSet {
    pub fn insert(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u8;
    }

    pub fn remove(&mut self, fault: Fault) {
        self.0 &= !(1 << fault as u8);
    }

    pub fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |fault| self.has(*fault))
    }
}

impl fmt::Debug for FaultSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// How often each kind was really done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultCounts([u64; Fault::ALL.len()]);

impl Default for FaultCounts {
    fn default() -> Self {
        Self([0; Fault::ALL.len()])
    }
}

impl FaultCounts {
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub fn kinds(&self) -> usize {
        self.0.iter().filter(|count| **count > 0).count()
    }
}

/// Decides when a fault strikes, and counts it.
#[derive(Debug)]
pub struct Chaos {
    set: FaultSet,
    counts: FaultCounts,
    calm: bool,
    /// Each kind's own chance: leaving one out moves no other.
    streams: Vec<Rng>,
    /// How a fault turns out.
    pub rng: Rng,
}

impl Chaos {
    pub fn new(seed: u64, set: FaultSet) -> Self {
        let streams = Fault::ALL.iter().map(|fault| Rng::of(seed, fault.name())).collect();
        Self { set, counts: FaultCounts::default(), calm: false, streams, rng: Rng::of(seed, "faults") }
    }

    /// From here on nothing strikes: the tail in which everything must come right.
    pub fn calm(&mut self) {
        self.calm = true;
    }

    pub fn is_calm(&self) -> bool {
        self.calm
    }

    pub fn is_on(&self, fault: Fault) -> bool {
        !self.calm && self.set.has(fault)
    }

    /// One time in `one_in` while the kind is on; then it is counted as done.
    pub fn strikes(&mut self, fault: Fault, one_in: u64) -> bool {
        let strikes = self.is_on(fault) && self.streams[fault as usize].one_in(one_in);
        if strikes {
            self.done(fault);
        }
        strikes
    }

    /// Counts a fault done elsewhere.
    pub fn done(&mut self, fault: Fault) {
        self.counts.0[fault as usize] += 1;
    }

    pub fn counts(&self) -> &FaultCounts {
        &self.counts
    }
}
