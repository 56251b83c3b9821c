//! temp
#![allow(dead_code, missing_debug_implementations, unreachable_pub)]
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use souk_model::actor::StateError;
use souk_model::cut::manifest::SectionSummary;
use souk_model::cut::segment::{HEADER, Segment};
use souk_model::journal::{Entry, Partitions, ShardId};
use souk_model::output::{Output, Outputs};
use souk_model::owner::{Fold, PeerMessage};
use souk_model::owner::fold::{Progress, SectionDraft, SectionTotals};
use souk_model::planted::Planted;
use souk_model::verdict::Verdict;

#[derive(Debug, Default)]
pub struct SettingsLibrary;
pub struct ShardConfig { pub id: ShardId, pub partitions: Partitions, pub settings: String, pub library: Arc<SettingsLibrary>, pub build_version: u32, pub planted: Planted }
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts { pub received: u64, pub counted: u64, pub duplicate: u64, pub late: u64, pub rejected: u64 }
impl Counts { pub fn add_up(&self) -> bool { self.received == self.counted + self.duplicate + self.late + self.rejected } }
#[derive(Debug)]
pub struct Shard { id: ShardId, pos: u64, total: u64, rejected: u64, counted: u64, version: u64, keys: BTreeMap<u16, u64>, loaded: BTreeSet<u16>, dirty: BTreeSet<u16>, frozen: Option<(Vec<u64>, BTreeMap<u16,u64>, Vec<u16>, Vec<SectionDraft>)> }
impl Shard {
    pub fn new(c: ShardConfig) -> Result<Self, String> { Ok(Self { id: c.id, pos: 0, total: 0, rejected: 0, counted: 0, version: 1, keys: BTreeMap::new(), loaded: BTreeSet::new(), dirty: BTreeSet::new(), frozen: None }) }
    pub fn counts(&self) -> Counts { Counts { received: self.counted + self.rejected, counted: self.counted, rejected: self.rejected, ..Counts::default() } }
    fn head(&self) -> Vec<u64> { vec![self.pos, self.total, self.rejected, self.counted, self.version] }
    fn sec(b: &[u8]) -> u16 { (xxhash_rust::xxh3::xxh3_64(b) % 4) as u16 }
}
impl Fold for Shard {
    fn id(&self) -> ShardId { self.id }
    fn position(&self) -> u64 { self.pos }
    fn fold_version(&self) -> u32 { self.version as u32 }
    fn settings_hash(&self) -> u64 { 1 }
    fn needed_at_start(&self) -> Vec<u16> { vec![HEADER] }
    fn missing(&mut self, e: &Entry) -> Vec<u16> { let s = Self::sec(&e.bytes); if self.loaded.contains(&s) { vec![] } else { vec![s] } }
    fn load(&mut self, s: u16, segs: &[Segment]) -> Result<(), StateError> {
        self.loaded.insert(s);
        if let Some(seg) = segs.last() {
            let w: Vec<u64> = seg.blob.chunks_exact(8).map(|w| u64::from_le_bytes(w.try_into().unwrap())).collect();
            if w.last() != Some(&w[..w.len()-1].iter().fold(7, |a, b| a ^ b)) { return Err(StateError::Damaged("sum".into())); }
            if s == HEADER { self.pos = w[0]; self.total = w[1]; self.rejected = w[2]; self.counted = w[3]; self.version = w[4]; } else { self.keys.insert(s, w[0]); }
        }
        Ok(())
    }
    fn announce(&mut self, _s: u16, _x: &SectionSummary) {}
    fn step(&mut self, e: &Entry, out: &mut Outputs) -> Progress {
        if e.bytes.windows(14).any(|w| w == b"souk.sim.panic") { panic!("poison"); }
        let s = Self::sec(&e.bytes);
        assert!(self.loaded.contains(&s));
        let k = self.keys.entry(s).or_default();
        *k = k.wrapping_mul(31).wrapping_add(xxhash_rust::xxh3::xxh3_64(&e.bytes)).wrapping_add(e.offset);
        self.total = self.total.wrapping_mul(7).wrapping_add(*k);
        self.dirty.insert(s);
        self.pos = e.offset;
        self.counted += 1;
        out.push(Output::Verdict { offset: e.offset, verdict: Verdict::Counted });
        Progress::Done
    }
    fn skip(&mut self, e: &Entry, _r: &str, out: &mut Outputs) { self.pos = e.offset; self.rejected += 1; out.push(Output::Verdict { offset: e.offset, verdict: Verdict::Rejected(souk_model::verdict::Refusal::missing("a", "b")) }); }
    fn wants_ticks(&self) -> bool { true }
    fn freeze(&mut self) { let d = std::mem::take(&mut self.dirty); let mut s: Vec<u16> = d.into_iter().collect(); s.push(HEADER); self.frozen = Some((self.head(), self.keys.clone(), s, vec![])); }
    fn cut_slice(&mut self) -> Option<Vec<SectionDraft>> {
        let (h, k, s, d) = self.frozen.as_mut().unwrap();
        let Some(section) = s.pop() else { return Some(std::mem::take(d)) };
        let mut w = if section == HEADER { h.clone() } else { vec![k[&section]] };
        w.push(w.iter().fold(7, |a, b| a ^ b));
        d.push(SectionDraft { section, base: true, blob: w.iter().flat_map(|w| w.to_le_bytes()).collect(), summary: SectionTotals::default() });
        None
    }
    fn cut_committed(&mut self) { self.frozen = None; }
    fn cut_abandoned(&mut self) { let f = self.frozen.take().unwrap(); for k in f.1.keys() { self.dirty.insert(*k); } }
    fn is_dirty(&self) -> bool { !self.dirty.is_empty() }
    fn resend(&mut self, _a: Option<u64>, _b: usize, _o: &mut Outputs) -> Option<u64> { None }
    fn peer_messages(&mut self, _e: u64, _b: usize) -> Vec<(ShardId, PeerMessage)> { vec![(ShardId::products(0), PeerMessage::TallySince(souk_model::tally::TallyRequest { since: self.pos }))] }
    fn receive(&mut self, _f: ShardId, _m: PeerMessage) {}
    fn digest(&self) -> u64 { let mut h = self.head(); h.extend(self.keys.iter().flat_map(|(k, v)| [u64::from(*k), *v])); if self.loaded.len() < 5 { h = self.head(); } xxhash_rust::xxh3::xxh3_64(&h.iter().take(5).flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>()) }
}
