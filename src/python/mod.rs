//! The Python module `wirespool._native`: the same core as the command's, bound topic by topic. No
//! logic lives here, only the translation of arguments, values, errors and waiting.
//!
//! | file | binds |
//! | --- | --- |
//! | `capture` | [`crate::capture`]: `open`, its messages and events |
//! | `message`, `session` | `Message` and `Fault`; `Event` |
//! | `record` | [`crate::record`]: `record`, `listen`, `connect` |
//! | `replay` | [`crate::replay`]: `replay`, `serve`, `diff`, their receipt |
//! | `wire` | [`crate::wire`]: values to and from Python, `pickle`, `TempEvent` |
//! | `selection`, `reassembly` | keywords: what of captures is meant, how it is put together |
//! | `net`, `error` | addresses; exceptions |
//! | `service` | work on a thread of its own, and waiting for it so that Ctrl-C is heard |

mod capture;
mod error;
mod message;
mod net;
mod reassembly;
mod record;
mod replay;
mod selection;
mod service;
mod session;
mod wire;

use std::ffi::OsString;

use pyo3::prelude::*;

/// The compiled core of wirespool.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::capture::{Capture, Events, Messages, Origin, open};
    #[pymodule_export]
    use super::message::{Fault, Message};
    #[pymodule_export]
    use super::record::{Listener, Peer, Recording, connect, listen, record};
    #[pymodule_export]
    use super::replay::{
        CaptureDigest, ConnectionReceipt, Difference, Punctuality, Receipt, Serving, Unmatched,
        UnmatchedClient, diff, replay, serve,
    };
    #[pymodule_export]
    use super::run;
    #[pymodule_export]
    use super::session::Event;
    #[pymodule_export]
    use super::wire::audit::{Audit, AuditRequest, audit};
    #[pymodule_export]
    use super::wire::{
        Opaque, Recipe, Schema, TempEvent, decode, dump, dumps, encode, load, loads,
    };

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::error::add_to(module)
    }
}

/// Run the `wirespool` command with these words, the program's name first; return its exit status.
///
/// Set SIGINT to `signal.SIG_DFL` first: Python's own handler is not run meanwhile.
#[pyfunction]
fn run(py: Python<'_>, argv: Vec<OsString>) -> u8 {
    py.detach(|| crate::cli::run(argv))
}
