//! A client assertion that is signed with a certificate's key.
//!
//! PS256 and `x5t#S256`, as "Microsoft identity platform application authentication certificate credentials" asks.
//! The SDK's own certificate credential needs OpenSSL and a PKCS#12 file; this needs what TLS brings anyway.

use std::{fmt, path::Path};

use async_trait::async_trait;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PSS_SHA256},
};
use azure_core::{error::ErrorKind, http::ClientMethodOptions};
use azure_identity::ClientAssertion;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error as PemError, PemObject},
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::App;

/// How long an assertion is valid, in seconds. It is used at once; Microsoft advises five to ten minutes.
const VALID_SECONDS: i64 = 300;

/// Signs assertions for one app registration.
pub(super) struct CertificateAssertion {
    key: KeyPair,
    thumbprint: String,
    client_id: String,
    audience: String,
}

impl fmt::Debug for CertificateAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAssertion").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

impl CertificateAssertion {
    /// Reads the key and the certificate from a PEM file.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold an unencrypted RSA key and its certificate. No error quotes it.
    pub(super) fn from_file(path: &Path, app: &App) -> Result<Self, String> {
        let named = |problem: &str| format!("M365_CLIENT_CERTIFICATE_PATH: {}: {problem}", path.display());
        let pem = std::fs::read(path).map_err(|error| named(&error.to_string()))?;
        Self::from_pem(&pem, app).map_err(|problem| named(&problem))
    }

    fn from_pem(pem: &[u8], app: &App) -> Result<Self, String> {
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs8(key)) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => KeyPair::from_der(key.secret_pkcs1_der()),
            Ok(_) => return Err("the key is no RSA key".to_owned()),
            Err(PemError::NoItemsFound) => return Err(no_key(pem)),
            Err(_) => return Err("it is no well-formed PEM file".to_owned()),
        };
        let key = key.map_err(|_| "the key is no RSA key of 2,048 bits or more".to_owned())?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| "a certificate in it is not well formed".to_owned())?;
        // A certificate holds its public key as it stands, so that the key's own is found without a parser; there
        // may be those of the issuers too.
        let public = key.public_key().as_ref();
        let own = certificates
            .iter()
            .find(|certificate| certificate.windows(public.len()).any(|window| window == public))
            .ok_or(if certificates.is_empty() {
                "there is a key in it and no certificate"
            } else {
                "the key in it is not that of a certificate in it"
            })?;
        Ok(Self {
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, own)),
            key,
            client_id: app.client_id.clone(),
            audience: token_url(app),
        })
    }

    fn assertion(&self, id: Uuid, now: OffsetDateTime) -> Result<String, aws_lc_rs::error::Unspecified> {
        let now = now.unix_timestamp();
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": self.audience, "iss": self.client_id, "sub": self.client_id,
            "jti": id.to_string(), "nbf": now, "iat": now, "exp": now + VALID_SECONDS,
        });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.assertion(Uuid::new_v4(), OffsetDateTime::now_utc()).map_err(|_| {
            azure_core::Error::with_message(ErrorKind::Credential, "the assertion could not be signed with the key")
        })
    }
}

/// Where tokens are asked for, which is what an assertion is addressed to.
fn token_url(app: &App) -> String {
    format!("{}/{}/oauth2/v2.0/token", app.authority.as_str().trim_end_matches('/'), app.tenant_id)
}

/// The usual reasons why a file has no key that can be read.
fn no_key(pem: &[u8]) -> String {
    let text = String::from_utf8_lossy(pem);
    if text.contains("ENCRYPTED PRIVATE KEY") {
        "the key is encrypted; write it without a password (`openssl pkcs8 -in encrypted.pem -out key.pem`)".to_owned()
    } else if text.contains("-----BEGIN ") {
        "there is no private key in it".to_owned()
    } else {
        "it is no PEM file; turn a PFX into one with `openssl pkcs12 -in app.pfx -nodes -out app.pem`".to_owned()
    }
}

#[cfg(test)]
pub(super) use tests::a_certificate;

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        encoding::AsDer,
        rsa::KeySize,
        signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey},
    };
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;
    use time::macros::datetime;

    fn app() -> App {
        App {
            tenant_id: "tenant".to_owned(),
            client_id: "app".to_owned(),
            authority: "https://login.microsoftonline.com/".parse().unwrap(),
        }
    }

    fn section(kind: &str, der: &[u8]) -> String {
        let lines: Vec<_> = STANDARD
            .encode(der)
            .into_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
    }

    fn key_section(key: &KeyPair) -> String {
        section("PRIVATE KEY", AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(key).unwrap().as_ref())
    }

    /// What counts of a certificate here: some bytes around the public key.
    fn certificate(key: &KeyPair) -> Vec<u8> {
        [b"before".as_slice(), key.public_key().as_ref(), b"after"].concat()
    }

    /// A PEM file with a new key and what stands for its certificate.
    pub(in crate::identity) fn a_certificate() -> String {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        format!("{}{}", key_section(&key), section("CERTIFICATE", &certificate(&key)))
    }

    fn claims(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn the_assertion_is_signed_by_the_key_and_names_its_certificate() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let issuer = section("CERTIFICATE", b"an issuer's certificate");
        let pem = format!("{issuer}{}{}", section("CERTIFICATE", &certificate(&key)), key_section(&key));
        let signer = CertificateAssertion::from_pem(pem.as_bytes(), &app()).unwrap();
        let assertion = signer.assertion(Uuid::nil(), datetime!(2026-11-20 10:00 UTC)).unwrap();

        let (message, signature) = assertion.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key().as_ref());
        public.verify(message.as_bytes(), &signature).unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate(&key)));
        assert_eq!(claims(header), json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
        let start = datetime!(2026-11-20 10:00 UTC).unix_timestamp();
        assert_eq!(
            claims(payload),
            json!({
                "aud": "https://login.microsoftonline.com/tenant/oauth2/v2.0/token", "iss": "app", "sub": "app",
                "jti": Uuid::nil().to_string(), "nbf": start, "iat": start, "exp": start + 300,
            })
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_its_content() {
        let (key, other) = (KeyPair::generate(KeySize::Rsa2048).unwrap(), KeyPair::generate(KeySize::Rsa2048).unwrap());
        let (pem, own) = (key_section(&key), section("CERTIFICATE", &certificate(&key)));
        for (content, problem) in [
            (String::new(), "it is no PEM file"),
            ("\u{30}\u{82}".to_owned(), "it is no PEM file"),
            (own.clone(), "there is no private key in it"),
            (pem.clone(), "there is a key in it and no certificate"),
            (format!("{pem}{}", section("CERTIFICATE", &certificate(&other))), "is not that of a certificate"),
            (section("ENCRYPTED PRIVATE KEY", b"hunter2"), "the key is encrypted"),
            (format!("{own}{}", section("PRIVATE KEY", b"hunter2")), "no RSA key of 2,048 bits"),
            (format!("{own}{}", section("EC PRIVATE KEY", b"hunter2")), "the key is no RSA key"),
            ("-----BEGIN PRIVATE KEY-----\nhunter2\n".to_owned(), "no well-formed PEM file"),
        ] {
            let error = CertificateAssertion::from_pem(content.as_bytes(), &app()).unwrap_err();
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named_with_its_setting() {
        let error = CertificateAssertion::from_file(Path::new("/nowhere/app.pem"), &app()).unwrap_err();
        assert!(error.starts_with("M365_CLIENT_CERTIFICATE_PATH: /nowhere/app.pem: No such file"), "{error}");
    }
}
