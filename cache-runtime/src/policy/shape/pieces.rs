//! The text of a shape: `user:<int>`.

/// A piece of a shape.
pub(super) enum Piece<'a> {
    Text(&'a str),
    Kind(&'a str),
}

/// The pieces of a shape; `<<` is a literal `<`.
pub(super) struct Pieces<'a>(pub(super) &'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let Self(rest) = self;
        let (piece, tail) = if let Some(tail) = rest.strip_prefix("<<") {
            (Piece::Text("<"), tail)
        } else if let Some(tail) = rest.strip_prefix('<') {
            let (kind, tail) = tail.split_once('>').unwrap_or((tail, ""));
            (Piece::Kind(kind), tail)
        } else if rest.is_empty() {
            return None;
        } else {
            let (text, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            (Piece::Text(text), tail)
        };
        *rest = tail;
        Some(piece)
    }
}
