//! What may have TCP inside that is not read.

use std::fmt;

/// What a packet is in that is not read: whether it carries TCP is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unread {
    /// IPsec's Encapsulating Security Payload, RFC 4303.
    Esp,
    /// IP payload compression, RFC 3173.
    IpComp,
    /// MACsec, IEEE 802.1AE.
    Macsec,
    /// What PPP compresses or encrypts, Van Jacobson's TCP headers among it, or sends in pieces.
    Ppp,
    /// GRE of version 1, RFC 2637, which PPTP uses.
    Pptp,
    /// GRE with a source route, RFC 1701.
    RoutedGre,
    /// L2TP of version 3, RFC 3931.
    L2tp,
    /// IEEE 802.11 with its own encryption.
    EncryptedWireless,
    /// IEEE 802.11 in fragments, or several packets in one frame.
    WirelessParts,
    /// Tunnels in tunnels, deeper than is read.
    Depth,
}

/// In words that follow "3 packets".
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unread::Esp => "encrypted by IPsec (ESP)",
            Unread::IpComp => "compressed by IPComp",
            Unread::Macsec => "protected by MACsec, which is not read",
            Unread::Ppp => "compressed, encrypted or in pieces by PPP",
            Unread::Pptp => "in a tunnel that is not read: PPTP (GRE version 1)",
            Unread::RoutedGre => "in a tunnel that is not read: GRE with a source route",
            Unread::L2tp => "in a tunnel that is not read: L2TP version 3",
            Unread::EncryptedWireless => "encrypted by 802.11",
            Unread::WirelessParts => "in 802.11 fragments or aggregates, which are not read",
            Unread::Depth => "in more than 8 IP packets, one in another",
        })
    }
}
