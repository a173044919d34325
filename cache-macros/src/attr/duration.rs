//! `3600`, `"1h 30m"`, or an expression.

use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitInt, UnOp};

/// A duration, as an option gives it.
pub(crate) enum Duration {
    /// A literal, checked here.
    Millis(u64),
    /// Anything else: an expression of type `Duration`.
    Expr(Expr),
}

/// In milliseconds, a thousand years. More than that is a typing error, and near the limits of
/// `PEXPIRE`.
const LONGEST: u64 = 1000 * 365 * 24 * 60 * 60 * 1000;

impl Duration {
    /// Converts literals. `name` is the option, for messages that say what to write.
    pub(crate) fn new(expr: Expr, name: &str) -> syn::Result<Self> {
        let error = |message: String| Err(Error::new_spanned(&expr, message));
        let millis = match &expr {
            Expr::Lit(ExprLit { lit: Lit::Int(seconds), .. }) => of_seconds(seconds, name),
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => of_text(&text.value()),
            Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => Err(format!(
                "a duration is a whole number of seconds, or text such as `{name} = \"1500ms\"`"
            )),
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => {
                Err("a duration cannot be negative".to_owned())
            }
            _ => return Ok(Self::Expr(expr)),
        };
        match millis {
            Err(message) => error(message),
            Ok(0) => {
                error(format!("`{name}` cannot be zero; write how long, as in `{name} = \"90s\"`"))
            }
            Ok(LONGEST..) => error(format!("`{name}` is longer than a thousand years")),
            Ok(millis) => Ok(Self::Millis(millis)),
        }
    }
}

fn of_seconds(seconds: &LitInt, name: &str) -> Result<u64, String> {
    match seconds.suffix() {
        "" => {}
        unit if millis_of(unit).is_some() => {
            return Err(format!("a duration with a unit needs quotes: `{name} = \"{seconds}\"`"));
        }
        _ => {
            return Err(format!("write `{name} = {}`, in seconds", seconds.base10_digits()));
        }
    }
    let seconds: u64 = seconds.base10_parse().unwrap_or(u64::MAX);
    Ok(seconds.saturating_mul(1000))
}

/// `"1h 30m"`
fn of_text(text: &str) -> Result<u64, String> {
    let mut sum: u64 = 0;
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return Err("the duration is empty; write something like `\"1h 30m\"`".to_owned());
    }
    while !rest.is_empty() {
        let (number, tail) = split(rest, |c| c.is_ascii_digit());
        let (unit, tail) = split(tail.trim_start(), char::is_alphabetic);
        let Some(factor) = millis_of(unit).filter(|_| !number.is_empty()) else {
            return Err(match (number, unit) {
                ("", _) => format!("expected a number at `{rest}`, as in `\"1h 30m\"`"),
                (_, "") if tail.is_empty() => {
                    format!("`{number}` lacks a unit; write `\"{number}s\"` for seconds")
                }
                (_, "") => {
                    format!(
                        "`{number}` lacks a unit; a duration is made of whole numbers with units, \
                         as `\"1h 30m\"`"
                    )
                }
                _ => format!("there is no unit `{unit}`; {}", hint(unit)),
            });
        };
        let number: u64 = number.parse().unwrap_or(u64::MAX);
        sum = sum.saturating_add(number.saturating_mul(factor));
        rest = tail.trim_start();
    }
    Ok(sum)
}

fn millis_of(unit: &str) -> Option<u64> {
    const SECOND: u64 = 1000;
    Some(match unit {
        "ms" => 1,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 60 * 60 * SECOND,
        "d" => 24 * 60 * 60 * SECOND,
        "w" => 7 * 24 * 60 * 60 * SECOND,
        _ => return None,
    })
}

/// What to write instead of an unknown unit.
fn hint(unit: &str) -> String {
    let unit = unit.to_lowercase();
    let short = match unit.as_str() {
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "week" | "weeks" => "w",
        "milli" | "millis" | "millisecond" | "milliseconds" => "ms",
        _ => return "there are `ms`, `s`, `m`, `h`, `d` and `w`".to_owned(),
    };
    format!("write `{short}`")
}

/// The longest prefix of `text` whose characters all belong, and the rest.
fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    fn millis(source: &str) -> Result<Option<u64>, String> {
        match Duration::new(parse_str(source).unwrap(), "ttl") {
            Ok(Duration::Millis(millis)) => Ok(Some(millis)),
            Ok(Duration::Expr(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn literals() {
        for (source, expected) in [
            ("1", 1000),
            ("3_600", 3_600_000),
            (r#""250ms""#, 250),
            (r#""90s""#, 90_000),
            (r#""1h 30m""#, 5_400_000),
            (r#""1h30m""#, 5_400_000),
            (r#"" 1 h  30 m ""#, 5_400_000),
            (r#""2d""#, 172_800_000),
            (r#""1w""#, 604_800_000),
        ] {
            assert_eq!(millis(source), Ok(Some(expected)), "{source}");
        }
    }

    #[test]
    fn expressions() {
        for source in ["TTL", "Duration::from_secs(5)", "self.ttl", "60 * 60"] {
            assert_eq!(millis(source), Ok(None), "{source}");
        }
    }

    #[test]
    fn mistakes() {
        for (source, message) in [
            ("0", "cannot be zero"),
            (r#""0s""#, "cannot be zero"),
            ("-1", "negative"),
            ("1.5", "whole number"),
            ("1h", r#"needs quotes: `ttl = "1h"`"#),
            ("60u64", "write `ttl = 60`"),
            (r#""""#, "empty"),
            (r#""60""#, r#"write `"60s"`"#),
            (r#""1.5h""#, "lacks a unit"),
            (r#""h""#, "expected a number at `h`"),
            (r#""5 min""#, "no unit `min`; write `m`"),
            (r#""1 Hour""#, "no unit `Hour`; write `h`"),
            (r#""1y""#, "no unit `y`; there are `ms`"),
            (r#""-5s""#, "expected a number at `-5s`"),
            (r#""1h, 30m""#, "expected a number at `, 30m`"),
            ("99999999999999999999999", "thousand years"),
            (r#""9999999999999999w""#, "thousand years"),
        ] {
            let error = millis(source).unwrap_err();
            assert!(error.contains(message), "{source}: {error}");
        }
    }
}
