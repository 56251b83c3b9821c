//! One session: a run of an actor's events, each close to the one before by event time. SEMANTICS.md section 4.

use super::kind::Kind;
use super::scribe::Scribe;
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::fact::{Detail, Sign};
use crate::limits::SESSION_DEVICES;
use crate::time::Millis;

const ENDED: u8 = 1;
const LANDING: u8 = 1 << 1;
const PAGES: u8 = 1 << 2;
/// Bits of the flags that say how many kinds were counted, and how many devices seen.
const COUNTS: u8 = 7;
const COUNTS_AT: u8 = 3;
const DEVICES: u8 = 3;
const DEVICES_AT: u8 = 6;

#[derive(Debug, Clone)]
pub struct Session {
    pub start: Millis,
    pub last: Millis,
    /// `last` and the gap as it was when armed: when it ends, or ended.
    pub ends: Millis,
    pub ended: bool,
    pub page_views: u32,
    pub landing: Option<Box<Landing>>,
    /// Events of other kinds than page views, by kind.
    pub counts: Vec<(Kind, u32)>,
    pub devices: Vec<Box<str>>,
}

/// The earliest page view of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    pub time: Millis,
    pub page: Box<str>,
    pub referrer: Box<str>,
    pub campaign: Box<str>,
}

/// One event, as a session sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) time: Millis,
    pub(super) kind: Kind,
    pub(super) device: &'a str,
    /// Page, referrer and campaign of a page view.
    pub(super) page: Option<(&'a str, &'a str, &'a str)>,
}

impl Session {
    pub(super) fn begin(visit: &Visit<'_>, gap: Millis) -> Self {
        let mut session = Self {
            start: visit.time,
            last: visit.time,
            ends: visit.time.saturating_add(gap),
            ended: false,
            page_views: 0,
            landing: None,
            counts: Vec::new(),
            devices: Vec::new(),
        };
        session.take_in(visit);
        session
    }

    /// Counts the event and what it shows of the visit; the session's bounds are its caller's.
    pub(super) fn take_in(&mut self, visit: &Visit<'_>) {
        if visit.kind == Kind::PageView {
            self.page_views = self.page_views.saturating_add(1);
        } else {
            self.count(visit.kind, 1);
        }
        self.see_device(visit.device);
        if let Some((page, referrer, campaign)) = visit.page
            && self.lands_before(visit.time)
        {
            let landing = Landing {
                time: visit.time,
                page: page.into(),
                referrer: referrer.into(),
                campaign: campaign.into(),
            };
            self.landing = Some(Box::new(landing));
        }
    }

    /// Takes over what a later session saw, when an event between the two made them one.
    pub(super) fn absorb(&mut self, later: Self) {
        self.page_views = self.page_views.saturating_add(later.page_views);
        for (kind, events) in later.counts {
            self.count(kind, events);
        }
        for device in &later.devices {
            self.see_device(device);
        }
        if let Some(landing) = later.landing
            && self.lands_before(landing.time)
        {
            self.landing = Some(landing);
        }
        self.last = self.last.max(later.last);
    }

    /// Whether a page view at `time` would be the earliest: of two at once the first in journal order stays.
    pub(super) fn lands_before(&self, time: Millis) -> bool {
        self.landing.as_ref().is_none_or(|landing| time < landing.time)
    }

    fn count(&mut self, kind: Kind, events: u32) {
        match self.counts.binary_search_by_key(&kind, |(kind, _)| *kind) {
            Ok(at) => self.counts[at].1 = self.counts[at].1.saturating_add(events),
            Err(at) => {
                self.counts.reserve_exact(1);
                self.counts.insert(at, (kind, events));
            }
        }
    }

    fn see_device(&mut self, device: &str) {
        if !device.is_empty()
            && self.devices.len() < SESSION_DEVICES
            && !self.devices.iter().any(|seen| **seen == *device)
        {
            self.devices.reserve_exact(1);
            self.devices.push(device.into());
        }
    }

    /// Referrer and campaign it came by.
    pub fn origin(&self) -> (&str, &str) {
        self.landing.as_ref().map_or(("", ""), |landing| (&landing.referrer, &landing.campaign))
    }

    pub(super) fn tell_started(&self, sign: Sign, scribe: &mut Scribe<'_>) {
        scribe.session_fact(self.start, sign, Detail::SessionStarted, self.origin());
    }

    pub(super) fn tell_ended(&self, sign: Sign, scribe: &mut Scribe<'_>) {
        let ended = Detail::SessionEnded {
            pages: self.page_views.into(),
            duration: self.last.saturating_sub(self.start),
        };
        scribe.session_fact(self.ends, sign, ended, self.origin());
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let (counts, devices) = (few(self.counts.len(), COUNTS), few(self.devices.len(), DEVICES));
        w.byte(
            flag(ENDED, self.ended)
                | flag(LANDING, self.landing.is_some())
                | flag(PAGES, self.page_views > 0)
                | counts << COUNTS_AT
                | devices << DEVICES_AT,
        );
        w.time(self.start);
        w.uint(self.last.wrapping_sub(self.start) as u64);
        w.span(self.ends.wrapping_sub(self.last));
        if self.page_views > 0 {
            w.uint(self.page_views.into());
        }
        if let Some(landing) = &self.landing {
            w.int(landing.time.wrapping_sub(self.start));
            w.word(&landing.page);
            w.word(&landing.referrer);
            w.word(&landing.campaign);
        }
        if counts == COUNTS {
            w.count(self.counts.len());
        }
        for (kind, events) in &self.counts {
            w.byte(*kind as u8);
            w.uint((*events).into());
        }
        if devices == DEVICES {
            w.count(self.devices.len());
        }
        for device in &self.devices {
            w.word(device);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let flags = r.byte()?;
        let has = |flag: u8| flags & flag != 0;
        let start = r.time()?;
        let last = start.wrapping_add(r.uint()? as i64);
        let ends = last.wrapping_add(r.span()?);
        let page_views = if has(PAGES) { r.uint32()? } else { 0 };
        let landing = match has(LANDING) {
            false => None,
            true => Some(Box::new(Landing {
                time: start.wrapping_add(r.int()?),
                page: r.word()?.into(),
                referrer: r.word()?.into(),
                campaign: r.word()?.into(),
            })),
        };
        let mut counts = Vec::new();
        for _ in 0..few_or_more(flags >> COUNTS_AT & COUNTS, COUNTS, usize::from(u8::MAX), r)? {
            let Some(kind) = Kind::of_code(r.byte()?) else {
                return Err(damaged("events of no known kind"));
            };
            counts.push((kind, r.uint32()?));
        }
        let devices = few_or_more(flags >> DEVICES_AT & DEVICES, DEVICES, SESSION_DEVICES, r)?;
        let devices = (0..devices).map(|_| Ok(r.word()?.into())).collect::<Result<_, _>>()?;
        if last < start || !counts.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(damaged("a session that cannot be"));
        }
        Ok(Self { start, last, ends, ended: has(ENDED), page_views, landing, counts, devices })
    }
}

/// How many, as far as it can be said among the flags: `most` stands for that many and more.
fn few(many: usize, most: u8) -> u8 {
    u8::try_from(many).map_or(most, |many| many.min(most))
}

fn few_or_more(few: u8, most: u8, limit: usize, r: &mut Reader<'_>) -> Result<usize, StateError> {
    if few < most { Ok(few.into()) } else { r.count(limit) }
}
