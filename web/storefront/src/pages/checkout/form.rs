//! What the shopper types: kept as typed, checked, and turned into the completion of a cart.

use std::collections::BTreeMap;

use catalog_api::ChannelAnswer;
use checkout_api::CompleteCart;
use kernel::{Country, Money, Problem, Token};
use orders_api::{Address, OrderAnswer};
use payments_api::{PaymentChoice, PaymentMethod};
use serde::Serialize;

use crate::fields::Fields;
use crate::messages::Tongue;

/// The fields of an address.
const ADDRESS: [&str; 9] = ["country", "name", "company", "street", "extra", "postcode", "city", "region", "phone"];
/// The fields around the addresses.
const OTHERS: [&str; 3] = ["email", "payment", "test_card"];
/// What stands before the names of the billing address's fields.
const BILLING: &str = "billing_";

/// Postcodes that are digits only: the country, how many, an example.
const POSTCODES: [(&str, usize, &str); 17] = [
    ("AT", 4, "1070"),
    ("BE", 4, "1000"),
    ("CH", 4, "8001"),
    ("DE", 5, "10115"),
    ("DK", 4, "2100"),
    ("EE", 5, "10111"),
    ("ES", 5, "28013"),
    ("FI", 5, "00100"),
    ("FR", 5, "75011"),
    ("HR", 5, "10000"),
    ("HU", 4, "1051"),
    ("IT", 5, "39100"),
    ("LI", 4, "9490"),
    ("LU", 4, "1855"),
    ("NO", 4, "0150"),
    ("SI", 4, "1000"),
    ("US", 5, "94103"),
];

/// The form as it was typed, and what is wrong with it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CheckoutForm {
    /// Makes sending it twice harmless.
    pub(crate) key: String,
    /// Every field by its name, empty if it was not sent.
    pub(crate) values: BTreeMap<String, String>,
    /// What is wrong with a field, in words; empty for those that are right.
    pub(crate) errors: BTreeMap<String, String>,
    /// The fields to mend, in the order of the page.
    pub(crate) summary: Vec<SummaryView>,
    /// Whether the bill goes where the parcel goes.
    pub(crate) is_billed_there: bool,
    #[serde(skip)]
    expected_total: Option<Money>,
}

/// A field to mend.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SummaryView {
    pub(crate) field: String,
    pub(crate) name: String,
}

