//! Calls that the server makes to the outside: extensions, webhooks, alarm sources.
//!
//! Whoever may name a URL makes the server call it from where the server stands, behind the firewall. So [`Outbound`]
//! looks at every address that it connects to, after the name was resolved and for every connection anew, and asks a
//! [`Policy`] about it. A name that resolves to another address the second time does not get round that.
//!
//! - [`Target`] is a URL that can be called; [`Call`] is what is sent there.
//! - [`signed`] makes the headers by which a receiver knows a call as ours.
//! - [`AddressClass`] says what an address is; [`Policy`] and [`Network`] say which are called.
//!
//! **Invariants:** every call ends, in an answer or an error, within the time given for it; no answer is larger than
//! allowed; redirects are not followed; link-local, metadata, multicast and unspecified addresses are never called.

mod address;
mod client;
mod connector;
mod error;
mod network;
mod policy;
mod resolver;
mod signed;
mod target;
mod trust;

pub use address::AddressClass;
pub use client::{Call, Outbound, Settings};
pub use error::{Cause, OutboundError};
pub use network::{InvalidNetwork, Network};
pub use policy::Policy;
pub use resolver::{Resolve, Resolving, SystemResolver};
pub use signed::{secret_text, signed};
pub use target::{InvalidTarget, Target};
pub use trust::system_trust;
