//! Money: integer minor units of one currency. No floats, nothing added across currencies.

use crate::verdict::{Reason, Refusal};

/// The largest amount one line, order or transaction may carry, in minor units (ten thousand million of most currencies' main
/// units): far above any shop's order, and a 64-bit sum still holds nine million of them.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// A currency of ISO 4217, as its place in [`CODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

/// Active ISO 4217 codes, sorted. A code's place is representation only: state and records carry the three letters.
const CODES: [&str; 156] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP",
    "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD",
    "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK",
    "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP",
    "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD",
    "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF",
    "XPF", "YER", "ZAR", "ZMW", "ZWG", "XTS",
];

/// The codes as numbers, in the same order: every amount has one looked up, and numbers are compared at once.
const NUMBERS: [u32; CODES.len()] = {
    let mut numbers = [0; CODES.len()];
    let mut place = 0;
    while place < CODES.len() {
        numbers[place] = number_of(CODES[place].as_bytes());
        place += 1;
    }
    numbers
};

const fn number_of(code: &[u8]) -> u32 {
    u32::from_be_bytes([0, code[0], code[1], code[2]])
}

impl Currency {
    /// The currency of an ISO 4217 code.
    pub fn parse(code: &str) -> Option<Self> {
        let number = number_of(code.as_bytes().first_chunk::<3>().filter(|_| code.len() == 3)?);
        let (last, sorted) = NUMBERS.split_last()?;
        let place = match sorted.binary_search(&number) {
            Ok(place) => place,
            Err(_) if number == *last => sorted.len(),
            Err(_) => return None,
        };
        Some(Self(place as u8))
    }

    /// Its three letters.
    pub fn code(self) -> &'static str {
        CODES[usize::from(self.0)]
    }

    /// Digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD. ISO 4217.
    pub fn exponent(self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

/// An amount of one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub currency: Currency,
    pub minor: i64,
}

impl Money {
    pub fn to_proto(self) -> souk_proto::v1::Money {
        souk_proto::v1::Money {
            currency_code: self.currency.code().to_owned(),
            minor_units: Some(self.minor),
        }
    }

    /// Reads a money field of a record: present, a known currency, `0 ..= MAX_AMOUNT`.
    pub fn read(field: &str, money: Option<&souk_proto::v1::Money>) -> Result<Self, Refusal> {
        let Some(money) = money else { return Err(Refusal::missing(field, "give the amount")) };
        let currency = Currency::parse(&money.currency_code).ok_or_else(|| {
            Refusal::new(
                Reason::CurrencyUnknown,
                format!("{field}.currency_code"),
                "use an ISO 4217 code, such as EUR",
            )
        })?;
        match money.minor_units {
            None => Err(Refusal::missing(format!("{field}.minor_units"), "give the amount in minor units")),
            Some(minor) if !(0..=MAX_AMOUNT).contains(&minor) => Err(Refusal::new(
                Reason::ValueOutOfRange,
                format!("{field}.minor_units"),
                format!("must be 0 to {MAX_AMOUNT}"),
            )),
            Some(minor) => Ok(Self { currency, minor }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_parses_to_itself() {
        for code in CODES {
            assert_eq!(Currency::parse(code).map(Currency::code), Some(code));
        }
        assert_eq!(Currency::parse("eur"), None);
        assert_eq!(Currency::parse("XXX"), None);
    }
}
