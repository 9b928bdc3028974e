use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something that happened, told to other services through the outbox. Declared in a contract crate.
///
/// A field may be added to an event; anything else is a new version, which workers that do not know it leave alone.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stable name, `<service>.<PastTense>`, such as `orders.OrderPlaced`.
    const NAME: &'static str;
    /// The shape's version, from 1.
    const VERSION: i32;
}
