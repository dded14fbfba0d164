//! Pages of lists.
//!
//! A token says where the page before ended: a position in the list's order, which is the log position of a resource's
//! creation or a number counted up. **Invariants:** positions are never used again, so walking the pages gives every
//! entry that is there throughout exactly once, whatever is created or deleted meanwhile; a page costs no more than its
//! entries, as far as the list is kept in its order.

use crate::arguments::{Arguments, Checked};
use crate::call::Call;
use crate::fault::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use yardarm_wire::pages::Page;

/// The most entries of a page, and how many it has unless fewer are wanted.
const MOST: u32 = 50;

/// First byte of every token, so that another form can be told apart one day.
const FORM: u8 = 1;

/// The lists, by the byte that stands for them in tokens: a token of one list is no token of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Applications = 1,
    Environments = 2,
    ConfigurationProfiles = 3,
    HostedVersions = 4,
    DeploymentStrategies = 5,
    Deployments = 6,
    Extensions = 7,
    ExtensionAssociations = 8,
}

/// Which page is wanted, as far as the constraints of its members go.
#[derive(Debug)]
pub(super) struct PageRequest {
    limit: u32,
    token: Option<String>,
}

impl PageRequest {
    /// From the query.
    pub(super) fn read(arguments: &mut Arguments, call: &Call) -> Checked<Self> {
        let wanted = call.query("max_results");
        let token = call.query("next_token");
        let limit = arguments.optional_number_text("MaxResults", wanted.as_deref(), 1..=MOST);
        let checked = arguments.optional_text("NextToken", token.as_deref(), 1..=2_048).map(|_| ());
        Checked::all((limit, checked)).map(|(limit, ())| Self { limit: limit.unwrap_or(MOST), token })
    }

    /// The page's place in `list`.
    ///
    /// # Errors
    /// The token is none of this list's.
    pub(super) fn of(self, list: List) -> Result<Place, Fault> {
        let after = match self.token {
            None => None,
            Some(token) => {
                let invalid = || Fault::bad_request(format!("Invalid nextToken parameter {token}."));
                Some(position(&token, list).ok_or_else(invalid)?)
            }
        };
        Ok(Place { list, limit: self.limit, after })
    }
}

/// A page's place in its list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    list: List,
    limit: u32,
    /// Position of the last entry of the page before; `None` for the first page.
    pub(super) after: Option<u64>,
}

impl Place {
    /// The page of a list that is kept in no order: `entries` are all there are, each with its position, lowest first
    /// in the list.
    pub(super) fn sorted<E, T>(
        self,
        entries: impl Iterator<Item = (u64, E)>,
        body: impl Fn(E) -> T,
    ) -> Page<T> {
        let rest = entries.filter(|(position, _)| self.after.is_none_or(|after| *position > after));
        let mut rest: Vec<_> = rest.collect();
        rest.sort_unstable_by_key(|(position, _)| *position);
        self.page(rest.into_iter(), body)
    }

    /// The page that begins with the first of `entries`: what comes after the page before, each with its position, in
    /// the order of the list. No more of them are taken than are needed.
    pub(super) fn page<E, T>(
        self,
        entries: impl Iterator<Item = (u64, E)>,
        body: impl Fn(E) -> T,
    ) -> Page<T> {
        let mut entries = entries.peekable();
        let mut items = Vec::new();
        let mut last = 0;
        while items.len() < self.limit as usize
            && let Some((position, entry)) = entries.next()
        {
            items.push(body(entry));
            last = position;
        }
        let next_token = entries.peek().map(|_| token(self.list, last));
        Page { items, next_token }
    }
}

fn token(list: List, position: u64) -> String {
    let mut bytes = vec![FORM, list as u8];
    bytes.extend(position.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn position(token: &str, list: List) -> Option<u64> {
    // Ten bytes are fourteen letters; nothing longer is decoded.
    if token.len() != 14 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (head, position) = bytes.split_first_chunk::<2>()?;
    (*head == [FORM, list as u8]).then(|| position.try_into().ok().map(u64::from_be_bytes))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_leads_back_to_its_position_in_its_own_list_only() {
        let token = token(List::Applications, 77);
        assert_eq!(position(&token, List::Applications), Some(77));
        assert_eq!(position(&token, List::Environments), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_of_tokens_panic(text in "\\PC{0,20}") {
            let _ = position(&text, List::Applications);
        }

        #[test]
        fn every_position_survives_its_token(at: u64) {
            prop_assert_eq!(position(&token(List::Deployments, at), List::Deployments), Some(at));
        }
    }
}
