//! Conversations of every shape, played from either side to a live other end: one that does as
//! recorded, and ones that do not.

// What these tests share unwraps as the tests do.
#![allow(clippy::unwrap_used)]

mod support;

// Each file of `conversations/` would be a test of its own if it lay here.
#[path = "conversations/any.rs"]
mod any;
#[path = "conversations/bulk.rs"]
mod bulk;
#[path = "conversations/crossing.rs"]
mod crossing;
#[path = "conversations/endings.rs"]
mod endings;
#[path = "conversations/recorded.rs"]
mod recorded;
#[path = "conversations/shapes.rs"]
mod shapes;
#[path = "conversations/time.rs"]
mod time;
#[path = "conversations/trouble.rs"]
mod trouble;
