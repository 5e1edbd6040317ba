//! Where the feed lies, and which addresses may be sent its token.

use serde::{Deserialize, Serialize};
use url::{Host, Url, form_urlencoded};

use super::{
    classify::excerpt,
    error::{FeedError, FeedErrorKind, Operation},
};

/// The parameter that names whose share of the service's limits a call uses. It belongs on every call; neither
/// `contentUri` nor `NextPageUri` carries it (Management Activity API reference and its troubleshooting page).
const PUBLISHER: &str = "PublisherIdentifier";

/// The address of a listing's next page, as the feed gave it. It may be stored and used by a later run, and is
/// checked again before a token goes there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageUri(pub(super) String);

impl PageUri {
    /// The address as the feed gave it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An address of the configured endpoint, with the publisher: the only thing that a request can be made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// The address as a request is made to it.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// The address without its query, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.into()
    }
}

/// The endpoint of one tenant's feed.
#[derive(Debug, Clone)]
pub struct Address {
    /// `{base}/api/v1.0/{tenant}/activity/feed/`.
    root: Url,
    /// `PublisherIdentifier=…`, encoded.
    publisher: String,
}

impl Address {
    /// The endpoint at `base`, which must be https, or http on a loopback host.
    ///
    /// # Errors
    /// What is wrong with `base`.
    pub fn new(base: &Url, tenant: &str, publisher: &str) -> Result<Self, String> {
        if !is_safe(base) {
            let host = base.host_str().unwrap_or_default();
            let given = excerpt(&format!("{}://{host}", base.scheme()));
            return Err(format!("the endpoint must be https:// (http:// on loopback alone), not {given}"));
        }
        let mut root = base.clone();
        root.set_query(None);
        root.set_fragment(None);
        match root.path_segments_mut() {
            Ok(mut path) => path.pop_if_empty().extend(["api", "v1.0", tenant, "activity", "feed", ""]),
            Err(()) => return Err(format!("{base} can be no endpoint")),
        };
        let publisher = form_urlencoded::Serializer::new(String::new()).append_pair(PUBLISHER, publisher).finish();
        Ok(Self { root, publisher })
    }

    /// The address of an operation, `subscriptions/list` for example. Names and values must need no encoding.
    #[must_use]
    pub fn operation(&self, path: &str, query: &[(&str, &str)]) -> Target {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{path}", self.root.path()));
        let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
        self.with_publisher(url)
    }

    /// An address that the feed gave: it must be absolute and have the endpoint's scheme, host and port. Its path and
    /// query stay as they are.
    ///
    /// # Errors
    /// [`FeedErrorKind::ForeignAddress`] where it has not.
    pub fn given(&self, operation: &Operation, text: &str) -> Result<Target, FeedError> {
        let foreign = |reason: String| Err(FeedError::new(FeedErrorKind::ForeignAddress, operation, reason));
        let mut url = match Url::parse(text.trim()) {
            Ok(url) => url,
            Err(error) => return foreign(format!("the feed gave an address that is none: {error}")),
        };
        let same = url.scheme() == self.root.scheme()
            && url.host() == self.root.host()
            && url.port_or_known_default() == self.root.port_or_known_default();
        if !same || !url.username().is_empty() || url.password().is_some() {
            let (given, own) = (url.origin().ascii_serialization(), self.root.origin().ascii_serialization());
            return foreign(format!("the feed gave an address at {} where {own} is configured", excerpt(&given)));
        }
        url.set_fragment(None);
        Ok(self.with_publisher(url))
    }

    fn with_publisher(&self, mut url: Url) -> Target {
        if url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case(PUBLISHER)) {
            return Target(url);
        }
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{}", self.publisher),
            None => self.publisher.clone(),
        };
        url.set_query(Some(&query));
        Target(url)
    }
}

