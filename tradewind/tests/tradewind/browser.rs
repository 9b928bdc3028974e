//! As much of a browser as forms need.

use std::collections::BTreeMap;

use crate::process::http;

/// As much of a browser as forms need: cookies, and redirects that are followed.
pub(crate) struct Browser<'shop> {
    base_url: &'shop str,
    cookies: BTreeMap<String, String>,
}

/// What is shown in the end.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Shown {
    /// The value of a hidden field.
    pub(crate) fn value(&self, name: &str) -> String {
        let field = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        field.split('"').next().unwrap().to_owned()
    }

    /// The value of a field that one types into.
    pub(crate) fn value_of_field(&self, name: &str) -> String {
        let field = self.text.split(&format!("<input id=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        field.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    /// The hidden fields of the form that is sent to this path.
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let form = self.text.split(&format!("action=\"{action}\"")).nth(1).unwrap_or_else(|| panic!("no form for {action}: {}", self.text));
        let form = form.split("</form>").next().unwrap();
        let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
        fields.map(|field| field.split('"')).map(|mut words| (words.next().unwrap().to_owned(), words.nth(1).unwrap().to_owned())).collect()
    }
}

impl<'shop> Browser<'shop> {
    /// A browser that was nowhere yet.
    pub(crate) fn at(base_url: &'shop str) -> Self {
        Self { base_url, cookies: BTreeMap::new() }
    }

    /// The value of a cookie.
    #[track_caller]
    pub(crate) fn cookie(&self, name: &str) -> &str {
        self.cookies.get(name).unwrap_or_else(|| panic!("no cookie {name} among {:?}", self.cookies.keys()))
    }

    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        self.go(path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Shown {
        self.go(path, Some(form)).await
    }

    async fn go(&mut self, path: &str, mut form: Option<&[(&str, &str)]>) -> Shown {
        let mut path = path.to_owned();
        loop {
            let url = format!("{}{path}", self.base_url);
            let request = form.take().map_or_else(|| http().get(&url), |form| http().post(&url).header("sec-fetch-site", "same-origin").form(form));
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let answer = request.header("cookie", cookies).send().await.unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let status = answer.status().as_u16();
            match answer.headers().get("location").filter(|_| (300..400).contains(&status)) {
                Some(location) => path = location.to_str().unwrap().trim_start_matches(self.base_url).split('#').next().unwrap().to_owned(),
                None => return Shown { status, path, text: answer.text().await.unwrap() },
            }
        }
    }
}
