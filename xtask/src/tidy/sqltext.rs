//! Enough of SQL's grammar to see which names a statement uses.

/// A word or a sign, in small letters as SQL understands it, with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
    /// As it was written.
    pub(super) written: String,
}

/// The words and signs of some SQL. Comments and texts in single quotes are left out; what stands between dollar signs is code.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '\'' {
            rest.get(1..).and_then(|after| after.find('\'')).map_or(rest.len(), |end| end + 2)
        } else if is_word(first) {
            rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(length);
        let skipped = first.is_whitespace() || first == '\'' || first == '"' || first == '$' || piece.starts_with("--") || piece.starts_with("/*");
        if !skipped {
            tokens.push(Token { line, text: piece.to_lowercase(), written: piece.to_owned() });
        }
        line += piece.matches('\n').count();
        rest = after;
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The statements, each without its semicolon. One inside a function's body counts as a statement of its own.
pub(super) fn statements(sql: &str) -> Vec<Vec<Token>> {
    tokens(sql).split(|token| token.text == ";").map(<[Token]>::to_vec).filter(|statement| !statement.is_empty()).collect()
}

/// Every `first.second`.
pub(super) fn qualified_names(tokens: &[Token]) -> impl Iterator<Item = (&Token, &Token)> {
    tokens.windows(3).filter_map(|three| match three {
        [first, dot, second] if dot.text == "." && first.text.chars().all(is_word) && second.text.chars().all(is_word) => Some((first, second)),
        _ => None,
    })
}

/// Whether the words stand one after the other somewhere.
pub(super) fn contains(tokens: &[Token], words: &[&str]) -> bool {
    position(tokens, words).is_some()
}

/// Where the words stand one after the other.
pub(super) fn position(tokens: &[Token], words: &[&str]) -> Option<usize> {
    tokens.windows(words.len()).position(|window| window.iter().zip(words).all(|(token, word)| token.text == *word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_comments_and_texts_do_not_count() {
        let tokens = tokens("select a.b from x.y -- no z.z\nwhere c = 'it''s q.q' /* r.r */ and $1 = \"T\".u");
        let names: Vec<String> = qualified_names(&tokens).map(|(first, second)| format!("{}.{}", first.text, second.text)).collect();
        assert_eq!(names, ["a.b", "x.y", "t.u"]);
        assert_eq!(tokens.last().map(|token| token.line), Some(2));
    }

    #[test]
    fn a_functions_body_is_read_too() {
        let statements = statements("create function f() as $$ begin drop table a.b; end $$; select 1;");
        assert!(statements.iter().any(|statement| contains(statement, &["drop", "table"])));
    }
}
