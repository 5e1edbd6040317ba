//! Hosts that settings may name. None of these errors quotes the value: it could hold a key or a signature.

use url::{Host, Url};

/// Whether a URL points at this very machine, where plain HTTP is allowed.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The root of a service: `https`, or `http` on loopback. A trailing slash is dropped from a path; no path is `/`.
pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = root(text)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("is plain http, which is for 127.0.0.1 and localhost only; use https".to_owned()),
        _ => Err("is not an https URL".to_owned()),
    }
}

/// As [`endpoint`], without the exception for loopback: the Azure SDK sends no token over plain HTTP at all.
pub(super) fn secure_endpoint(text: &str) -> Result<Url, String> {
    let url = root(text)?;
    if url.scheme() == "https" {
        Ok(url)
    } else {
        Err("is not an https URL; the Azure SDK insists on https".to_owned())
    }
}

fn root(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
    if !url.has_host() {
        return Err("is not a URL with a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or password in it, which is never used".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query (`?`) or fragment (`#`); only scheme, host, port and path belong there".to_owned());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_endpoints_lose_only_trailing_slashes() {
        for (text, url) in [
            ("https://manage.office.com", "https://manage.office.com/"),
            ("https://manage.office.com/", "https://manage.office.com/"),
            ("HTTPS://Manage.Office.com//", "https://manage.office.com/"),
            ("https://proxy.contoso.com/feed/", "https://proxy.contoso.com/feed"),
            ("http://127.0.0.1:7071", "http://127.0.0.1:7071/"),
            ("http://localhost:7071/", "http://localhost:7071/"),
            ("http://[::1]:7071", "http://[::1]:7071/"),
        ] {
            assert_eq!(endpoint(text).unwrap().as_str(), url, "{text}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for text in
            ["http://manage.office.com", "http://localhost.contoso.com", "http://10.0.0.1", "http://127.0.0.1.nip.io"]
        {
            assert!(endpoint(text).unwrap_err().contains("plain http"), "{text}");
        }
        assert!(secure_endpoint("http://127.0.0.1:7071").unwrap_err().contains("insists on https"));
        assert!(secure_endpoint("https://127.0.0.1:7071").is_ok());
    }

    #[test]
    fn faults_do_not_quote_the_value() {
        for text in [
            "https://user:hunter2@host",
            "https://hunter2@host",
            "https://account.blob.core.windows.net/?sig=hunter2",
            "https://host/#hunter2",
            "hunter2",
            "hunter2://host",
            "file:///hunter2",
            "http://hunter2",
            "AccountName=a;AccountKey=hunter2",
        ] {
            assert!(!endpoint(text).unwrap_err().contains("hunter2"), "{text}");
            assert!(!secure_endpoint(text).unwrap_err().contains("hunter2"), "{text}");
        }
    }
}
