//! Which messages wait, by what was put into the queue and taken out of it: a queue does not show them all.

use std::{collections::HashMap, sync::Mutex};

use serde_json::Value;

use crate::{
    dispatcher::{Fate, Seen},
    queue::decode,
};

/// The messages of each tenant.
#[derive(Debug, Default)]
pub struct Waiting {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tenants: HashMap<String, Messages>,
    /// The last message that was put, by tenant.
    texts: HashMap<String, String>,
    puts: usize,
    doubles: Vec<String>,
}

/// The messages of one tenant.
#[derive(Debug, Clone, Copy, Default)]
struct Messages {
    /// In the queue, hidden ones too.
    there: i64,
    /// Those that are worked on.
    under_way: i64,
}

impl Messages {
    const fn waiting(self) -> i64 {
        self.there - self.under_way
    }
}

impl Waiting {
    /// A request to the queue service went well.
    pub fn note(&self, line: &str, body: &[u8]) {
        if !(line.starts_with("POST ") && line.contains("/labelstream-work/messages")) {
            return;
        }
        let body = String::from_utf8_lossy(body);
        let raw = body.split_once("<MessageText>").and_then(|(_, rest)| rest.split_once("</MessageText>"));
        let text = raw.and_then(|(raw, _)| decode(raw)).unwrap_or_else(|| panic!("no message: {body}"));
        let mut inner = self.inner.lock().unwrap();
        inner.puts += 1;
        let before = inner.texts.insert(tenant_of(&text), text.clone());
        let messages = inner.tenants.entry(tenant_of(&text)).or_default();
        messages.there += 1;
        if messages.waiting() > 1 {
            let double = format!("{text} beside {}", before.unwrap_or_default());
            inner.doubles.push(double);
        }
    }

    /// Something happened to a message.
    pub fn see(&self, seen: Seen<'_>) {
        let mut inner = self.inner.lock().unwrap();
        let mut of = |text: &str, under_way: i64, there: i64| {
            let messages = inner.tenants.entry(tenant_of(text)).or_default();
            messages.under_way += under_way;
            messages.there += there;
        };
        match seen {
            Seen::Taken(text, _) => of(text, 1, 0),
            Seen::Ended(tried) => {
                let gone = matches!(tried.fate, Fate::Deleted | Fate::Poison);
                of(&tried.text, -1, -i64::from(gone));
            }
        }
    }

    /// How many messages were put.
    pub fn puts(&self) -> usize {
        self.inner.lock().unwrap().puts
    }

    /// Messages that were put while another one of the same tenant waited.
    pub fn doubles(&self) -> Vec<String> {
        self.inner.lock().unwrap().doubles.clone()
    }
}

/// The tenant of a message.
pub fn tenant_of(text: &str) -> String {
    let message: Value = serde_json::from_str(text).unwrap();
    message["tenantId"].as_str().unwrap().to_owned()
}
