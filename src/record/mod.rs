//! Sources of events that carry the traffic themselves: the in-line [`proxy`], and the endpoints that
//! [`listen`] and [`send`] as a server and a client would. They know no sink but the trait.

mod accept;
mod endpoint;
mod proxy;
mod sender;

pub use accept::{Limits, Notice, Observer};
pub use endpoint::{Endpoint, listen};
pub use proxy::proxy;
pub use sender::{Sending, send};