/// What is wrong with the fields, by their names.
pub(crate) type FieldErrors = BTreeMap<String, FieldError>;

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldError {
    /// It is empty, or not of the form its hint asks for.
    Unfit,
    /// The country's postcodes have another form.
    Postcode { digits: usize, example: &'static str },
}

impl CheckoutForm {
    /// The form nobody has typed into yet.
    pub(crate) fn blank(channel: &ChannelAnswer, methods: &[PaymentMethod]) -> Self {
        let mut form = Self { key: new_key(), is_billed_there: true, ..Self::with_values(|_| String::new()) };
        if let Some(country) = channel.countries.first() {
            form.set("country", country.code());
            form.set("billing_country", country.code());
        }
        if let Some(method) = methods.first() {
            form.set("payment", &method.provider);
        }
        form
    }

    /// The form as it was sent.
    pub(crate) fn of(fields: &Fields) -> Self {
        let key = Some(fields.text("key")).filter(|key| (16..=100).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
        let amount = fields.text("expected_amount").parse().ok();
        let currency = fields.text("expected_currency").parse().ok();
        Self {
            key: key.map_or_else(new_key, ToOwned::to_owned),
            is_billed_there: fields.has("billed_there"),
            expected_total: amount.zip(currency).map(|(amount, currency)| Money::new(amount, currency)),
            ..Self::with_values(|name| fields.text(name).to_owned())
        }
    }

    /// The form as it was typed for an order whose payment came to nothing.
    pub(crate) fn from_order(order: &OrderAnswer) -> Self {
        let mut form = Self { is_billed_there: order.billing_address == order.shipping_address, ..Self::with_values(|_| String::new()) };
        form.set("email", &order.email);
        form.set_address("", &order.shipping_address);
        form.set_address(BILLING, &order.billing_address);
        form.set("payment", order.payment_provider.as_deref().unwrap_or_default());
        form
    }

    /// The same with a key of its own: another try is another request.
    pub(crate) fn renewed(self) -> Self {
        Self { key: new_key(), ..self }
    }

    /// The same with what is wrong.
    pub(crate) fn with_errors(mut self, errors: FieldErrors, tongue: &Tongue) -> Self {
        let wrong = names().filter(|field| errors.contains_key(field));
        self.summary = wrong.map(|field| SummaryView { name: name(&field, tongue), field }).collect();
        let words = errors.into_iter().map(|(field, error)| (error.words(&field, tongue), field));
        self.errors.extend(words.map(|(words, field)| (field, words)));
        self
    }

    /// The same with what the API found wrong, and whether any of it can be mended here.
    pub(crate) fn mended(self, problem: &Problem, tongue: &Tongue) -> (Self, bool) {
        let errors: FieldErrors = problem.errors().iter().filter_map(|error| Some((field_of(&error.pointer)?, FieldError::Unfit))).collect();
        let is_mendable = !errors.is_empty();
        (self.with_errors(errors, tongue), is_mendable)
    }

    /// What to send to the API.
    ///
    /// # Errors
    /// What is wrong, field by field.
    pub(crate) fn command(&self, return_path: &str) -> Result<CompleteCart, FieldErrors> {
        let mut errors = FieldErrors::new();
        let email = self.value("email");
        if !email.contains('@') || email.contains(char::is_whitespace) {
            errors.insert("email".to_owned(), FieldError::Unfit);
        }
        let shipping_address = self.address("", &mut errors);
        let billing_address = if self.is_billed_there { None } else { self.address(BILLING, &mut errors) };
        let provider = self.value("payment");
        if provider.is_empty() {
            errors.insert("payment".to_owned(), FieldError::Unfit);
        }
        match (shipping_address, self.expected_total) {
            (Some(shipping_address), Some(expected_total)) if errors.is_empty() => Ok(CompleteCart {
                email: email.to_owned(),
                shipping_address,
                billing_address,
                payment: PaymentChoice { provider: provider.to_owned(), test_card: self.filled("test_card") },
                expected_total,
                return_url: Some(return_path.to_owned()),
            }),
            _ => Err(errors),
        }
    }

    fn address(&self, prefix: &str, errors: &mut FieldErrors) -> Option<Address> {
        let field = |name: &str| format!("{prefix}{name}");
        for required in ["name", "street", "city"] {
            if self.value(&field(required)).is_empty() {
                errors.insert(field(required), FieldError::Unfit);
            }
        }
        let country: Option<Country> = self.value(&field("country")).parse().ok();
        if country.is_none() {
            errors.insert(field("country"), FieldError::Unfit);
        }
        let postcode = self.value(&field("postcode"));
        if let Some(reason) = country.and_then(|country| postcode_problem(country, postcode)) {
            errors.insert(field("postcode"), reason);
        }
        let text = |name: &str| self.value(&field(name)).to_owned();
        let optional = |name: &str| self.filled(&field(name));
        Some(Address {
            name: text("name"),
            company: optional("company"),
            street: text("street"),
            extra: optional("extra"),
            postcode: text("postcode"),
            city: text("city"),
            region: optional("region"),
            country: country?,
            phone: optional("phone"),
        })
    }

    fn with_values(value: impl Fn(&str) -> String) -> Self {
        let values = names().map(|field| (field.clone(), value(&field))).collect();
        let errors = names().map(|field| (field, String::new())).collect();
        Self { values, errors, ..Self::default() }
    }

    fn value(&self, field: &str) -> &str {
        self.values.get(field).map(String::as_str).unwrap_or_default()
    }

    fn filled(&self, field: &str) -> Option<String> {
        Some(self.value(field)).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    }

    fn set(&mut self, field: &str, value: &str) {
        self.values.insert(field.to_owned(), value.to_owned());
    }

    fn set_address(&mut self, prefix: &str, address: &Address) {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        for (name, value) in [
            ("name", address.name.clone()),
            ("company", optional(&address.company)),
            ("street", address.street.clone()),
            ("extra", optional(&address.extra)),
            ("postcode", address.postcode.clone()),
            ("city", address.city.clone()),
            ("region", optional(&address.region)),
            ("country", address.country.to_string()),
            ("phone", optional(&address.phone)),
        ] {
            self.set(&format!("{prefix}{name}"), &value);
        }
    }
}

impl FieldError {
    /// What would be right in the field.
    fn words(self, field: &str, tongue: &Tongue) -> String {
        match self {
            Self::Unfit => tongue.find(&format!("hint-{}", plain(field))).unwrap_or_else(|| tongue.text("hint-other")),
            Self::Postcode { digits, example } => tongue.with("hint-postcode", [("digits", digits.into()), ("example", example.into())]),
        }
    }
}

/// Every field, in the order of the page.
fn names() -> impl Iterator<Item = String> {
    let (email, rest) = (OTHERS.iter().take(1), OTHERS.iter().skip(1));
    let billing = ADDRESS.iter().map(|field| format!("{BILLING}{field}"));
    email.chain(&ADDRESS).chain(rest).map(|field| (*field).to_owned()).chain(billing)
}

/// How the summary of errors calls a field.
fn name(field: &str, tongue: &Tongue) -> String {
    let name = tongue.text(&format!("field-{}", plain(field)));
    if field.starts_with(BILLING) { tongue.with("field-of-billing", [("name", name.into())]) } else { name }
}

/// A field's name without that of its address.
fn plain(field: &str) -> &str {
    field.strip_prefix(BILLING).unwrap_or(field)
}

/// The field of the form that a pointer of the API's means.
fn field_of(pointer: &str) -> Option<String> {
    let field = match pointer.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["email"] => "email".to_owned(),
        ["shipping_address", field] => (*field).to_owned(),
        ["billing_address", field] => format!("{BILLING}{field}"),
        ["payment", "test_card"] => "test_card".to_owned(),
        ["payment", ..] => "payment".to_owned(),
        _ => return None,
    };
    names().any(|known| known == field).then_some(field)
}

/// Why a text is no postcode of a country, where we know what its postcodes look like.
fn postcode_problem(country: Country, postcode: &str) -> Option<FieldError> {
    let (_, digits, example) = *POSTCODES.iter().find(|(code, ..)| *code == country.code())?;
    let is_right = postcode.len() == digits && postcode.bytes().all(|byte| byte.is_ascii_digit());
    // Americans may add four more digits.
    let is_longer = country.code() == "US" && postcode.split_once('-').is_some_and(|(zip, more)| zip.len() == 5 && more.len() == 4);
    (!is_right && !is_longer).then_some(FieldError::Postcode { digits, example })
}

fn new_key() -> String {
    Token::generate().reveal()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::messages::Languages;

    fn typed(changes: &[(&str, &str)]) -> CheckoutForm {
        let mut fields: BTreeMap<&str, &str> = [
            ("key", "0123456789abcdef"),
            ("email", " ines@example.com "),
            ("country", "AT"),
            ("name", "Ines Albrecht"),
            ("street", "Lindengasse 14"),
            ("postcode", "1070"),
            ("city", "Wien"),
            ("payment", "manual"),
            ("billed_there", "on"),
            ("expected_amount", "9720"),
            ("expected_currency", "EUR"),
        ]
        .into();
        fields.extend(changes.iter().copied());
        CheckoutForm::of(&fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_whole_form_becomes_a_completion() {
        let command = typed(&[]).command("/checkout/return").unwrap();
        assert_eq!(command.email, "ines@example.com");
        assert_eq!(command.expected_total, Money::new(9720, kernel::Currency::EUR));
        assert_eq!((command.billing_address, command.payment.test_card, command.shipping_address.company), (None, None, None));
    }

    #[test]
    fn every_gap_is_told_at_once_and_in_order() {
        let form = typed(&[("email", "ines"), ("name", " "), ("postcode", "107"), ("payment", "")]);
        let errors = form.command("/checkout/return").unwrap_err();
        let tongue = Languages::load().tongue(&"de".parse().unwrap());
        let form = form.with_errors(errors, &tongue);
        assert_eq!(form.errors.get("postcode").unwrap(), "Postleitzahlen dieses Landes haben vier Ziffern, zum Beispiel 1070.");
        assert_eq!(form.summary.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["email", "name", "postcode", "payment"]);
        assert_eq!(form.values.get("postcode").unwrap(), "107");
    }

    #[test]
    fn another_billing_address_is_asked_for_when_it_is_another() {
        let errors = typed(&[("billing_country", "DE")]).command("/").map(drop);
        assert!(errors.is_ok());
        let mut form = typed(&[("billing_country", "DE"), ("billing_postcode", "1011")]);
        form.is_billed_there = false;
        let errors = form.command("/").unwrap_err();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["billing_city", "billing_name", "billing_postcode", "billing_street"]);
    }

    #[test]
    fn pointers_of_the_api_find_their_fields() {
        for (pointer, field) in
            [("/email", "email"), ("/shipping_address/city", "city"), ("/billing_address/name", "billing_name"), ("/payment/test_card", "test_card")]
        {
            assert_eq!(field_of(pointer).as_deref(), Some(field));
        }
        assert_eq!(field_of("/expected_total"), None);
        assert_eq!(field_of("/shipping_address/moon"), None);
    }

    #[test]
    fn a_new_try_has_a_new_key() {
        let form = typed(&[]);
        assert_eq!(form.key, "0123456789abcdef");
        assert_ne!(form.clone().renewed().key, form.key);
        assert_ne!(typed(&[("key", "short")]).key, "short");
    }

    #[test]
    fn only_known_postcodes_are_judged() {
        assert_eq!(postcode_problem("IE".parse().unwrap(), ""), None);
        assert_eq!(postcode_problem("US".parse().unwrap(), "94103-1234"), None);
        assert!(postcode_problem("DE".parse().unwrap(), "1070").is_some());
    }
}
