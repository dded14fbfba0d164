//! One configuration's session with the data plane: a chain of tokens.

use super::answer::{Polled, RawContent, RawRollout};
use super::calls::{Authority, Calls};
use super::news::OnNews;
use crate::content::{Content, version_name};
use crate::held::{Held, Rollout};
use crate::name::ConfigurationName;
use crate::source::{Feed, News, What};
use crate::trouble::Trouble;
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use yardarm_client::Said;

/// A session, begun when it is needed and begun anew when upstream does not take its token any more.
pub(super) struct Session {
    calls: Arc<Calls>,
    authority: Authority,
    name: ConfigurationName,
    /// What to poll with next. `None`: a new session is due.
    token: Option<String>,
    /// Counts versions that upstream gives no name.
    unnamed: u64,
    /// Says when to ask before the interval is over.
    news: Option<OnNews>,
}

impl Session {
    pub(super) fn new(
        calls: Arc<Calls>,
        authority: Authority,
        name: ConfigurationName,
        news: Option<OnNews>,
    ) -> Self {
        Self { calls, authority, name, token: None, unnamed: 0, news }
    }

    /// Polls, in a new session where the old one has ended. After a failure that may pass the token is kept: it has not
    /// been answered.
    async fn poll(&mut self) -> Result<Polled, Trouble> {
        if let Some(token) = &self.token {
            match self.calls.poll(&self.authority, token).await {
                Err(Trouble::SessionEnded(reason)) => {
                    tracing::debug!("the session of '{}' has ended ({reason}); starting another", self.name);
                }
                // Names may lead elsewhere by now: a new session looks them up.
                Err(Trouble::NotFound { .. }) => {}
                answered => return answered,
            }
        }
        self.token = None;
        let token = self.calls.start(&self.authority, &self.name).await?;
        let polled = self.calls.poll(&self.authority, &token).await;
        self.token = Some(token);
        polled
    }

    /// What is to be told upstream once what came is held.
    fn say(&mut self, said: Said) {
        if let Some(news) = &mut self.news {
            news.say(said);
        }
    }

    fn content(&mut self, raw: RawContent) -> Result<Content, Trouble> {
        let RawContent { body, content_type, version, label } = raw;
        let version = version.unwrap_or_else(|| {
            self.unnamed = self.unnamed.saturating_add(1);
            self.unnamed.to_string()
        });
        Content::read(body, &content_type, &version, label.as_deref())
            .map_err(|error| Trouble::Unusable(error.to_string()))
    }

    /// What the answer means together with what is held. The previous version of a deployment is fetched once.
    async fn held(&mut self, polled: Polled, held: Option<&Held>) -> Result<What, Trouble> {
        let newest = match (polled.content, held) {
            (Some(raw), _) => Arc::new(self.content(raw)?),
            (None, Some(held)) => held.newest.clone(),
            (None, None) => {
                let message = format!("no version of '{}' has reached this agent yet", self.name);
                return Ok(What::Nothing(Trouble::NotFound {
                    message,
                    resource_type: Some("Deployment".into()),
                }));
            }
        };
        let rollout = match polled.rollout {
            Some(raw) => Some(self.rollout(raw, held).await?),
            None => None,
        };
        let same = held.is_some_and(|held| {
            Arc::ptr_eq(&held.newest, &newest) && is_same(held.rollout.as_ref(), rollout.as_ref())
        });
        Ok(if same { What::Same } else { What::Held(Held { newest, rollout }) })
    }

    async fn rollout(&mut self, raw: RawRollout, held: Option<&Held>) -> Result<Rollout, Trouble> {
        let RawRollout { deployment, exposure, previous } = raw;
        let known =
            held.and_then(|held| held.rollout.as_ref()).filter(|known| known.deployment == deployment);
        let previous = match (known, previous) {
            (Some(known), _) => known.previous.clone(),
            (None, None) => None,
            (None, Some(token)) => match self.calls.poll(&self.authority, &token).await?.content {
                Some(raw) => Some(Arc::new(self.content(raw)?)),
                None => None,
            },
        };
        Ok(Rollout { deployment, exposure, previous })
    }
}

/// What a Yardarm server calls what came.
fn named(raw: &RawContent) -> String {
    version_name(raw.version.as_deref().unwrap_or_default(), &Sha256::digest(&raw.body).into())
}

fn is_same(one: Option<&Rollout>, other: Option<&Rollout>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.deployment == other.deployment && one.exposure == other.exposure,
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[async_trait]
impl Feed for Session {
    async fn next(&mut self, held: Option<&Held>) -> Result<News, Trouble> {
        let polled = self.poll().await?;
        let (next, wait) = (polled.next_token.clone(), polled.interval);
        let deployment = polled.rollout.as_ref().map(|rollout| rollout.deployment.number());
        let came = polled.content.as_ref().map(named);
        match self.held(polled, held).await {
            Ok(what) => {
                self.token = Some(next);
                let holds = match &what {
                    What::Held(held) => Some(held),
                    What::Same => held,
                    What::Nothing(_) => None,
                };
                if let Some(holds) = holds {
                    self.say(Said { tag: holds.tag().into(), deployment, refused: None });
                }
                Ok(News { what, wait })
            }
            Err(trouble) => {
                if let (Trouble::Unusable(why), Some(tag)) = (&trouble, came) {
                    let refused = Some(why.as_str().into());
                    self.say(Said { tag: tag.into(), deployment, refused });
                }
                // The answer is lost to us, so a new session must bring it again.
                self.token = None;
                Err(trouble)
            }
        }
    }

    async fn changed(&mut self) {
        match &mut self.news {
            Some(news) => news.next().await,
            None => std::future::pending().await,
        }
    }
}
