//! What a made-up connection is to go through.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use wirespool::session::Side;

use crate::random::Random;

/// Which of the handshake is in the capture, and of which kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    Whole,
    WithoutSyn,
    WithoutAnswer,
    /// Data in the SYN, which the server takes or not (RFC 7413).
    Fast,
    /// Both dial.
    Simultaneous,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    BothFin,
    OneFin(Side),
    Reset(Side),
    None,
}

/// What happens to a connection's packets; rates are of a hundred.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub handshake: Handshake,
    pub ending: Ending,
    /// Whose packets are in the capture, if not both sides'.
    pub only: Option<Side>,
    /// Lost before the receiver: sent again.
    pub lost: u64,
    /// Received, but not in the capture.
    pub missed: u64,
    pub reordered: u64,
    pub repeated: u64,
    /// Other bytes at positions that are in the capture, or will be.
    pub forged: u64,
    /// How much of each payload is captured.
    pub snap: Option<usize>,
}

impl Plan {
    /// Any plan; `last_wins` is for captures that lack nothing, since there what is held is clear.
    pub fn any(random: &mut Random, first: bool, last_wins: bool) -> Plan {
        let handshake = match random.below(10) {
            0 if first => Handshake::WithoutSyn,
            1 if first => Handshake::None,
            2 => Handshake::WithoutAnswer,
            3 => Handshake::Simultaneous,
            4 => Handshake::Fast,
            _ => Handshake::Whole,
        };
        let side = if random.percent(50) { Side::Client } else { Side::Server };
        let ending = match random.below(6) {
            0 => Ending::None,
            1 => Ending::OneFin(side),
            2 => Ending::Reset(side),
            _ => Ending::BothFin,
        };
        let mut rate = |most: usize| if random.percent(50) { random.below(most) as u64 } else { 0 };
        let mut plan = Plan {
            handshake,
            ending,
            only: None,
            lost: rate(40),
            missed: rate(30),
            reordered: rate(50),
            repeated: rate(20),
            forged: rate(20),
            snap: None,
        };
        if last_wins {
            plan.missed = 0;
        } else if random.percent(8) {
            // What one segment lacks another has: when it comes matters then.
            let snap = Some(random.below(30));
            plan = Plan { handshake: Handshake::Whole, lost: 0, forged: 0, snap, ..plan };
        } else if random.percent(8) && (first || side == Side::Client) {
            let ending = if random.percent(50) { Ending::OneFin(side) } else { Ending::None };
            plan = Plan { handshake: Handshake::Whole, ending, only: Some(side), ..plan };
        }
        plan
    }
}

/// Two ends, of IPv4 or IPv6, whose ports tell the server.
pub fn ends(random: &mut Random, number: usize) -> [SocketAddr; 2] {
    let (client, server) = (50_000 + number as u16, [80, 22, 443][random.below(3)]);
    match random.percent(50) {
        true => [
            SocketAddr::from((Ipv4Addr::new(10, 0, 0, number as u8), client)),
            SocketAddr::from((Ipv4Addr::new(10, 0, 1, 1), server)),
        ],
        false => [
            SocketAddr::from((Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 9), client)),
            SocketAddr::from((Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, 1), server)),
        ],
    }
}
