//! Replaying: as the client, as the server, and the receipt; and comparing without.

mod arguments;
mod client;
mod compare;
mod connection;
mod difference;
mod playing;
mod punctuality;
mod receipt;
mod server;
mod unmatched;

pub(super) use client::replay;
pub(super) use compare::diff;
pub(super) use connection::ConnectionReceipt;
pub(super) use difference::Difference;
pub(super) use punctuality::Punctuality;
pub(super) use receipt::{CaptureDigest, Receipt};
pub(super) use server::{Serving, serve};
pub(super) use unmatched::{Unmatched, UnmatchedClient};
