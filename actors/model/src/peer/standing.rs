//! Where a shard stands.

use souk_proto::internal::v1 as internal;

use crate::time::Now;

impl Now {
    pub fn to_peer(&self) -> internal::Standing {
        internal::Standing {
            offset: self.offset,
            log_time_ms: self.log_time,
            high_water_ms: self.high_water,
            watermark_ms: self.watermark,
            out_of_reach_ms: self.out_of_reach,
        }
    }

    pub fn from_peer(standing: &internal::Standing) -> Self {
        Self {
            offset: standing.offset,
            log_time: standing.log_time_ms,
            high_water: standing.high_water_ms,
            watermark: standing.watermark_ms,
            out_of_reach: standing.out_of_reach_ms,
        }
    }
}
