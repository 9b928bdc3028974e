//! How often somebody may do something, counted by all processes together, or by each for itself while Redis is away.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::Clock;
use metrics::counter;

use crate::Shared;

/// In what time a rate may be used up at once.
const WINDOW: Duration = Duration::from_secs(60);
/// How many subjects are counted at once; of more, those not seen for longest begin anew.
const MOST: u64 = 100_000;

/// The generic cell rate algorithm (a leaky bucket without a process that empties it), by Redis's clock: what is kept is the moment at which
/// the bucket will be empty. Answers for how many milliseconds to wait.
const TAKE: &str = "local now = redis.call('TIME') now = now[1] * 1000000 + now[2] \
     local empty = tonumber(redis.call('GET', KEYS[1]) or '0') if empty < now then empty = now end \
     empty = empty + tonumber(ARGV[1]) local over = empty - now - tonumber(ARGV[2]) \
     if over > 0 then return math.ceil(over / 1000) end \
     redis.call('SET', KEYS[1], string.format('%.0f', empty), 'PX', math.ceil((empty - now) / 1000)) return 0";

/// How often one subject may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What it is, in keys and metrics.
    pub name: &'static str,
    /// How often in a minute; all of it may be used at once. 0 is no limit.
    pub per_minute: u32,
}

/// Somebody has done something too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// How long to wait.
    pub wait: Duration,
}

/// Counts who does what how often. Cheap to clone; clones share the counts.
#[derive(Clone)]
pub struct Limits {
    clock: Clock,
    shared: Option<Shared>,
    /// When each bucket will be empty, in microseconds since 1970.
    here: moka::sync::Cache<Box<str>, Arc<AtomicI64>>,
}

impl Limits {
    pub(crate) fn new(clock: Clock, shared: Option<Shared>) -> Self {
        let here = moka::sync::Cache::builder().max_capacity(MOST).time_to_idle(WINDOW.saturating_mul(2)).build();
        Self { clock, shared, here }
    }

    /// Counts one more time.
    ///
    /// # Errors
    /// It is one too many; it is not counted then.
    pub async fn take(&self, rate: Rate, subject: &str) -> Result<(), TooOften> {
        let Some(each) = i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX).checked_div(i64::from(rate.per_minute)) else { return Ok(()) };
        let wait_ms = match self.take_shared(rate, subject, each).await {
            Some(wait_ms) => wait_ms,
            None => self.take_here(rate, subject, each),
        };
        if wait_ms == 0 {
            return Ok(());
        }
        counter!("limits_exceeded_total", "limit" => rate.name).increment(1);
        Err(TooOften { wait: Duration::from_millis(wait_ms) })
    }

    async fn take_shared(&self, rate: Rate, subject: &str, each: i64) -> Option<u64> {
        let shared = self.shared.as_ref()?;
        let window = u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("EVAL");
        command.arg(TAKE).arg(1).arg(shared.key(&format!("limit:{}:{subject}", rate.name))).arg(each).arg(window);
        shared.call("limit", &command).await
    }

    fn take_here(&self, rate: Rate, subject: &str, each: i64) -> u64 {
        let bucket = self.here.get_with(format!("{}:{subject}", rate.name).into(), Arc::default);
        let now = self.clock.now().timestamp_micros();
        let window = i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX);
        let fuller = |empty: i64| empty.max(now).saturating_add(each);
        let over = |empty: i64| fuller(empty).saturating_sub(now).saturating_sub(window);
        match bucket.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |empty| (over(empty) <= 0).then(|| fuller(empty))) {
            Ok(_) => 0,
            Err(empty) => u64::try_from(over(empty)).unwrap_or(0).div_ceil(1_000),
        }
    }
}

/// Whom an address is counted as; of IPv6 the part a household or office has for itself (/64). Nobody for an address of the machine itself,
/// which is a tool's, or a proxy's that tells nobody's.
#[must_use]
pub fn subject_of(address: IpAddr) -> Option<String> {
    let address = address.to_canonical();
    if address.is_loopback() || address.is_unspecified() {
        return None;
    }
    Some(match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use chrono::TimeDelta;

    use super::*;

    const RATE: Rate = Rate { name: "test", per_minute: 6 };

    #[tokio::test]
    async fn a_rate_may_be_used_at_once_and_comes_back_bit_by_bit() {
        let clock = Clock::frozen(kernel::Timestamp::UNIX_EPOCH);
        let limits = Limits::new(clock.clone(), None);
        for _ in 0..6 {
            limits.take(RATE, "a").await.unwrap();
        }
        assert_eq!(limits.take(RATE, "a").await, Err(TooOften { wait: Duration::from_secs(10) }));
        limits.take(RATE, "b").await.unwrap();
        limits.take(Rate { name: "other", ..RATE }, "a").await.unwrap();
        clock.advance(TimeDelta::seconds(10));
        limits.take(RATE, "a").await.unwrap();
        limits.take(RATE, "a").await.unwrap_err();
    }

    #[tokio::test]
    async fn nothing_is_no_limit() {
        let limits = Limits::new(Clock::system(), None);
        for _ in 0..1_000 {
            limits.take(Rate { per_minute: 0, ..RATE }, "a").await.unwrap();
        }
    }

    #[test]
    fn a_household_is_one_subject_and_the_machine_itself_is_none() {
        let of = |text: &str| subject_of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        assert_eq!(of("::ffff:192.0.2.7").as_deref(), Some("192.0.2.7"));
        for own in ["127.0.0.1", "127.8.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
            assert_eq!(of(own), None, "{own}");
        }
    }
}
