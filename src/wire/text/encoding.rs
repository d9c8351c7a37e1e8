//! Encodings by name.

use std::fmt;
use std::str::FromStr;

use encoding_rs as tables;

use crate::Error;

/// How text is written as bytes: UTF-8, if nobody says otherwise.
///
/// ```
/// use wirespool::wire::Encoding;
///
/// let encoding: Encoding = "Windows-1251".parse()?;
/// assert_eq!(encoding.to_string(), "cp1251"); // as Python calls it
/// # Ok::<(), wirespool::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Utf8,
    /// Seven bits: what has the eighth is none of it.
    Ascii,
    /// ISO 8859-1 as it is: byte N is character N. (The Encoding Standard means windows-1252 by it.)
    Latin1,
    /// The byte order is what a byte order mark says, little-endian before one does.
    Utf16,
    Utf16Le,
    Utf16Be,
    /// One of the Encoding Standard's that keep no state from one character to the next.
    Table(&'static tables::Encoding),
}

use Kind::Table;

/// What each encoding is called, first as it is displayed; Python knows the first name, too. Other names
/// stand as [`squeezed`] leaves them.
///
/// No encoding here has line feed or carriage return as a later byte of a character: those of cp932 are
/// 0x40 and above, those of gb18030 the digits 0x30 to 0x39 and 0x40 and above, those of gbk, big5, cp949 and
/// euc-jp 0x40 and above. So lines can be cut by bytes, but in UTF-16.
const KNOWN: &[(&str, Kind, &[&str])] = &[
    ("utf-8", Kind::Utf8, &["u8", "cp65001"]),
    ("ascii", Kind::Ascii, &["usascii", "646", "iso646us"]),
    ("latin-1", Kind::Latin1, &["iso88591", "88591", "8859", "cp819", "l1", "latin"]),
    ("utf-16", Kind::Utf16, &["u16"]),
    ("utf-16le", Kind::Utf16Le, &[]),
    ("utf-16be", Kind::Utf16Be, &[]),
    ("cp866", Table(tables::IBM866), &["866", "ibm866"]),
    ("cp874", Table(tables::WINDOWS_874), &["windows874"]),
    (
        "cp932",
        Table(tables::SHIFT_JIS),
        &["932", "ms932", "windows31j", "shiftjis", "sjis", "xsjis", "mskanji"],
    ),
    (
        "cp949",
        Table(tables::EUC_KR),
        &["949", "ms949", "uhc", "euckr", "korean", "ksc5601", "ksx1001"],
    ),
    ("cp1250", Table(tables::WINDOWS_1250), &["1250", "windows1250"]),
    ("cp1251", Table(tables::WINDOWS_1251), &["1251", "windows1251"]),
    ("cp1252", Table(tables::WINDOWS_1252), &["1252", "windows1252"]),
    ("cp1253", Table(tables::WINDOWS_1253), &["1253", "windows1253"]),
    ("cp1254", Table(tables::WINDOWS_1254), &["1254", "windows1254"]),
    ("cp1255", Table(tables::WINDOWS_1255), &["1255", "windows1255"]),
    ("cp1256", Table(tables::WINDOWS_1256), &["1256", "windows1256"]),
    ("cp1257", Table(tables::WINDOWS_1257), &["1257", "windows1257"]),
    ("cp1258", Table(tables::WINDOWS_1258), &["1258", "windows1258"]),
    ("iso-8859-2", Table(tables::ISO_8859_2), &["88592", "latin2", "l2"]),
    ("iso-8859-3", Table(tables::ISO_8859_3), &["88593", "latin3", "l3"]),
    ("iso-8859-4", Table(tables::ISO_8859_4), &["88594", "latin4", "l4"]),
    ("iso-8859-5", Table(tables::ISO_8859_5), &["88595", "cyrillic"]),
    ("iso-8859-6", Table(tables::ISO_8859_6), &["88596", "arabic"]),
    ("iso-8859-7", Table(tables::ISO_8859_7), &["88597", "greek", "greek8"]),
    ("iso-8859-8", Table(tables::ISO_8859_8), &["88598", "hebrew"]),
    ("iso-8859-10", Table(tables::ISO_8859_10), &["885910", "latin6", "l6"]),
    ("iso-8859-13", Table(tables::ISO_8859_13), &["885913", "latin7", "l7"]),
    ("iso-8859-14", Table(tables::ISO_8859_14), &["885914", "latin8", "l8"]),
    ("iso-8859-15", Table(tables::ISO_8859_15), &["885915", "latin9", "l9"]),
    ("iso-8859-16", Table(tables::ISO_8859_16), &["885916", "latin10", "l10"]),
    ("koi8-r", Table(tables::KOI8_R), &[]),
    ("koi8-u", Table(tables::KOI8_U), &[]),
    ("mac-roman", Table(tables::MACINTOSH), &["macintosh"]),
    ("mac-cyrillic", Table(tables::X_MAC_CYRILLIC), &["xmaccyrillic"]),
    ("big5hkscs", Table(tables::BIG5), &["big5", "big5tw", "csbig5", "hkscs"]),
    ("euc-jp", Table(tables::EUC_JP), &["ujis"]),
    ("gbk", Table(tables::GBK), &["936", "cp936", "ms936", "gb2312", "euccn"]),
    ("gb18030", Table(tables::GB18030), &["gb180302000"]),
];

