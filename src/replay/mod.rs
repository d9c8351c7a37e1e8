//! Plays a recorded session at a server, or as one, and says whether what came back is what was
//! recorded.
//!
//! A [`Script`] is made from events; the [player](replay) carries it out; a [`Receipt`] says what
//! happened. Only comparisons that took place count, and nothing is concluded from silence.

mod compare;
mod driver;
mod pace;
mod peer;
mod player;
mod receipt;
mod same;
mod script;

pub use compare::Difference;
pub use pace::Speed;
pub use player::{Options, replay, serve};
pub use receipt::{ConnectionReceipt, Outcome, Receipt};
pub use script::{Action, Conversation, Script, Step};
