//! Both operations: one flag, and all of them.

use super::{Counter, Subject};
use crate::content::Content;
use crate::keeper::{Entry, Keeper};
use crate::name::Place;
use crate::refusal::Refusal;
use crate::trouble::Trouble;
use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http::header::IF_NONE_MATCH;
use http::request::Parts;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use yardarm_flags::Resolution;
use yardarm_listen::{Unread, read_body};
use yardarm_ofrep::stream::INACTIVITY_S;
use yardarm_ofrep::{
    Answer, Configuration, EventStream, FlagSet, Request, StreamAddress, entity_tag, evaluate_flag,
    evaluate_flags, is_current,
};

/// Bytes of a request's body.
const BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);
/// When to come back, seconds.
const COME_BACK_S: u32 = 1;

/// The flags of one profile, in the version that the caller gets.
struct Found {
    profile: String,
    entry: Arc<Entry>,
    content: Arc<Content>,
}

impl Counter {
    /// Answers what `key` is, or what all flags are.
    pub(super) async fn evaluate(
        &self,
        place: Option<Place>,
        key: Option<&str>,
        parts: &Parts,
        body: Body,
    ) -> Result<Answer, Answer> {
        let body = read(body).await?;
        let request = match (Request::parse(&body), key) {
            (Ok(request), _) => request,
            (Err(malformed), Some(key)) => return Ok(yardarm_ofrep::malformed_single(key, &malformed)),
            (Err(malformed), None) => return Ok(yardarm_ofrep::malformed_bulk(&malformed)),
        };
        let place = match place {
            Some(place) => place,
            None => only_place(&self.keeper)?,
        };
        let subject = Subject::read(place, parts.uri.query().unwrap_or_default())?;
        let found = find(&self.keeper, &subject, request.targeting_key()).await?;
        let configurations: Vec<Configuration<'_>> = found.iter().filter_map(configuration).collect();
        let id = format!("{}/{}", subject.place.application, subject.place.environment);
        let set = FlagSet { id: &id, scope: "", configurations: &configurations };
        let count = |index: usize, resolution: &Resolution<'_>| {
            if let Some(found) = found.get(index) {
                found.entry.counts.count(resolution.flag, resolution.variant);
            }
        };
        if let Some(key) = key {
            return Ok(evaluate_flag(&set, key, &request, count));
        }
        let tag = entity_tag(&set, &request, usize::from(self.streams.are_offered()));
        let mut known = parts.headers.get_all(IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
        if known.any(|known| is_current(known, &tag)) {
            return Ok(Answer::not_modified(tag));
        }
        let uri = self.streams.are_offered().then(|| self.stream_uri(&subject));
        let offered: Option<EventStream<'_>> = uri
            .as_deref()
            .map(|uri| EventStream { address: StreamAddress::RequestUri(uri), inactivity_s: INACTIVITY_S });
        Ok(evaluate_flags(&set, &request, offered.as_slice(), tag, count))
    }
}

/// What is found, to be evaluated.
fn configuration(found: &Found) -> Option<Configuration<'_>> {
    Some(Configuration {
        profile: &found.profile,
        version: &found.content.version,
        label: found.content.label.as_deref(),
        content: &found.content.digest,
        flags: found.content.flags()?,
    })
}

/// The only place that the agent knows.
fn only_place(keeper: &Keeper) -> Result<Place, Answer> {
    let places: BTreeSet<Place> = keeper.known().iter().map(|name| name.place()).collect();
    let mut places = places.into_iter();
    match (places.next(), places.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Answer::general(
            StatusCode::BAD_REQUEST,
            "say which environment, in the path, as in /my-application/my-environment/ofrep/v1/evaluate/flags",
        )),
    }
}

/// The flags that `entity` has of each profile, in the order of the profiles' names.
async fn find(keeper: &Arc<Keeper>, subject: &Subject, entity: Option<&str>) -> Result<Vec<Found>, Answer> {
    let mut found = vec![];
    let mut trouble = None;
    let mut known = false;
    for profile in subject.profiles(keeper) {
        match keeper.held(&subject.name(&profile)?).await {
            Ok((entry, held)) => {
                known = true;
                let content = held.content_for(entity, keeper.own());
                let flags = content.filter(|content| content.flags().is_some()).cloned();
                found.extend(flags.map(|content| Found { profile, entry, content }));
            }
            Err(refusal) => trouble = Some(refusal),
        }
    }
    match trouble {
        _ if known => Ok(found),
        Some(Refusal::Upstream(Trouble::NotFound { message, .. })) => {
            Err(Answer::general(StatusCode::NOT_FOUND, &message))
        }
        Some(refusal) => {
            Err(Answer::later(StatusCode::SERVICE_UNAVAILABLE, &refusal.to_string(), COME_BACK_S))
        }
        None => {
            let details = "the agent holds no flags of this environment: name profiles with ?profile=NAME, \
                           or in PREFETCH_LIST or the manifest";
            Err(Answer::general(StatusCode::NOT_FOUND, details))
        }
    }
}

async fn read(body: Body) -> Result<Bytes, Answer> {
    read_body(body, BODY_BYTES, BODY_TIME).await.map_err(|why| match why {
        Unread::TooLarge(_) => {
            Answer::general(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB")
        }
        Unread::TooSlow => Answer::general(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        Unread::Broken => Answer::general(StatusCode::BAD_REQUEST, "the body could not be read"),
    })
}
