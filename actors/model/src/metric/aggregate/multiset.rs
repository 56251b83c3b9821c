//! A multiset of integers for quantiles: the values themselves while there are few, a log-linear histogram beyond.
//!
//! The histogram keeps seven significant bits of a value, so its answers are within 1/128 of the true one. Which form a multiset
//! has depends on its size alone, never on the order it was filled or merged in.

/// Significant bits below the leading one: buckets are `1 / 2^SUB_BITS` of their lower bound wide.
const SUB_BITS: u32 = 6;
/// Values below this have a bucket of their own.
const LINEAR: u64 = 1 << (SUB_BITS + 1);

/// Sorted values, or counts by bucket, sorted. At most `2 × 59 × 64` buckets exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Multiset {
    Exact(Vec<i64>),
    Sketched(Vec<(i32, u64)>),
}

impl Default for Multiset {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Multiset {
    pub fn insert(&mut self, value: i64, exact_to: usize) {
        match self {
            Self::Exact(values) => {
                let at = values.partition_point(|have| *have <= value);
                values.insert(at, value);
                self.settle(exact_to);
            }
            Self::Sketched(buckets) => add(buckets, bucket_of(value), 1),
        }
    }

    pub fn merge(&mut self, other: &Self, exact_to: usize) {
        match (&mut *self, other) {
            (Self::Exact(values), Self::Exact(more)) => {
                values.extend_from_slice(more);
                values.sort_unstable();
                self.settle(exact_to);
            }
            (Self::Sketched(buckets), Self::Sketched(more)) => {
                let mine = std::mem::take(buckets);
                *buckets = merged(&mine, more);
            }
            (Self::Sketched(buckets), Self::Exact(values)) => {
                for value in values {
                    add(buckets, bucket_of(*value), 1);
                }
            }
            (Self::Exact(values), Self::Sketched(more)) => {
                let mut buckets = more.clone();
                for value in &*values {
                    add(&mut buckets, bucket_of(*value), 1);
                }
                *self = Self::Sketched(buckets);
            }
        }
    }

    /// How many values it holds.
    pub fn len(&self) -> u64 {
        match self {
            Self::Exact(values) => values.len() as u64,
            Self::Sketched(buckets) => buckets.iter().map(|(_, count)| count).sum(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    /// Nearest rank: value number `⌈q·n⌉` of the sorted values; a bucket answers with its middle.
    pub fn quantile(&self, millionths: u32) -> Option<i64> {
        let n = self.len();
        let rank = (u128::from(n) * u128::from(millionths)).div_ceil(1_000_000).clamp(1, u128::from(n.max(1))) as u64;
        match self {
            Self::Exact(values) => values.get(rank as usize - 1).copied(),
            Self::Sketched(buckets) => {
                let mut seen = 0;
                buckets
                    .iter()
                    .find(|(_, count)| {
                        seen += count;
                        seen >= rank
                    })
                    .map(|(bucket, _)| middle_of(*bucket))
            }
        }
    }

    fn settle(&mut self, exact_to: usize) {
        let Self::Exact(values) = self else { return };
        if values.len() > exact_to {
            let mut buckets: Vec<(i32, u64)> = Vec::new();
            for value in values {
                let bucket = bucket_of(*value);
                match buckets.last_mut() {
                    Some((last, count)) if *last == bucket => *count += 1,
                    _ => buckets.push((bucket, 1)),
                }
            }
            *self = Self::Sketched(buckets);
        }
    }
}

fn add(buckets: &mut Vec<(i32, u64)>, bucket: i32, count: u64) {
    match buckets.binary_search_by_key(&bucket, |(at, _)| *at) {
        Ok(at) => buckets[at].1 += count,
        Err(at) => buckets.insert(at, (bucket, count)),
    }
}

fn merged(left: &[(i32, u64)], right: &[(i32, u64)]) -> Vec<(i32, u64)> {
    let mut out = Vec::with_capacity(left.len().max(right.len()));
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        match a.0.cmp(&b.0) {
            std::cmp::Ordering::Less => out.extend(left.next()),
            std::cmp::Ordering::Greater => out.extend(right.next()),
            std::cmp::Ordering::Equal => {
                out.push((a.0, a.1 + b.1));
                left.next();
                right.next();
            }
        }
    }
    out.extend(left);
    out.extend(right);
    out
}

/// Buckets are ordered as their values are; negative values mirror positive ones below them.
fn bucket_of(value: i64) -> i32 {
    let size = value.unsigned_abs();
    let bucket = if size < LINEAR {
        size as i32
    } else {
        let shift = 63 - size.leading_zeros() - SUB_BITS;
        ((shift as i32) << SUB_BITS) + (size >> shift) as i32
    };
    if value < 0 { -bucket } else { bucket }
}

fn middle_of(bucket: i32) -> i64 {
    let size = bucket.unsigned_abs();
    let middle = if u64::from(size) < LINEAR {
        u64::from(size)
    } else {
        let shift = (size >> SUB_BITS) - 1;
        let lower = u64::from(size - (shift << SUB_BITS)) << shift;
        lower + ((1_u64 << shift) >> 1)
    };
    let middle = i64::try_from(middle).unwrap_or(i64::MAX);
    if bucket < 0 { -middle } else { middle }
}
