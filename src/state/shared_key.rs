//! Signs requests with a storage account's key, which the SDK leaves to its users.
//!
//! Source: Authorize with Shared Key (learn.microsoft.com, rest/api/storageservices/authorize-with-shared-key), the
//! form of version 2015-02-21 and later.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use azure_core::{
    credentials::Secret,
    error::ErrorKind,
    hmac::hmac_sha256,
    http::{
        Context, Method, Request, Url,
        headers::{HeaderName, HeaderValue, Headers},
        policies::{Policy, PolicyResult},
    },
};
use time::{OffsetDateTime, format_description::StaticFormatDescription, macros::format_description};

/// The form of `x-ms-date`.
const RFC1123: StaticFormatDescription =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// Signs every try anew, since a signature holds for fifteen minutes only. `Debug` shows no key.
#[derive(Debug)]
pub(super) struct SharedKeyPolicy {
    account: String,
    key: Secret,
}

impl SharedKeyPolicy {
    /// For `account` and its `key` in base64.
    pub(super) fn new(account: &str, key: &Secret) -> Self {
        Self { account: account.to_owned(), key: key.clone() }
    }

    fn sign(&self, request: &mut Request) -> azure_core::Result<()> {
        let date = OffsetDateTime::now_utc()
            .format(&RFC1123)
            .map_err(|error| azure_core::Error::new(ErrorKind::DataConversion, error))?;
        request.insert_header("x-ms-date", date);
        let text =
            string_to_sign(request.method(), request.url(), request.headers(), request.body().len(), &self.account);
        let signature = hmac_sha256(&text, &self.key)?;
        request.insert_header("authorization", HeaderValue::from(format!("SharedKey {}:{signature}", self.account)));
        Ok(())
    }
}

#[async_trait]
impl Policy for SharedKeyPolicy {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        self.sign(request)?;
        match next.split_first() {
            Some((policy, rest)) => policy.send(context, request, rest).await,
            None => Err(azure_core::Error::with_message(ErrorKind::Other, "no transport follows the signature")),
        }
    }
}

/// What is signed. `length` is the body's; an empty body signs as an empty string.
fn string_to_sign(method: Method, url: &Url, headers: &Headers, length: Option<u64>, account: &str) -> String {
    let length = length.filter(|&bytes| bytes > 0).map(|bytes| bytes.to_string()).unwrap_or_default();
    let header =
        |name: &'static str| headers.get_optional_str(&HeaderName::from_static(name)).unwrap_or_default().to_owned();
    let lines = [
        method.as_str().to_owned(),
        header("content-encoding"),
        header("content-language"),
        length,
        header("content-md5"),
        header("content-type"),
        String::new(), // `Date`: x-ms-date stands in for it
        header("if-modified-since"),
        header("if-match"),
        header("if-none-match"),
        header("if-unmodified-since"),
        header("range"),
    ];
    format!("{}\n{}{}", lines.join("\n"), canonical_headers(headers), canonical_resource(url, account))
}

/// The `x-ms-` headers by name, one a line.
fn canonical_headers(headers: &Headers) -> String {
    let sorted: BTreeMap<String, &str> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_ascii_lowercase(), value.as_str().trim()))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    sorted.iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
}

/// The account, the path as it is sent, and the decoded query by name. The emulator's paths begin with the account,
/// which then stands twice.
fn canonical_resource(url: &Url, account: &str) -> String {
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        query.entry(name.to_ascii_lowercase()).or_default().push(value.into_owned());
    }
    let mut resource = format!("/{account}{}", url.path());
    for (name, mut values) in query {
        values.sort();
        resource.push_str(&format!("\n{name}:{}", values.join(",")));
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(method: Method, url: &str, headers: &[(&'static str, &str)], length: Option<u64>) -> String {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(HeaderName::from_static(name), HeaderValue::from((*value).to_owned()));
        }
        string_to_sign(method, &Url::parse(url).unwrap(), &all, length, "myaccount")
    }

    #[test]
    fn the_example_of_the_documentation_is_signed_as_there() {
        let text = text(
            Method::Get,
            "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20",
            &[("x-ms-version", "2015-02-21"), ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT")],
            None,
        );
        assert_eq!(
            text,
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
             /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
        );
    }

    #[test]
    fn conditions_and_length_have_their_lines() {
        let url = "https://myaccount.blob.core.windows.net/c/a%2Fb%20c";
        let headers = [("content-type", "text/plain"), ("if-match", "\"0x1\""), ("content-length", "5")];
        assert_eq!(
            text(Method::Put, url, &headers, Some(5)),
            "PUT\n\n\n5\n\ntext/plain\n\n\n\"0x1\"\n\n\n\n/myaccount/c/a%2Fb%20c"
        );
    }

    #[test]
    fn an_empty_body_has_no_length() {
        let url = "https://myaccount.blob.core.windows.net/c?comp=lease";
        assert_eq!(text(Method::Put, url, &[], Some(0)), text(Method::Put, url, &[], None));
    }

    #[test]
    fn query_values_are_decoded_and_sorted() {
        let url = "https://myaccount.blob.core.windows.net/c?B=2&a=x%2Fy&b=1";
        assert!(text(Method::Get, url, &[], None).ends_with("\n/myaccount/c\na:x/y\nb:1,2"));
    }

    #[test]
    fn debug_shows_no_key() {
        let policy = SharedKeyPolicy::new("myaccount", &Secret::new("c2VjcmV0"));
        assert!(!format!("{policy:?}").contains("c2VjcmV0"));
    }
}
