//! Tokens of one audience for many workers.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential};
use time::OffsetDateTime;

use super::{
    IdentityError, Token, TokenSource,
    cache::{Cache, Lookup},
};

/// One fetch takes no longer, whatever hangs. An Azure CLI on a slow machine needs up to ten seconds.
const FETCH_LIMIT: Duration = Duration::from_secs(30);

/// Makes credentials of one kind.
pub trait CredentialFactory: Send + Sync + fmt::Debug {
    /// A new credential, which has no token yet.
    ///
    /// # Errors
    /// Something that it needs (a file, a variable) is missing or wrong.
    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>>;

    /// What an error of such a credential means, in one line without any secret, with a hint where one is known.
    fn reason(&self, error: &azure_core::Error) -> String;
}

/// Tokens of one audience for many workers: cached until five minutes before they expire, fetched one at a time.
///
/// Each fetch uses a new credential. The SDK's credentials have caches of their own, which would hand out a refused
/// token again and keep a replaced certificate or token file from being read.
#[derive(Debug)]
pub struct Tokens {
    scope: String,
    factory: Box<dyn CredentialFactory>,
    limit: Duration,
    cache: Mutex<Cache>,
    /// Held while a token is fetched; in it is how the last fetch failed, if it did.
    fetching: tokio::sync::Mutex<Option<IdentityError>>,
    /// How many fetches have ended, by which a worker knows that one ended while it waited.
    ended: AtomicU64,
}

