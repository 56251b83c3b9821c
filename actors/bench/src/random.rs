//! Seeded numbers for the measurements: uniform and Zipf.

/// SplitMix64: small, seeded, good enough to spread keys.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Which of `n` keys comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    Uniform,
    /// Exponent 1: the k-th key comes in proportion to 1/k.
    Zipf,
}

impl Keys {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Zipf => "zipf 1.0",
        }
    }

    pub(crate) fn pick(self, random: &mut Random, n: u64) -> u64 {
        match self {
            Self::Uniform => random.below(n),
            // Inverse of the continuous 1/x distribution over 1..n+1: within a few per cent of Zipf, at no table's cost.
            Self::Zipf => (((n + 1) as f64).powf(random.unit()) as u64 - 1).min(n - 1),
        }
    }
}
