//! Arguments of the network: addresses, and lengths of time.

use std::net::SocketAddr;
use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};

use crate::net::Address;

/// `"HOST:PORT"`, `(host, port)` as sockets give it, or a port of 127.0.0.1.
pub(super) struct AddressArgument(pub(super) Address);

impl<'py> FromPyObject<'_, 'py> for AddressArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<AddressArgument> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(AddressArgument(text.to_cow()?.parse::<Address>()?));
        }
        if object.is_instance_of::<PyInt>() {
            return Ok(AddressArgument(Address::loopback(port(&object)?)));
        }
        // An IPv6 socket's getsockname() has two more members.
        if let Ok(pair) = object.cast::<PyTuple>()
            && matches!(pair.len(), 2 | 4)
        {
            let host: String = pair.get_item(0)?.extract()?;
            if host.is_empty() {
                let words = "the host is empty; write out 0.0.0.0 for all interfaces";
                return Err(PyValueError::new_err(words));
            }
            return Ok(AddressArgument(Address::new(host, port(&pair.get_item(1)?)?)));
        }
        let name = object.get_type().name()?;
        Err(PyTypeError::new_err(format!(
            "an address is \"HOST:PORT\", a tuple (host, port) or a port, not {name}"
        )))
    }
}

fn port(object: &Bound<'_, PyAny>) -> PyResult<u16> {
    let number: i64 = object.extract()?;
    u16::try_from(number)
        .map_err(|_| PyValueError::new_err(format!("{number} is no port: ports are 0 to 65535")))
}

/// `(host, port)`, as Python's sockets take it.
pub(super) fn pair(address: SocketAddr) -> (String, u16) {
    (address.ip().to_string(), address.port())
}

/// A length of time in seconds.
#[derive(Clone, Copy)]
pub(super) struct Seconds(pub(super) Duration);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Seconds> {
        let seconds: f64 = object.extract()?;
        // Beyond a century any wait is for ever, and no deadline overflows.
        match Duration::try_from_secs_f64(seconds.min(3.2e9)) {
            Ok(duration) => Ok(Seconds(duration)),
            Err(_) => {
                Err(PyValueError::new_err(format!("{seconds} is no length of time in seconds")))
            }
        }
    }
}
