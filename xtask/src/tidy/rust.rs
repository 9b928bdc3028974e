//! Enough of Rust's grammar to tell code, comments and strings apart.

/// A piece of text and the line it begins on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A source file taken apart.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The code, with comments and the content of strings left out; lines are kept.
    pub(super) code: String,
    /// The comments.
    pub(super) comments: Vec<Piece>,
    /// The strings' contents, as written.
    pub(super) strings: Vec<Piece>,
}

/// Takes a file apart.
pub(super) fn take_apart(text: &str) -> Source {
    let mut source = Source::default();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = next_piece(rest, source.code.chars().next_back());
        let (piece, after) = rest.split_at(length.max(first.len_utf8()));
        let newlines = piece.matches('\n').count();
        match kind {
            Kind::Code => source.code.push_str(piece),
            Kind::Comment => source.comments.push(Piece { line, text: piece.to_owned() }),
            Kind::Text => {
                source.strings.push(Piece { line, text: inside(piece).to_owned() });
                source.code.push_str("\"\"");
            }
        }
        if kind != Kind::Code {
            source.code.push_str(&"\n".repeat(newlines));
        }
        line += newlines;
        rest = after;
    }
    source
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Text,
}

/// What begins here, and how many bytes it has.
fn next_piece(rest: &str, before: Option<char>) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if rest.starts_with('"') {
        return (Kind::Text, quoted(rest, 1));
    }
    let in_word = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    if !in_word {
        for prefix in ["r", "br", "cr"] {
            let hashes = rest.strip_prefix(prefix).map_or(0, |after| after.chars().take_while(|letter| *letter == '#').count());
            let opening = format!("{prefix}{}\"", "#".repeat(hashes));
            if rest.starts_with(&opening) {
                let closing = format!("\"{}", "#".repeat(hashes));
                let end = rest.get(opening.len()..).and_then(|after| after.find(&closing));
                return (Kind::Text, end.map_or(rest.len(), |end| opening.len() + end + closing.len()));
            }
        }
    }
    if rest.starts_with('\'') {
        return (Kind::Code, char_literal(rest));
    }
    (Kind::Code, 1)
}

/// The length of a string that opens at the start, `from` being past its opening quote.
fn quoted(rest: &str, from: usize) -> usize {
    let mut escaped = false;
    for (index, letter) in rest.char_indices().filter(|(index, _)| *index >= from) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut skip = false;
    let letters: Vec<(usize, char)> = rest.char_indices().collect();
    for pair in letters.windows(2) {
        let &[(_, first), (index, second)] = pair else { continue };
        if skip {
            skip = false;
            continue;
        }
        match (first, second) {
            ('/', '*') => (depth, skip) = (depth + 1, true),
            ('*', '/') if depth == 1 => return index + 1,
            ('*', '/') => (depth, skip) = (depth.saturating_sub(1), true),
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character such as `'"'`, or 1 for the quote of a lifetime.
fn char_literal(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), Some((index, _))) => rest.get(index + 1..).and_then(|after| after.find('\'')).map_or(1, |end| index + 2 + end),
        (Some(_), Some((index, '\''))) => index + 1,
        _ => 1,
    }
}

fn inside(literal: &str) -> &str {
    let start = literal.find('"').map_or(0, |start| start + 1);
    let end = literal.rfind('"').unwrap_or(literal.len());
    literal.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Piece]) -> Vec<(usize, &str)> {
        pieces.iter().map(|piece| (piece.line, piece.text.as_str())).collect()
    }

    #[test]
    fn comments_strings_and_code_are_told_apart() {
        let source = take_apart(
            "let a = \"x // \\\" y\"; // say \"hi\"\nlet b = r#\"raw \"z\"\n\"#; /* a /* b */ c */ fn f<'a>(c: char) { c == '\"' || c == '\\'' }\nlet word_r = 1;",
        );
        assert_eq!(texts(&source.strings), [(1, "x // \\\" y"), (2, "raw \"z\"\n")]);
        assert_eq!(texts(&source.comments), [(1, "// say \"hi\""), (3, "/* a /* b */ c */")]);
        assert!(source.code.contains("fn f<'a>(c: char) { c == '\"' || c == '\\'' }"), "{}", source.code);
        assert_eq!(source.code.lines().count(), 4);
    }

    #[test]
    fn no_text_makes_it_panic_or_loop() {
        for text in ["\"", "r#\"", "/*", "'", "'\\", "//", "é'é'\"é", "/*/"] {
            take_apart(text);
        }
    }
}
