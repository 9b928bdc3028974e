//! As much of reading a page as forms and links need. The pages are our own: no more of HTML is understood than they use.

/// The values of an attribute that begins with `start`, in the order of the page, each once.
pub(super) fn links(page: &str, attribute: &str, start: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let opening = format!("{attribute}=\"");
    for value in page.split(opening.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).filter(|value| value.starts_with(start)) {
        let value = unescaped(value.split('#').next().unwrap_or_default());
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// The files a page is made of, below `start`.
pub(super) fn own_files(page: &str, start: &str) -> Vec<String> {
    let mut files = links(page, "href", start);
    files.extend(links(page, "src", start));
    files
}

/// The form that is sent to `action`.
pub(super) fn form<'page>(page: &'page str, action: &str) -> Option<&'page str> {
    let forms = page.split("<form").skip(1).filter_map(|form| form.split("</form>").next());
    forms.into_iter().find(|form| form.split('>').next().is_some_and(|tag| attribute(tag, "action") == Some(action.to_owned())))
}

/// The fields that a form sends as it stands: what is hidden, and what is chosen.
pub(super) fn fields(form: &str) -> Vec<(String, String)> {
    let inputs = form.split("<input").skip(1).filter_map(|input| input.split('>').next());
    let standing = inputs.filter(|input| {
        let kind = attribute(input, "type").unwrap_or_default();
        kind == "hidden" || (["radio", "checkbox"].contains(&kind.as_str()) && input.split_whitespace().any(|word| word == "checked"))
    });
    standing.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_else(|| "on".to_owned())))).collect()
}

/// The first value that a list of a form offers.
pub(super) fn first_option(form: &str, name: &str) -> Option<String> {
    let lists = form.split("<select").skip(1).filter_map(|list| list.split("</select>").next());
    let list = lists.into_iter().find(|list| list.split('>').next().is_some_and(|tag| attribute(tag, "name").as_deref() == Some(name)))?;
    attribute(list.split("<option").nth(1)?.split('>').next()?, "value")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let opening = format!(" {name}=\"");
    tag.split_once(opening.as_str())?.1.split('"').next().map(unescaped)
}

/// What the templates escape.
fn unescaped(text: &str) -> String {
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&#x2f;", "/"), ("&amp;", "&")];
    known.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r##"<link rel="stylesheet" href="/static/a.css"><a href="/products/a-b">A</a><a href="/products/a-b#x">A</a><a href="&#x2f;products&#x2f;c">C</a>
        <form method="get" action="/search"><input type="hidden" name="no" value="0"></form>
        <form class="buy" method="post" action="/cart/lines"><input type="hidden" name="product" value="a-b"><input id="x" type="radio" name="option.Size" value="M&amp;L" checked>
        <input type="radio" name="option.Size" value="S"><input type="checkbox" name="tick" checked><input name="typed" value="later">
        <select id="c" name="country"><option value="DE" selected>D</option><option value="AT">A</option></select></form>"##;

    #[test]
    fn a_form_is_read_as_a_browser_would_send_it() {
        let form = form(PAGE, "/cart/lines").unwrap_or_default();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields(form), [pair("product", "a-b"), pair("option.Size", "M&L"), pair("tick", "on")]);
        assert_eq!((first_option(form, "country").as_deref(), first_option(form, "region")), (Some("DE"), None));
    }

    #[test]
    fn links_are_found_once_and_without_their_fragment() {
        assert_eq!(links(PAGE, "href", "/products/"), ["/products/a-b"]);
        assert_eq!(own_files(PAGE, "/static/"), ["/static/a.css"]);
    }
}
