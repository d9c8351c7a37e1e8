//! Which format holds where several are named.

use std::sync::Arc;

use super::Configuration;
use crate::message::{Formats, FormatsByCapture, FormatsByPort};
use crate::session::Side;
use crate::wire::protobuf::Schema;
use crate::wire::{Codec, Format, Settings, visible};
use crate::{Error, Result};

/// How many characters of a label are shown that is not understood: anybody can write one.
const LABEL_SHOWN: usize = 100;

/// All that says what messages are. What the user names holds before what a capture says that it was
/// recorded as, that before what `wirespool.toml` says of the server's port, and that before a guess.
#[derive(Clone, Debug, Default)]
pub struct FormatChoice {
    /// What the user names for the client, and for the server.
    pub given: [Option<Format>; 2],
    /// The messages that formats may name.
    pub schema: Schema,
    /// What `wirespool.toml` says.
    pub configuration: Configuration,
    /// How bytes are read, whatever their format is.
    pub settings: Arc<Settings>,
}

impl FormatChoice {
    /// What the user names for both sides.
    pub fn of(format: Format) -> FormatChoice {
        let settings = format.settings().clone();
        FormatChoice { given: [Some(format.clone()), Some(format)], settings, ..Default::default() }
    }

    /// The format of this spelling.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format).
    pub fn parse(&self, spelling: &str) -> Result<Format> {
        Ok(Format::parse_with(spelling, &self.schema)?.with_settings(&self.settings))
    }

    /// Whether the user names the format of a side.
    pub fn is_given(&self) -> bool {
        self.given.iter().any(Option::is_some)
    }

    /// What the user names, if it is the format of both sides.
    pub fn both(&self) -> Option<Formats> {
        let [client, server] = self.given.clone();
        Some(Formats::new(client?, server?))
    }

    /// The formats of a capture that says that it was recorded as `label`; of a side of which nothing says
    /// what it is, `unknown`.
    pub fn of_capture(&self, label: Option<&str>, unknown: &Format) -> FormatsByPort {
        if let Some(labelled) = label.map(|label| self.labelled(label)) {
            return self.overridden(labelled).into();
        }
        let ports = self.configuration.ports();
        let ports = ports.map(|(port, formats)| (port, self.overridden(formats.clone()))).collect();
        let unknown = unknown.clone().with_settings(&self.settings);
        FormatsByPort::new(ports, self.overridden(unknown.into()))
    }

    /// [`of_capture`](FormatChoice::of_capture) of captures that are read as one, by what each says.
    pub fn of_captures<'a>(
        &self,
        labels: impl IntoIterator<Item = Option<&'a str>>,
        unknown: &Format,
    ) -> FormatsByCapture {
        let captures = labels.into_iter().map(|label| self.of_capture(label, unknown));
        FormatsByCapture::new(captures.collect(), self.of_capture(None, unknown))
    }

    /// The formats that are known for a live connection to this port of a server, if any are; a side of
    /// which nothing says what it is is looked at.
    pub fn of_port(&self, port: u16) -> Option<Formats> {
        let Some(configured) = self.configuration.of(port) else {
            return self.is_given().then(|| self.overridden(Format::auto().into()));
        };
        // To find a format out is to look there first.
        let mut named = self.clone();
        named.given.iter_mut().for_each(|given| {
            given.take_if(|format| *format.codec() == Codec::Auto);
        });
        Some(named.overridden(configured.clone()))
    }

    /// What a capture says that it was recorded as. One of a later version may name a format that this
    /// one does not know, and any a message of a schema that is not here: then a side is read by field
    /// numbers, if it is said where messages end, and else looked at.
    pub fn labelled(&self, label: &str) -> Formats {
        let by_number = |spelling: &str| {
            let (_, framing) = spelling.strip_prefix("protobuf:")?.split_once('/')?;
            Format::parse(&format!("protobuf/{framing}")).ok()
        };
        let side = |spelling: &str| {
            let known = Format::parse_with(spelling, &self.schema).ok();
            Ok(known.or_else(|| by_number(spelling)).unwrap_or_else(Format::auto))
        };
        let formats = Formats::parse_by(label, side);
        formats.unwrap_or_else(|_| Format::auto().into()).with_settings(&self.settings)
    }

    /// Why a capture is not read as it says that it was recorded, in words; `None` if it is, or is told
    /// otherwise.
    pub fn misunderstood(&self, label: Option<&str>) -> Option<String> {
        let label = label.filter(|_| !self.given.iter().all(Option::is_some))?;
        match Formats::parse_with(label, &self.schema) {
            Err(Error::Format { reason, .. }) => {
                let shown: String = label.chars().take(LABEL_SHOWN).collect();
                Some(format!("recorded as {}, and read otherwise: {reason}", visible(&shown)))
            }
            _ => None,
        }
    }

    /// These formats, but for those that the user names.
    fn overridden(&self, formats: Formats) -> Formats {
        let side = |side: Side| {
            let given = self.given[side.index()].as_ref();
            given.unwrap_or(formats.of(side)).clone()
        };
        Formats::new(side(Side::Client), side(Side::Server)).with_settings(&self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(spelling: &str) -> Format {
        spelling.parse().unwrap()
    }

    fn of_capture(choice: &FormatChoice, label: Option<&str>, port: u16) -> String {
        choice.of_capture(label, &Format::auto()).of(Some(port)).to_string()
    }

    #[test]
    fn what_the_user_names_holds_before_the_label_and_that_before_the_port() {
        let mut choice = FormatChoice::default();
        assert_eq!(of_capture(&choice, None, 80), "auto");
        choice.configuration = Configuration::of_ports([(80, format("text/line").into())]);
        assert_eq!(of_capture(&choice, None, 80), "text/line");
        assert_eq!(of_capture(&choice, None, 81), "auto");
        assert_eq!(of_capture(&choice, Some("pickle"), 80), "pickle");
        assert_eq!(of_capture(&choice, Some("of a later version"), 80), "auto");
        choice.given[1] = Some(format("raw"));
        assert_eq!(of_capture(&choice, Some("pickle"), 80), "client=pickle server=raw");
        assert_eq!(of_capture(&choice, None, 80), "client=text/line server=raw");
        choice.given[0] = Some(format("text"));
        assert_eq!(of_capture(&choice, Some("pickle"), 80), "client=text server=raw");
    }

    #[test]
    fn a_label_is_believed_as_far_as_it_is_understood() {
        let choice = FormatChoice::default();
        for (label, read) in [
            ("client=protobuf:no.No/u32be server=text", "client=protobuf/u32be server=text"),
            ("client=of a later version server=text", "client=auto server=text"),
            ("protobuf:no.No/varint", "protobuf/varint"),
            ("protobuf:no.No/guess", "auto"),
            ("protobuf:no.No", "auto"),
            ("client=text", "auto"),
        ] {
            assert_eq!(of_capture(&choice, Some(label), 80), read);
        }
    }

    #[test]
    fn of_a_live_connection_only_what_somebody_says_is_known() {
        let mut choice = FormatChoice::default();
        assert_eq!(choice.of_port(80), None);
        choice.configuration = Configuration::of_ports([(80, format("text/line").into())]);
        assert_eq!(choice.of_port(80).unwrap().to_string(), "text/line");
        assert_eq!(choice.of_port(81), None);
        choice.given[1] = Some(format("auto"));
        assert_eq!(choice.of_port(80).unwrap().to_string(), "text/line", "that is where to look");
        choice.given = [Some(format("pickle")), None];
        assert_eq!(choice.of_port(81).unwrap().to_string(), "client=pickle server=auto");
    }
}