impl Encoding {
    /// The encoding of text that names none.
    pub const UTF_8: Encoding = Encoding(Kind::Utf8);
    /// UTF-16 in the byte order that a mark says, little-endian before one does.
    pub const UTF_16: Encoding = Encoding(Kind::Utf16);
    /// UTF-16, the less significant byte first.
    pub const UTF_16_LE: Encoding = Encoding(Kind::Utf16Le);
    /// UTF-16, the more significant byte first.
    pub const UTF_16_BE: Encoding = Encoding(Kind::Utf16Be);

    /// The encodings there are, each as it is displayed.
    pub fn all() -> impl Iterator<Item = Encoding> {
        KNOWN.iter().map(|known| Encoding(known.1))
    }

    /// The encoding of this name, or why there is none.
    pub(in crate::wire) fn named(name: &str) -> Result<Encoding, String> {
        let squeezed = squeezed(name);
        let known = KNOWN.iter().find(|(known, _, others)| {
            self::squeezed(known) == squeezed || others.contains(&squeezed.as_str())
        });
        if let Some((_, kind, _)) = known {
            return Ok(Encoding(*kind));
        }
        let why = match squeezed.as_str() {
            "hz" | "hzgb2312" | "utf7" | "u7" => Some(STATEFUL),
            stateful if stateful.starts_with("iso2022") => Some(STATEFUL),
            "replacement" => Some("it stands for encodings that are not to be read"),
            "utf8sig" => Some("write utf-8, of which a byte order mark is a character"),
            "iso88599" | "latin5" | "l5" => Some("cp1254 is the same but for bytes 0x80 to 0x9f"),
            "iso885911" | "thai" | "tis620" => Some("cp874 is the same but for bytes 0x80 to 0x9f"),
            _ => None,
        };
        if let Some(why) = why {
            return Err(format!("text is not read as {name}: {why}"));
        }
        let names: Vec<_> = KNOWN.iter().map(|known| known.0).collect();
        // No encoding has a point in its name; messages with a package do.
        let hint = if name.contains('.') { "only protobuf takes a message; " } else { "" };
        Err(format!("no encoding is called {name:?}; {hint}there are {}", names.join(", ")))
    }

    /// What it is called, here and in Python: `cp1251`.
    pub fn name(self) -> &'static str {
        // Every encoding is in the list: no other is made.
        KNOWN.iter().find(|known| known.1 == self.0).map_or("utf-8", |known| known.0)
    }
}

const STATEFUL: &str =
    "a byte of it may change what all that follow mean, and messages stand alone";

/// A name without what people write differently.
fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | ' ' | '.' | ':'));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

impl Default for Encoding {
    fn default() -> Encoding {
        Encoding::UTF_8
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Encoding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Encoding, Error> {
        Encoding::named(name).map_err(Error::Usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_found_by_its_own_name_and_by_no_other_ones() {
        for (name, kind, others) in KNOWN {
            for name in others.iter().chain([name]) {
                assert_eq!(Encoding::named(name).unwrap().0, *kind, "{name}");
                assert_eq!(
                    Encoding::named(&name.to_uppercase().replace('-', "_")).unwrap().0,
                    *kind,
                    "{name}"
                );
            }
            let own = Encoding(*kind);
            assert_eq!(own.to_string().parse::<Encoding>().unwrap(), own);
        }
    }

    #[test]
    fn names_that_mean_one_encoding_to_python_mean_the_same_here() {
        for (name, known) in [
            ("iso-8859-1", "latin-1"),
            ("latin1", "latin-1"),
            ("ISO_8859_15", "iso-8859-15"),
            ("utf_16_le", "utf-16le"),
            ("UTF-16-BE", "utf-16be"),
            ("windows-1251", "cp1251"),
            ("Shift_JIS", "cp932"),
            ("us-ascii", "ascii"),
            ("utf8", "utf-8"),
        ] {
            assert_eq!(name.parse::<Encoding>().unwrap().to_string(), known, "{name}");
        }
    }

    #[test]
    fn an_encoding_that_messages_cannot_stand_alone_in_is_refused_with_the_reason() {
        for name in ["iso-2022-jp", "ISO_2022_KR", "hz", "utf-7"] {
            let error = name.parse::<Encoding>().unwrap_err().to_string();
            assert!(error.contains("messages stand alone"), "{error}");
        }
        let error = "klingon".parse::<Encoding>().unwrap_err().to_string();
        assert!(error.contains("no encoding is called \"klingon\"; there are utf-8, "), "{error}");
    }
}
