//! Sources of events while they happen: the in-line [`proxy`], the endpoints that [`listen`] and [`send`]
//! as a server and a client would, and [`passive`] recording. They know no sink but the trait.

mod accept;
mod endpoint;
mod passive;
mod proxy;
mod sender;

pub use accept::{Limits, Notice, Observer};
pub use endpoint::{Endpoint, listen};
pub use passive::{Recorded, passive};
pub use proxy::proxy;
pub use sender::{Sending, send};
