//! Planted bugs: switches that break one rule each, so that the simulator can show it would notice.
//!
//! Without the `planted` feature [`Planted::has`] is `false` at compile time and every switch vanishes.

/// One rule broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Bug {
    /// The manifest flip does not compare the epoch.
    FenceDropped,
    /// Replay starts one record too late.
    ReplayOffByOne,
    /// The bridge's records are deduplicated by the newest offset alone.
    BridgeNewestOffset,
    /// A product lets a hold expire by itself.
    HoldExpiresAlone,
    /// The fold reads the owner's clock for a record's log time.
    WallClockInFold,
    /// A conditional write that timed out is taken as not applied.
    TimeoutTakenAsFailed,
    /// The manifest flip compares the epoch, not the cut.
    FlipOnEpochAlone,
    /// The settings of the process are used, not those of the log.
    SettingsFromProcess,
    /// A gap in a tally stream is not asked for.
    TallyGapIgnored,
    /// A product's terminal marks are forgotten early and the age of a Reserve is not looked at.
    MarkExpiresWithoutAgeCheck,
    /// Segments of a cut are deleted before the next manifest is committed.
    DeleteBeforeCommit,
    /// A tally's value is added to the one before instead of replacing it.
    TallyAdded,
    /// Saga steps are not re-sent after a takeover.
    NoResend,
    /// Segments of a fenced epoch are taken as committed.
    LineageIgnored,
    /// Effects leave while the owner still replays.
    EffectsDuringReplay,
    /// An unknown append is repeated under a new request id.
    RepeatWithNewId,
    /// Timers fire after the record instead of before it.
    TimersAfterRecord,
    /// A dirty actor changed during a cut is encoded with its new state.
    CutNotFrozen,
    /// Request ids are not remembered.
    RequestMemoryLost,
    /// A fold of a newer version runs without its version barrier.
    NoVersionBarrier,
    /// A section leaves memory with changes no cut holds.
    DirtyUnloaded,
    /// The timers of a section that left memory are forgotten.
    TimersUnloaded,
}

impl Bug {
    pub const ALL: [Bug; 22] = [
        Bug::FenceDropped,
        Bug::ReplayOffByOne,
        Bug::BridgeNewestOffset,
        Bug::HoldExpiresAlone,
        Bug::WallClockInFold,
        Bug::TimeoutTakenAsFailed,
        Bug::FlipOnEpochAlone,
        Bug::SettingsFromProcess,
        Bug::TallyGapIgnored,
        Bug::MarkExpiresWithoutAgeCheck,
        Bug::DeleteBeforeCommit,
        Bug::TallyAdded,
        Bug::NoResend,
        Bug::LineageIgnored,
        Bug::EffectsDuringReplay,
        Bug::RepeatWithNewId,
        Bug::TimersAfterRecord,
        Bug::CutNotFrozen,
        Bug::RequestMemoryLost,
        Bug::NoVersionBarrier,
        Bug::DirtyUnloaded,
        Bug::TimersUnloaded,
    ];
}

/// The bugs switched on in one shard or owner: none, outside the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planted {
    #[cfg(feature = "planted")]
    bits: u32,
}

#[cfg(feature = "planted")]
impl Planted {
    pub fn with(bug: Bug) -> Self {
        Self { bits: 1 << bug as u8 }
    }

    pub fn has(self, bug: Bug) -> bool {
        self.bits & (1 << bug as u8) != 0
    }
}

#[cfg(not(feature = "planted"))]
impl Planted {
    pub const fn has(self, _bug: Bug) -> bool {
        false
    }
}
