//! The rules of a queue trigger: what host.json may say, and what holds where it says nothing.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;

/// The rules. Times may be changed by a test that cannot wait so long; the queue counts in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Messages that are taken at once, 32 at most.
    pub batch_size: u32,
    /// More are taken when no more than so many are under way.
    pub new_batch_threshold: u32,
    /// The pause after a look that found nothing, doubled by each that follows.
    pub min_polling_interval: Duration,
    /// The longest such pause.
    pub max_polling_interval: Duration,
    /// How long a message that failed is hidden before its next try.
    pub visibility_timeout: Duration,
    /// Tries of a message before it is put into the poison queue.
    pub max_dequeue_count: i64,
    /// Whether messages are base64; else they are taken as they are.
    pub base64: bool,
    /// How long an invocation may take.
    pub function_timeout: Duration,
    /// How long a taken message is hidden from others. It is renewed at its half.
    pub lock: Duration,
    /// Between the time-out of an invocation and the end of the process.
    pub grace: Duration,
    /// The end of the process by itself that ends the host: the third.
    pub crashes: u32,
}

impl Rules {
    /// What holds on a machine with so many cores where host.json says nothing (`QueuesOptions`, and the defaults of Flex
    /// Consumption).
    pub fn default_on(cores: u32) -> Self {
        Self {
            batch_size: 16,
            new_batch_threshold: 8 * cores,
            min_polling_interval: Duration::from_millis(100),
            max_polling_interval: Duration::from_secs(60),
            visibility_timeout: Duration::ZERO,
            max_dequeue_count: 5,
            base64: true,
            function_timeout: Duration::from_secs(30 * 60),
            lock: Duration::from_secs(10 * 60),
            grace: Duration::from_secs(2),
            crashes: 3,
        }
    }

    /// Reads a host.json for a machine with so many cores.
    ///
    /// # Errors
    /// Names the file or the key that the host would refuse.
    pub fn read(host_json: &Path, cores: u32) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", host_json.display());
        let text = fs::read_to_string(host_json).map_err(|error| told(&error))?;
        let json = serde_json::from_str(&text).map_err(|error| told(&error))?;
        Self::of(&json, cores).map_err(|error| told(&error))
    }

    /// The rules of the content of a host.json.
    ///
    /// # Errors
    /// Names the key that the host would refuse.
    pub fn of(host_json: &Value, cores: u32) -> Result<Self, String> {
        let mut rules = Self::default_on(cores);
        let queues = &host_json["extensions"]["queues"];
        if let Some(size) = number(queues, "batchSize", 1..=32)? {
            rules.batch_size = size;
            rules.new_batch_threshold = size / 2 * cores;
        }
        if let Some(threshold) = number(queues, "newBatchThreshold", 0..=u32::MAX)? {
            rules.new_batch_threshold = threshold;
        }
        if let Some(count) = number(queues, "maxDequeueCount", 1..=u32::MAX)? {
            rules.max_dequeue_count = count.into();
        }
        rules.max_polling_interval = span(queues, "maxPollingInterval")?.unwrap_or(rules.max_polling_interval);
        if rules.max_polling_interval < rules.min_polling_interval {
            return Err("maxPollingInterval is under 100 ms".to_owned());
        }
        rules.visibility_timeout = span(queues, "visibilityTimeout")?.unwrap_or(rules.visibility_timeout);
        rules.function_timeout = match host_json["functionTimeout"].as_str() {
            Some("-1") => Duration::MAX,
            _ => span(host_json, "functionTimeout")?.unwrap_or(rules.function_timeout),
        };
        rules.base64 = match &queues["messageEncoding"] {
            Value::Null => true,
            Value::String(text) if text.eq_ignore_ascii_case("base64") => true,
            Value::String(text) if text.eq_ignore_ascii_case("none") => false,
            other => return Err(format!("messageEncoding is {other}")),
        };
        Ok(rules)
    }

    /// The pause that follows one of this length after a look that found nothing.
    pub fn back_off(&self, last: Option<Duration>) -> Duration {
        let next = last.map_or(self.min_polling_interval, |last| last.saturating_mul(2));
        next.min(self.max_polling_interval)
    }

    /// What becomes of a message after its try of this number.
    pub fn fate(&self, succeeded: bool, dequeue_count: i64) -> Fate {
        match succeeded {
            true => Fate::Deleted,
            false if dequeue_count >= self.max_dequeue_count => Fate::Poison,
            false => Fate::Again,
        }
    }

    /// Whether a taken message is put aside untried: its tries were used up by hosts that died.
    pub fn is_used_up(&self, dequeue_count: i64) -> bool {
        dequeue_count > self.max_dequeue_count
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is done with.
    Deleted,
    /// It comes again after the visibility time-out.
    Again,
    /// It lies in the poison queue.
    Poison,
    /// The host is gone: it comes again when its lock is over.
    Left,
    /// Its lock was over before: it is another's.
    TooLate,
}

fn number(of: &Value, key: &str, range: std::ops::RangeInclusive<u32>) -> Result<Option<u32>, String> {
    match &of[key] {
        Value::Null => Ok(None),
        value => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.filter(|number| range.contains(number)).map(Some).ok_or_else(|| format!("{key} is {value}"))
        }
    }
}

/// A time span as .NET writes it: `[d.]hh:mm:ss[.fffffff]`.
fn span(of: &Value, key: &str) -> Result<Option<Duration>, String> {
    match &of[key] {
        Value::Null => Ok(None),
        value => value.as_str().and_then(parse_span).map(Some).ok_or_else(|| format!("{key} is {value}")),
    }
}

fn parse_span(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else { return None };
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (days, hours, minutes): (u64, u64, u64) = (days.parse().ok()?, hours.parse().ok()?, minutes.parse().ok()?);
    let seconds: f64 = seconds.parse().ok()?;
    let fits = hours < 24 && minutes < 60 && (0.0..60.0).contains(&seconds);
    fits.then(|| Duration::from_secs((days * 24 + hours) * 3_600 + minutes * 60) + Duration::from_secs_f64(seconds))
}
