//! The value of a measure, in the form in which two of them can be compared.

use std::collections::BTreeMap;
use std::fmt;

use souk_proto::v1;
use souk_proto::v1::metric_value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Number(i64),
    /// By currency; no zeros.
    Money(BTreeMap<String, i64>),
    /// In lowest terms.
    Fraction(i64, i64),
}

impl Value {
    /// A count, unless it is nothing: an answer may leave out what is zero.
    pub(super) fn number(number: i64) -> Option<Self> {
        (number != 0).then_some(Self::Number(number))
    }

    pub(super) fn money(mut amounts: BTreeMap<String, i64>) -> Option<Self> {
        amounts.retain(|_, amount| *amount != 0);
        (!amounts.is_empty()).then_some(Self::Money(amounts))
    }

    pub(super) fn fraction(above: i64, below: i64) -> Option<Self> {
        let divisor = divisor(above.unsigned_abs(), below.unsigned_abs()) as i64;
        (above != 0 && below != 0).then(|| Self::Fraction(above / divisor, below / divisor))
    }

    /// As an answer has it; nothing for a zero or for no value.
    pub(super) fn answered(value: &v1::MetricValue) -> Option<Self> {
        match &value.value {
            Some(metric_value::Value::Integer(number)) => Self::number(*number),
            Some(metric_value::Value::Fraction(fraction)) => Self::fraction(
                fraction.numerator.unwrap_or_default(),
                fraction.denominator.unwrap_or_default(),
            ),
            None => {
                let amount =
                    |money: &v1::Money| (money.currency_code.clone(), money.minor_units.unwrap_or_default());
                Self::money(value.amounts.iter().map(amount).collect())
            }
        }
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { divisor(b, a % b) }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Fraction(above, below) => write!(f, "{above}/{below}"),
            Self::Money(amounts) => {
                let amounts: Vec<_> =
                    amounts.iter().map(|(code, amount)| format!("{amount} {code}")).collect();
                f.write_str(&amounts.join(" + "))
            }
        }
    }
}