impl Tokens {
    /// Tokens for `scope`, which ends in `/.default`.
    #[must_use]
    pub fn new(scope: &str, factory: impl CredentialFactory + 'static) -> Self {
        Self {
            scope: scope.to_owned(),
            factory: Box::new(factory),
            limit: FETCH_LIMIT,
            cache: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
            ended: AtomicU64::new(0),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // The cache is whole after every step, so that a panic elsewhere leaves nothing to mend.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<AccessToken, IdentityError> {
        let failed = |reason| IdentityError { audience: self.audience().to_owned(), reason };
        let credential = self.factory.credential().map_err(|error| failed(self.factory.reason(&error)))?;
        match tokio::time::timeout(self.limit, credential.get_token(&[&self.scope], None)).await {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(error)) => Err(failed(self.factory.reason(&error))),
            Err(_) => {
                let late = format!("there was no answer within {} seconds", self.limit.as_secs());
                let error = azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, late);
                Err(failed(self.factory.reason(&error)))
            }
        }
    }

    fn audience(&self) -> &str {
        self.scope.strip_suffix("/.default").unwrap_or(&self.scope)
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        if let Lookup::Fresh(token) = self.cache().lookup(OffsetDateTime::now_utc()) {
            return Ok(token);
        }
        let ended = self.ended.load(Ordering::SeqCst);
        let mut failure = self.fetching.lock().await;
        match self.cache().lookup(OffsetDateTime::now_utc()) {
            Lookup::Fresh(token) => return Ok(token),
            Lookup::Stale => {}
            // The fetch that this worker waited for has failed. Failing again for each worker in turn would take
            // as many times as long.
            Lookup::Empty if self.ended.load(Ordering::SeqCst) != ended => {
                if let Some(error) = &*failure {
                    return Err(error.clone());
                }
            }
            Lookup::Empty => {}
        }
        let fetched = self.fetch().await;
        let now = OffsetDateTime::now_utc();
        self.ended.fetch_add(1, Ordering::SeqCst);
        match fetched {
            Ok(token) => {
                *failure = None;
                Ok(self.cache().store(token.token.secret(), token.expires_on, now))
            }
            Err(error) => {
                *failure = Some(error.clone());
                let valid = self.cache().postpone(now).ok_or_else(|| error.clone())?;
                tracing::warn!(%error, "a token could not be replaced; the one at hand is still valid and is used");
                Ok(valid)
            }
        }
    }

    fn refuse(&self, token: &Token) {
        self.cache().refuse(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::{credentials::TokenRequestOptions, error::ErrorKind};
    use std::collections::VecDeque;

    /// What the next credential answers: the seconds that its token lives, or a failure.
    #[derive(Debug, Clone, Copy)]
    enum Answer {
        Lives(i64),
        Fails,
        Hangs,
    }

    #[derive(Debug, Clone, Default)]
    struct Script {
        answers: Arc<Mutex<VecDeque<Answer>>>,
        fetches: Arc<AtomicU64>,
    }

    impl Script {
        fn new(answers: &[Answer]) -> Self {
            let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
            Self { answers, fetches: Arc::default() }
        }

        fn fetches(&self) -> u64 {
            self.fetches.load(Ordering::SeqCst)
        }
    }

    #[derive(Debug)]
    struct Scripted {
        answer: Answer,
        number: u64,
    }

    #[async_trait]
    impl TokenCredential for Scripted {
        async fn get_token(
            &self,
            scopes: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            assert_eq!(scopes, ["https://service/.default"]);
            // Lets the other workers of a test come up to the lock.
            tokio::task::yield_now().await;
            match self.answer {
                Answer::Lives(seconds) => {
                    let expires = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
                    Ok(AccessToken::new(format!("token {}", self.number), expires))
                }
                Answer::Fails => Err(azure_core::Error::with_message(ErrorKind::Credential, "the provider is down")),
                Answer::Hangs => std::future::pending().await,
            }
        }
    }

    impl CredentialFactory for Script {
        fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            let answer = self.answers.lock().unwrap().pop_front().expect("one fetch too many");
            Ok(Arc::new(Scripted { answer, number }))
        }

        fn reason(&self, error: &azure_core::Error) -> String {
            error.to_string()
        }
    }

    fn tokens(answers: &[Answer]) -> (Arc<Tokens>, Script) {
        let script = Script::new(answers);
        (Arc::new(Tokens::new("https://service/.default", script.clone())), script)
    }

    async fn by_many(tokens: &Arc<Tokens>) -> Vec<Result<Token, IdentityError>> {
        let workers: Vec<_> = (0..32)
            .map(|_| {
                let tokens = Arc::clone(tokens);
                tokio::spawn(async move { tokens.token().await })
            })
            .collect();
        futures_util::future::join_all(workers).await.into_iter().map(Result::unwrap).collect()
    }

    #[tokio::test]
    async fn many_workers_cause_one_fetch() {
        let (tokens, script) = tokens(&[Answer::Lives(3600)]);
        for token in by_many(&tokens).await {
            assert_eq!(token.unwrap().secret(), "token 1");
        }
        assert_eq!(script.fetches(), 1);
    }

    #[tokio::test]
    async fn many_workers_share_one_failure_and_the_next_call_tries_again() {
        let (tokens, script) = tokens(&[Answer::Fails, Answer::Lives(3600)]);
        for token in by_many(&tokens).await {
            assert_eq!(token.unwrap_err().to_string(), "no token for https://service: the provider is down");
        }
        assert_eq!(script.fetches(), 1);
        assert_eq!(tokens.token().await.unwrap().secret(), "token 2");
    }

    #[tokio::test]
    async fn many_refusals_of_one_token_cause_one_new_one() {
        let (tokens, script) = tokens(&[Answer::Lives(3600), Answer::Lives(3600)]);
        let refused = tokens.token().await.unwrap();
        tokens.refuse(&refused);
        for token in by_many(&tokens).await {
            assert_eq!(token.unwrap().secret(), "token 2");
            tokens.refuse(&refused);
        }
        assert_eq!(tokens.token().await.unwrap().secret(), "token 2");
        assert_eq!(script.fetches(), 2);
    }

    #[tokio::test]
    async fn a_fetch_that_hangs_ends_and_its_error_says_so() {
        let script = Script::new(&[Answer::Hangs]);
        let tokens = Tokens { limit: Duration::ZERO, ..Tokens::new("https://service/.default", script) };
        assert_eq!(tokens.token().await.unwrap_err().reason, "there was no answer within 0 seconds");
    }

    #[tokio::test]
    async fn a_token_due_is_replaced_and_used_where_that_fails_while_it_is_valid() {
        let (tokens, script) = tokens(&[Answer::Fails, Answer::Lives(3600), Answer::Fails]);
        let minute = time::Duration::minutes(1);
        // Fetched a minute ago, with a minute to go.
        let due = |tokens: &Tokens| {
            let now = OffsetDateTime::now_utc();
            tokens.cache().store("due", now + minute, now - minute);
        };
        due(&tokens);
        for token in by_many(&tokens).await {
            assert_eq!(token.unwrap().secret(), "due");
        }
        assert_eq!(script.fetches(), 1);
        due(&tokens);
        assert_eq!(tokens.token().await.unwrap().secret(), "token 2");

        let now = OffsetDateTime::now_utc();
        tokens.cache().store("expired", now - minute, now - minute);
        assert!(tokens.token().await.is_err());
    }

    #[tokio::test]
    async fn a_worker_that_goes_away_while_fetching_leaves_the_others_to_it() {
        let (tokens, script) = tokens(&[Answer::Hangs, Answer::Lives(3600)]);
        let gone = tokio::spawn({
            let tokens = Arc::clone(&tokens);
            async move { tokens.token().await }
        });
        while script.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!(tokens.token().await.unwrap().secret(), "token 2");
    }

    #[tokio::test]
    async fn a_token_is_in_no_debug_text() {
        let (tokens, _) = tokens(&[Answer::Lives(3600)]);
        let token = tokens.token().await.unwrap();
        assert!(!format!("{tokens:?} {token:?}").contains("token 1"));
    }
}
