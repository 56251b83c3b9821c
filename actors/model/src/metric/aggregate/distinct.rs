//! How many different values: their hashes while there are few, a HyperLogLog beyond.
//!
//! Which form it has depends on the set alone. The estimate is Ertl's (2017): right over the whole range without tables, and made of
//! additions, multiplications and square roots only, which every machine rounds alike.

/// Registers of the sketch: `2^14` give a standard error of 0.81 %.
const PRECISION: u32 = 14;
const REGISTERS: usize = 1 << PRECISION;
/// Bits of a hash that are left to be counted.
const RANK_BITS: usize = 64 - PRECISION as usize;

/// Sorted hashes, or one register per slice of the hash space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distinct {
    Exact(Vec<u64>),
    Sketched(Box<[u8]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Distinct {
    pub fn insert(&mut self, hash: u64, exact_to: usize) {
        match self {
            Self::Exact(hashes) => {
                if let Err(at) = hashes.binary_search(&hash) {
                    hashes.insert(at, hash);
                    self.settle(exact_to);
                }
            }
            Self::Sketched(registers) => observe(registers, hash),
        }
    }

    pub fn merge(&mut self, other: &Self, exact_to: usize) {
        match (&mut *self, other) {
            (Self::Exact(hashes), Self::Exact(more)) => {
                hashes.extend_from_slice(more);
                hashes.sort_unstable();
                hashes.dedup();
                self.settle(exact_to);
            }
            (Self::Sketched(registers), Self::Sketched(more)) => {
                for (register, other) in registers.iter_mut().zip(more.iter()) {
                    *register = (*register).max(*other);
                }
            }
            (Self::Sketched(registers), Self::Exact(hashes)) => {
                for hash in hashes {
                    observe(registers, *hash);
                }
            }
            (Self::Exact(hashes), Self::Sketched(more)) => {
                let mut registers = more.clone();
                for hash in &*hashes {
                    observe(&mut registers, *hash);
                }
                *self = Self::Sketched(registers);
            }
        }
    }

    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(hashes) => hashes.len() as u64,
            Self::Sketched(registers) => estimate(registers),
        }
    }

    pub fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    /// A sketch as it was stored; `None` if it is none of ours.
    pub(crate) fn restored(registers: Vec<u8>) -> Option<Self> {
        let lawful = registers.len() == REGISTERS && registers.iter().all(|rank| usize::from(*rank) <= RANK_BITS + 1);
        lawful.then(|| Self::Sketched(registers.into_boxed_slice()))
    }

    fn settle(&mut self, exact_to: usize) {
        let Self::Exact(hashes) = self else { return };
        if hashes.len() > exact_to {
            let mut registers = vec![0; REGISTERS].into_boxed_slice();
            for hash in hashes {
                observe(&mut registers, *hash);
            }
            *self = Self::Sketched(registers);
        }
    }
}

fn observe(registers: &mut [u8], hash: u64) {
    let register = (hash >> RANK_BITS) as usize;
    // The low bits, with a guard so that a rank never exceeds RANK_BITS + 1.
    let rank = ((hash << PRECISION) | (1 << (PRECISION - 1))).leading_zeros() as u8 + 1;
    registers[register] = registers[register].max(rank);
}

fn estimate(registers: &[u8]) -> u64 {
    const ALPHA_INFINITY: f64 = 0.721_347_520_444_481_7;
    let mut histogram = [0_u32; RANK_BITS + 2];
    for rank in registers {
        histogram[usize::from(*rank)] += 1;
    }
    let m = REGISTERS as f64;
    let mut z = m * tau(1.0 - f64::from(histogram[RANK_BITS + 1]) / m);
    for count in histogram[1..=RANK_BITS].iter().rev() {
        z = 0.5 * (z + f64::from(*count));
    }
    z += m * sigma(f64::from(histogram[0]) / m);
    (ALPHA_INFINITY * m * m / z).round() as u64
}

fn sigma(x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut x, mut y, mut z) = (x, 1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut x, mut y, mut z) = (x, 1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}
