//! Sockets, as recording and replaying share them: addresses, listening, dialling, ending a
//! connection by FIN or RST, carrying one to another, reporting what happens on them, and being told to
//! stop.

mod address;
mod descriptors;
mod recorder;
mod relay;
mod socket;
mod stop;

pub use address::Address;
pub use descriptors::make_room;
pub use recorder::Recorder;
pub use relay::relay;
pub use socket::{abort, connect, connect_saying, is_reset, listen, refuse_loop, unacknowledged};
pub use stop::Stop;
