//! Plays a recorded session at a server, or as one, and says whether what came back is what was
//! recorded.
//!
//! ```text
//! events ─▶ Script ─▶ replay, serve: a driver per connection ─▶ Receipt
//!                    (when)    (pace)        (compare)
//! ```
//!
//! A [`Script`] is made from events; the players carry it out; a [`Receipt`] says what happened. Only
//! comparisons that took place count, and nothing is concluded from silence.

mod between;
mod carry;
mod chosen;
mod client;
mod clock;
mod compare;
mod condition;
mod diff;
mod document;
mod driver;
mod options;
mod pace;
mod path;
mod peer;
mod place;
mod players;
mod receipt;
mod rules;
mod same;
mod script;
mod server;
mod timing;

pub use between::replay_between;
pub use carry::{Carriage, Carry};
pub use chosen::Chosen;
pub use client::replay;
pub use compare::{Comparison, Difference};
pub use condition::Condition;
pub use diff::diff;
pub use options::{Matching, Miss, Options, Record, Serving};
pub use pace::{Pace, Speed};
pub use path::Path;
pub use receipt::{CaptureDigest, ConnectionReceipt, Outcome, Receipt};
pub use rules::{Compare, Rules, Tolerance};
pub use script::{Action, Conversation, Gap, Script, Step};
pub use server::{Unmatched, UnmatchedClient, serve};
pub use timing::{Punctuality, Timing};
