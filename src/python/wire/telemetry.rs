//! The message that every build knows, `pb.TempEvent`, with the interface of Python's generated class.

use prost::Message as _;
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt};

use super::super::error::decode_error;
use super::pickle::Bytes;
use crate::wire::protobuf::pb;
use crate::wire::{Fault, FaultKind};

/// A reading of a device: the message `pb.TempEvent`, as the class that protoc generates.
///
/// `device_id` and `event_id` are 32-bit integers, `humidity` and `temp_cel` 32-bit floats, `video_data`
/// bytes; a field that is not given is 0 or empty. Fields that the message does not have are dropped
/// when it is parsed.
#[pyclass(module = "wirespool")]
#[derive(Default)]
pub(in crate::python) struct TempEvent(pb::TempEvent);

impl TempEvent {
    /// Its full name, with the package.
    pub(in crate::python) const NAME: &'static str = "pb.TempEvent";
}

#[pymethods]
impl TempEvent {
    #[new]
    #[pyo3(signature = (**fields))]
    fn new(fields: Option<&Bound<'_, PyDict>>) -> PyResult<TempEvent> {
        let mut event = TempEvent::default();
        for (name, value) in fields.into_iter().flatten() {
            let name: String = name.extract()?;
            // The generated class takes None for a field that is not set.
            if value.is_none() {
                continue;
            }
            match name.as_str() {
                "device_id" => event.set_device_id(&value)?,
                "event_id" => event.set_event_id(&value)?,
                "humidity" => event.set_humidity(&value)?,
                "temp_cel" => event.set_temp_cel(&value)?,
                "video_data" => event.set_video_data(&value)?,
                _ => {
                    let words = format!("Protocol message TempEvent has no {name:?} field.");
                    return Err(PyValueError::new_err(words));
                }
            }
        }
        Ok(event)
    }

    /// Which device.
    #[getter]
    fn device_id(&self) -> i32 {
        self.0.device_id
    }

    #[setter]
    fn set_device_id(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.device_id = integer("device_id", value)?;
        Ok(())
    }

    /// Which of its events.
    #[getter]
    fn event_id(&self) -> i32 {
        self.0.event_id
    }

    #[setter]
    fn set_event_id(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.event_id = integer("event_id", value)?;
        Ok(())
    }

    /// Relative humidity.
    #[getter]
    fn humidity(&self) -> f32 {
        self.0.humidity
    }

    #[setter]
    fn set_humidity(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.humidity = float("humidity", value)?;
        Ok(())
    }

    /// Temperature in degrees Celsius.
    #[getter]
    fn temp_cel(&self) -> f32 {
        self.0.temp_cel
    }

    #[setter]
    fn set_temp_cel(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.temp_cel = float("temp_cel", value)?;
        Ok(())
    }

    /// A picture.
    #[getter]
    fn video_data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.video_data)
    }

    #[setter]
    fn set_video_data(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match value.cast::<PyBytes>() {
            Ok(bytes) => self.0.video_data = bytes.as_bytes().to_vec(),
            Err(_) => return Err(wrong("video_data", "bytes", value)),
        }
        Ok(())
    }

    /// The message's bytes, fields in the order of their numbers.
    #[pyo3(name = "SerializeToString")]
    fn serialize<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let pb::TempEvent { device_id, event_id, humidity, temp_cel, .. } = self.0;
        let mut bytes = pb::TempEvent { device_id, event_id, ..Default::default() }.encode_to_vec();
        // prost takes -0.0 for the default and leaves it out; protoc's classes do not.
        for (number, float) in [(3, humidity), (4, temp_cel)] {
            if float.to_bits() != 0 {
                prost::encoding::float::encode(number, &float, &mut bytes);
            }
        }
        if !self.0.video_data.is_empty() {
            prost::encoding::bytes::encode(5, &self.0.video_data, &mut bytes);
        }
        PyBytes::new(py, &bytes)
    }

    /// The message of these bytes. Raises DecodeError.
    #[staticmethod]
    #[pyo3(name = "FromString")]
    fn from_string(py: Python<'_>, data: Bytes) -> PyResult<TempEvent> {
        parse(py, data.as_slice()).map(TempEvent)
    }

    /// Become the message of these bytes; return how many there are. Raises DecodeError.
    #[pyo3(name = "ParseFromString")]
    fn parse_from_string(&mut self, py: Python<'_>, data: Bytes) -> PyResult<usize> {
        self.0 = parse(py, data.as_slice())?;
        Ok(data.as_slice().len())
    }

    fn __richcmp__(&self, other: &TempEvent, operator: CompareOp) -> Option<bool> {
        match operator {
            CompareOp::Eq => Some(self.0 == other.0),
            CompareOp::Ne => Some(self.0 != other.0),
            _ => None,
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let pb::TempEvent { device_id, event_id, humidity, temp_cel, .. } = self.0;
        Ok(format!(
            "TempEvent(device_id={device_id}, event_id={event_id}, humidity={humidity:?}, \
             temp_cel={temp_cel:?}, video_data={})",
            self.video_data(py).repr()?
        ))
    }
}

fn parse(py: Python<'_>, bytes: &[u8]) -> PyResult<pb::TempEvent> {
    pb::TempEvent::decode(bytes)
        .map_err(|error| decode_error(py, &Fault::new(FaultKind::Corrupt, 0, error.to_string())))
}

fn integer(field: &str, value: &Bound<'_, PyAny>) -> PyResult<i32> {
    // A float has no __index__: 1.5 is refused as well as 1.0, and so is a bool, as by protoc's classes.
    if value.is_instance_of::<PyBool>() {
        return Err(wrong(field, "an int", value));
    }
    let Ok(index) = value.call_method0("__index__") else {
        return Err(wrong(field, "an int", value));
    };
    let index = index.cast_into::<PyInt>()?;
    index.extract().map_err(|_| PyValueError::new_err(format!("Value out of range: {index}")))
}

fn float(field: &str, value: &Bound<'_, PyAny>) -> PyResult<f32> {
    match value.extract::<f64>() {
        // Beyond the range of 32 bits this is an infinity, as in the generated class.
        Ok(double) => Ok(double as f32),
        // An int beyond the range of 64 bits.
        Err(error) if value.is_instance_of::<PyInt>() => Err(error),
        Err(_) => Err(wrong(field, "a float", value)),
    }
}

fn wrong(field: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    match value.get_type().fully_qualified_name() {
        Ok(name) => PyTypeError::new_err(format!("{field} is {expected}, not {name}")),
        Err(error) => error,
    }
}
