//! Tables as files for spreadsheets: page after page of a list as it comes, up to a bound, and no cell that a spreadsheet would reckon with.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header;
use kernel::{Page, Problem};

/// The most rows a file has. Whoever needs more narrows the list, or asks the API.
pub(crate) const MOST_ROWS: usize = 10_000;

/// A line of cells.
pub(crate) fn line(cells: &[String]) -> String {
    let mut line = cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// A cell as text. One that begins like a formula begins with an apostrophe: what a shopper typed as a name must not run in a spreadsheet.
fn cell(text: &str) -> String {
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) || text.starts_with(['\t', '\r', '\n']);
    let safe = if is_formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', ';', '"', '\n', '\r', '\t']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// Answers a file of `head`, the rows of the page that is there, and those of the pages that `more` brings for each cursor.
///
/// A page that does not come breaks the answer off, so that nobody takes half a file for a whole one. At the bound, the last line says so.
pub(crate) fn download<T, M, F>(name: &str, head: &[&str], first: Page<T>, row: fn(&T) -> Vec<String>, more: M) -> Response
where
    T: Send + 'static,
    M: FnMut(String) -> F + Send + 'static,
    F: Future<Output = Result<Page<T>, Problem>> + Send + 'static,
{
    // The mark tells spreadsheets that the text is UTF-8.
    let head: Vec<String> = head.iter().map(|text| (*text).to_owned()).collect();
    let begin = format!("\u{feff}{}", line(&head));
    let body = Body::from_stream(pages(begin, first, row, more));
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\""))];
    (headers, body).into_response()
}

/// What is still to be written.
struct Rest<T, M> {
    begin: String,
    page: Option<Page<T>>,
    written: usize,
    more: M,
}

fn pages<T, M, F>(begin: String, first: Page<T>, row: fn(&T) -> Vec<String>, more: M) -> impl Stream<Item = Result<Bytes, Problem>> + Send + 'static
where
    T: Send + 'static,
    M: FnMut(String) -> F + Send + 'static,
    F: Future<Output = Result<Page<T>, Problem>> + Send + 'static,
{
    stream::try_unfold(Rest { begin, page: Some(first), written: 0, more }, move |mut rest| async move {
        let Some(page) = rest.page.take() else { return Ok(None) };
        let mut text = std::mem::take(&mut rest.begin);
        for item in page.items.iter().take(MOST_ROWS.saturating_sub(rest.written)) {
            text.push_str(&line(&row(item)));
        }
        rest.written = rest.written.saturating_add(page.items.len());
        if rest.written >= MOST_ROWS && (page.next.is_some() || rest.written > MOST_ROWS) {
            text.push_str(&line(&[format!("There is more: a file ends after {MOST_ROWS} rows. Narrow the list to get the rest.")]));
        } else if let Some(next) = page.next {
            rest.page = Some((rest.more)(next).await?);
        }
        Ok(Some((Bytes::from(text), rest)))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula_and_none_breaks_out_of_its_place(text: String) {
            let written = cell(&text);
            let shown = written.strip_prefix('"').unwrap_or(&written);
            prop_assert!(!shown.trim_start_matches(' ').starts_with(['=', '+', '-', '@']), "{}", written);
            let is_quoted = written.len() >= 2 && written.starts_with('"') && written.ends_with('"');
            if is_quoted {
                let inside = written.get(1..written.len() - 1).unwrap();
                prop_assert!(!inside.replace("\"\"", "").contains('"'));
            } else {
                prop_assert!(!written.contains([',', '"', '\n', '\r']));
            }
        }
    }

    #[test]
    fn what_a_spreadsheet_would_reckon_with_is_text() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell(" +49 30"), "' +49 30");
        assert_eq!(cell("@SUM(1,2)"), "\"'@SUM(1,2)\"");
        assert_eq!(cell("Brandt, \"Hanna\""), "\"Brandt, \"\"Hanna\"\"\"");
        assert_eq!(cell("62.90"), "62.90");
        assert_eq!(line(&["a".to_owned(), String::new()]), "a,\r\n");
    }

    async fn written(response: Response) -> Result<String, axum::Error> {
        Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec()).unwrap())
    }

    fn row(number: &usize) -> Vec<String> {
        vec![number.to_string()]
    }

    #[tokio::test]
    async fn every_page_is_written_once_and_in_order() {
        let first = Page { items: vec![1, 2], next: Some("a".to_owned()) };
        let response = download("numbers", &["Number"], first, row, |after| async move {
            Ok(Page { items: vec![if after == "a" { 3 } else { 4 }], next: (after == "a").then(|| "b".to_owned()) })
        });
        assert_eq!(response.headers().get(header::CONTENT_DISPOSITION).unwrap(), "attachment; filename=\"numbers.csv\"");
        assert_eq!(written(response).await.unwrap(), "\u{feff}Number\r\n1\r\n2\r\n3\r\n4\r\n");
    }

    #[tokio::test]
    async fn a_file_ends_at_its_bound_and_says_so() {
        let page = || Page { items: (0..100).collect::<Vec<usize>>(), next: Some("on".to_owned()) };
        let text = written(download("numbers", &["Number"], page(), row, move |_| async move { Ok(page()) })).await.unwrap();
        assert_eq!(text.lines().count(), 1 + MOST_ROWS + 1);
        assert!(text.ends_with("There is more: a file ends after 10000 rows. Narrow the list to get the rest.\r\n"));
    }

    #[tokio::test]
    async fn a_page_that_does_not_come_breaks_the_file_off() {
        let first = Page { items: vec![1], next: Some("a".to_owned()) };
        let response = download("numbers", &["Number"], first, row, |_| async { Err(Problem::unavailable(1)) });
        assert!(written(response).await.is_err());
    }
}