/// Whether a token may be sent there at all: over TLS, or to this machine.
fn is_safe(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name.eq_ignore_ascii_case("localhost"),
        ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TENANT: &str = "11111111-1111-4111-8111-111111111111";

    fn address() -> Address {
        Address::new(&"https://manage.office.com".parse().unwrap(), TENANT, "22222222-2222-4222-8222-222222222222")
            .unwrap()
    }

    fn given(text: &str) -> Result<String, FeedErrorKind> {
        let target = address().given(&Operation::Subscriptions, text);
        target.map(|target| target.url().to_string()).map_err(|error| error.kind())
    }

    #[test]
    fn operations_lie_under_the_tenant() {
        let listing = address()
            .operation("subscriptions/content", &[("contentType", "DLP.All"), ("startTime", "2026-01-01T00:00:00")]);
        assert_eq!(
            listing.url().as_str(),
            "https://manage.office.com/api/v1.0/11111111-1111-4111-8111-111111111111/activity/feed/subscriptions/content\
             ?contentType=DLP.All&startTime=2026-01-01T00:00:00&PublisherIdentifier=22222222-2222-4222-8222-222222222222"
        );
        assert!(!listing.shown().contains('?'));
    }

    #[test]
    fn a_base_may_have_a_path_and_odd_names_are_encoded() {
        let base = "http://127.0.0.1:7071/mock/?x=1#y".parse().unwrap();
        let address = Address::new(&base, "a/b", "p&q=r").unwrap();
        let listing = address.operation("subscriptions/list", &[]);
        let expected =
            "http://127.0.0.1:7071/mock/api/v1.0/a%2Fb/activity/feed/subscriptions/list?PublisherIdentifier=p%26q%3Dr";
        assert_eq!(listing.url().as_str(), expected);
    }

    #[test]
    fn a_token_travels_over_tls_or_stays_on_this_machine() {
        for (base, safe) in [
            ("https://manage.office.com", true),
            ("http://manage.office.com", false),
            ("http://localhost:1", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:9", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("ftp://127.0.0.1", false),
            ("data:x", false),
        ] {
            assert_eq!(Address::new(&base.parse().unwrap(), TENANT, TENANT).is_ok(), safe, "{base}");
        }
    }

    #[test]
    fn given_addresses_keep_their_path_and_get_the_publisher() {
        let publisher = "PublisherIdentifier=22222222-2222-4222-8222-222222222222";
        let audit =
            "https://manage.office.com/api/v1.0/t/activity/feed/audit/2017$2017$audit_sharepoint$Audit_SharePoint";
        assert_eq!(given(audit).unwrap(), format!("{audit}?{publisher}"));
        let next =
            "https://manage.office.com/api/v1/t/activity/feed/subscriptions/content?contentType=A&nextPage=2015%20b==";
        assert_eq!(given(&format!(" {next}\r\n")).unwrap(), format!("{next}&{publisher}"));
        let has_one = format!("{audit}?publisheridentifier=x");
        assert_eq!(given(&has_one).unwrap(), has_one);
        assert_eq!(given(&format!("{audit}?#part")).unwrap(), format!("{audit}?{publisher}"));
        assert_eq!(
            given("https://MANAGE.office.com:443/x").unwrap(),
            format!("https://manage.office.com/x?{publisher}")
        );
    }

    #[test]
    fn foreign_addresses_are_refused() {
        for text in [
            "",
            "/api/v1.0/t/activity/feed/audit/1",
            "//manage.office.com/api",
            "manage.office.com/api",
            "https://",
            "http://manage.office.com/api",
            "https://manage.office.com:444/api",
            "https://manage.office.com.example.net/api",
            "https://manage.office.com@example.net/api",
            "https://user@manage.office.com/api",
            "https://user:word@manage.office.com/api",
            "https://manage-gcc.office.com/api",
            "https:\\\\example.net\\api",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert_eq!(given(text), Err(FeedErrorKind::ForeignAddress), "{text}");
        }
    }

    #[test]
    fn a_refusal_is_short() {
        let host = "long.".repeat(1000);
        let text = address().given(&Operation::Subscriptions, &format!("https://{host}/")).unwrap_err().to_string();
        assert!(text.len() < 1000, "{} bytes", text.len());
        let text = Address::new(&format!("ftps://{host}").parse().unwrap(), "t", "p").unwrap_err();
        assert!(text.len() < 1000, "{} bytes", text.len());
    }

    #[test]
    fn a_refusal_shows_no_user_and_no_query() {
        let error =
            address().given(&Operation::Subscriptions, "https://user:word@example.net/api?sig=abc").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("https://example.net") && text.contains("M365_MANAGEMENT_ENDPOINT"), "{text}");
        assert!(!text.contains("word") && !text.contains("abc"), "{text}");
    }

    proptest! {
        #[test]
        fn no_other_host_is_ever_a_target(text in "(https?|ftp):[/\\\\]{1,3}([a-z]{1,4}[@:.#?/\\\\]){0,3}(manage\\.office\\.com|x\\.y)[@:.#?/\\\\a-z0-9]{0,12}") {
            if let Ok(target) = address().given(&Operation::Subscriptions, &text) {
                prop_assert_eq!(target.url().origin().ascii_serialization(), "https://manage.office.com");
                prop_assert_eq!(target.url().username(), "");
                prop_assert!(target.url().query().unwrap().contains(PUBLISHER));
            }
        }
    }
}
