//! Options that the runtime takes as they are: each is a call of the method of its name.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Path;

use crate::attr::duration::Duration;
use crate::attr::setting::{Setting, Settings};
use crate::diagnostics::Reported;

// Output, of `jitter = 0.1, version = 2, budget = "50ms"`:
//     .jitter(0.1).version(2).budget_ms(50)
pub(super) fn settings(args: &impl Settings, runtime: &Path) -> Result<TokenStream, Reported> {
    let settings = args.settings()?;
    Ok(settings.into_iter().map(|(name, value)| setting(name, &value, runtime)).collect())
}

fn setting(name: &str, value: &Setting<'_>, runtime: &Path) -> TokenStream {
    let method = Ident::new(name, Span::call_site());
    match value {
        Setting::Flag => quote!(.#method()),
        Setting::Count(count) => {
            let count = grouped(*count);
            quote!(.#method(#count))
        }
        Setting::Number(number) => {
            let number = Literal::f64_unsuffixed(*number);
            quote!(.#method(#number))
        }
        Setting::Duration(value) => duration(name, value),
        Setting::Codec(codec) => quote!(.#method(#runtime::Codec::#codec)),
    }
}

/// `.name_ms(1_000)` for a literal, `.name(expression)` for the rest.
pub(super) fn duration(name: &str, duration: &Duration) -> TokenStream {
    match duration {
        Duration::Millis(millis) => {
            let name = format_ident!("{name}_ms");
            let millis = grouped(*millis);
            quote!(.#name(#millis))
        }
        Duration::Expr(expr) => {
            let name = format_ident!("{name}");
            quote!(.#name(#expr))
        }
    }
}

/// `3_600_000`
fn grouped(number: u64) -> Literal {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text.parse().unwrap_or_else(|_| Literal::u64_unsuffixed(number))
}
