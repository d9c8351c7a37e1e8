//! messages
/// m
pub struct Message;
