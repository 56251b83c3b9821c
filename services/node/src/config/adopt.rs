//! A users topic that is others': what the configuration says of it, read.

use std::sync::Arc;

use souk_formats::time;
use souk_journal_kafka::{Adoption, Start};
use souk_model::money::Currency;

use super::Adopt;
use crate::form;

/// A key, and what is wanted of it.
pub(super) type Wrong = (&'static str, String);

impl Adopt {
    /// None: nothing is adopted.
    pub(crate) fn adoption(&self) -> Result<Option<Adoption>, Wrong> {
        if self.format.is_empty() {
            return Ok(None);
        }
        let format = form::format(&self.format).map_err(|why| ("adopt.format", why))?;
        let format = match self.currency.as_str() {
            "" => format,
            code => {
                let currency = currency(code).map_err(|why| ("adopt.currency", why))?;
                Arc::new(format.with_currency(currency))
            }
        };
        let partitioner = self.partitioner.parse();
        let partitioner = partitioner.map_err(|why: &str| ("adopt.partitioner", why.to_owned()))?;
        let start = start(&self.start).map_err(|why| ("adopt.start", why))?;
        Ok(Some(Adoption { format, partitioner, start }))
    }
}

/// The currency of amounts that do not say theirs.
pub(super) fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| "wants an ISO 4217 code, as EUR".to_owned())
}

/// Where to begin in a topic.
pub(super) fn start(text: &str) -> Result<Start, String> {
    let start = match text {
        "latest" => Some(Start::Latest),
        "earliest" => Some(Start::Earliest),
        time => time::iso(time).as_ref().and_then(time::of).map(Start::At),
    };
    start.ok_or_else(|| "wants latest, earliest, or a time, as 2026-11-21T09:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopt(format: &str, partitioner: &str, currency: &str, start: &str) -> Adopt {
        let [format, partitioner, currency, start] =
            [format, partitioner, currency, start].map(str::to_owned);
        Adopt { format, partitioner, currency, start }
    }

    #[test]
    fn a_topic_is_adopted_as_it_is_told() {
        assert_eq!(adopt("", "", "", "").adoption(), Ok(None));
        let told = adopt("kartshoppe", "crc32", "EUR", "2026-11-21T09:00:00Z").adoption();
        let told = told.expect("it is lawful").expect("something is adopted");
        assert_eq!((told.start, told.partitioner.name()), (Start::At(1_795_251_600_000), "crc32"));
        for (key, wrong) in [
            ("adopt.format", adopt("nobody", "crc32", "", "latest")),
            ("adopt.partitioner", adopt("commerce", "random", "", "latest")),
            ("adopt.currency", adopt("commerce", "crc32", "euro", "latest")),
            ("adopt.start", adopt("commerce", "crc32", "", "soon")),
        ] {
            assert_eq!(wrong.adoption().expect_err(key).0, key);
        }
    }
}
