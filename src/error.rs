//! Every way in which wirespool can fail. Each message says what, where and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// The result of whatever can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
///
/// A message that cannot be decoded is no error but a [`Fault`](crate::wire::Fault) of that message:
/// the session goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb: `open`, `write`.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An output file is there already, and nobody said that it may go.
    #[error("{} exists already; choose another name, or overwrite it with --force", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// A socket could not be opened, or a connection broke.
    #[error("cannot {action} {address}: {source}{}", advice(source))]
    Network {
        /// What was tried, as a verb: `listen on`, `connect to`.
        action: &'static str,
        /// With which address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Packets could not be captured.
    #[error("cannot capture on {interface}: {reason}")]
    Capture {
        /// From which interfaces.
        interface: String,
        /// What kind of failure it is: `NotFound` if there is no program that captures, `PermissionDenied`
        /// if none may.
        kind: io::ErrorKind,
        /// Why not, and what mends it.
        reason: String,
    },
    /// The program that captured has ended before it was to; what came before is in the file.
    #[error("capturing on {interface} ended: {reason}; what came before is in {}", path.display())]
    CaptureEnded {
        /// From which interfaces.
        interface: String,
        /// In which way it ended.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// Text that is no address.
    #[error(
        "{given:?} is no address: {reason}; write HOST:PORT, [IPv6]:PORT, or PORT for 127.0.0.1"
    )]
    Address {
        /// The text.
        given: String,
        /// Why not.
        reason: &'static str,
    },
    /// Text that is no format.
    #[error("{given:?} is no format: {reason}")]
    Format {
        /// The text.
        given: String,
        /// Why not, and what would be.
        reason: String,
    },
    /// A file that defines no messages, or cannot be understood.
    #[error("cannot read the schema: {reason}")]
    Schema {
        /// Which file, where in it and why, and what to do.
        reason: String,
    },
    /// A configuration file that makes no sense.
    #[error("{}: {reason}", path.display())]
    Configuration {
        /// Which file.
        path: PathBuf,
        /// Where in it, and why.
        reason: String,
    },
    /// A value that cannot be encoded in the format asked for, or is no value at all.
    #[error("cannot encode as {format}: {reason}")]
    Value {
        /// The format's spelling.
        format: String,
        /// Why not, with the place in the value.
        reason: String,
    },
    /// A file that is no capture.
    #[error("{} is no capture: {reason}", path.display())]
    NotACapture {
        /// Which file.
        path: PathBuf,
        /// What it looks like instead.
        reason: String,
    },
    /// A capture that is damaged so that nothing after the place can be read.
    #[error("{} is damaged at byte {offset}: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where, in bytes from the beginning.
        offset: u64,
        /// In what way.
        reason: String,
    },
    /// A message that was asked for as a value could not be decoded.
    #[error(transparent)]
    Decode(#[from] crate::wire::Fault),
    /// A request that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Whoever reads our output has gone.
    #[error("the reader of the output has gone")]
    BrokenPipe,
    /// The user asked to stop before the work was done.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A failure on a file.
    pub fn file(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> Error {
        Error::File { action, path: path.as_ref().to_owned(), source }
    }

    /// A failure on a socket.
    pub fn network(action: &'static str, address: impl ToString, source: io::Error) -> Error {
        Error::Network { action, address: address.to_string(), source }
    }
}

/// What to do about a failure that the system's words alone leave open.
fn advice(source: &io::Error) -> &'static str {
    match source.raw_os_error() {
        Some(libc::EMFILE) => {
            "; every connection needs a descriptor: allow more of them with `ulimit -n`"
        }
        _ => "",
    }
}
