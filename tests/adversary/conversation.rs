//! One made-up connection: two TCPs, a network between them that loses, and a capture that misses.

use std::net::SocketAddr;
use std::ops::Range;

use wirespool::session::Side;

use crate::packet::Packet;
use crate::plan::{Ending, Handshake, Plan};
use crate::random::Random;

/// One side's bytes, and what became of them.
struct Sender {
    initial: u32,
    payload: Vec<u8>,
    /// How much was sent at least once.
    sent: usize,
    received: Vec<bool>,
    captured: Vec<bool>,
    /// What was sent into a closed window.
    probed: Vec<bool>,
    fin_sent: bool,
    fin_received: bool,
    window_closed: bool,
}

impl Sender {
    fn new(random: &mut Random, number: usize) -> Sender {
        // Often about to wrap, and another one than that of the connection before.
        let initial = match random.percent(50) {
            true => random.number() as u32,
            false => 0u32.wrapping_sub((number % 3 * 150 + random.below(150)) as u32),
        };
        let length = if random.percent(10) { 0 } else { random.within(1..400) };
        Sender {
            initial,
            payload: random.bytes(length),
            sent: 0,
            received: vec![false; length],
            captured: vec![false; length],
            probed: vec![false; length],
            fin_sent: false,
            fin_received: false,
            window_closed: false,
        }
    }

    /// Up to where the peer has everything.
    fn reached(&self) -> usize {
        self.received.iter().position(|there| !there).unwrap_or(self.received.len())
    }

    fn is_done(&self) -> bool {
        self.reached() == self.payload.len()
    }
}

pub struct Conversation<'a> {
    number: usize,
    ends: [SocketAddr; 2],
    plan: Plan,
    random: &'a mut Random,
    senders: [Sender; 2],
    packets: Vec<Packet>,
}

impl Conversation<'_> {
    /// The packets of a connection that goes as planned, as they are captured.
    pub fn packets(
        number: usize,
        ends: [SocketAddr; 2],
        plan: Plan,
        random: &mut Random,
    ) -> Vec<Packet> {
        let senders = [Sender::new(random, number), Sender::new(random, number)];
        let mut this = Conversation { number, ends, plan, random, senders, packets: Vec::new() };
        this.begin();
        let from = this.packets.len();
        this.talk();
        this.disturb(from);
        this.end();
        this.packets
    }

    fn begin(&mut self) {
        let [first, second] = Side::BOTH;
        let packet = |this: &mut Self, side: Side, syn: bool, answers: bool, captured: bool| {
            let mut packet = this.bare(side);
            (packet.syn, packet.fixed) = (syn, true);
            if syn {
                packet.sequence = packet.sequence.wrapping_sub(1);
            }
            if !answers {
                packet.acknowledgement = None;
            }
            this.capture(packet, captured);
        };
        match self.plan.handshake {
            Handshake::None => {
                for side in Side::BOTH {
                    // What comes first is what positions count from.
                    let length = self.senders[side.index()].payload.len();
                    if length > 0 {
                        let range = 0..self.random.within(1..length + 1);
                        self.send(side, range, true, true, true);
                    }
                }
            }
            Handshake::Simultaneous => {
                packet(self, first, true, false, true);
                packet(self, second, true, false, true);
                packet(self, first, true, true, true);
                packet(self, second, true, true, true);
            }
            Handshake::Fast => {
                let length = self.senders[0].payload.len();
                let range = 0..self.random.below(length + 1);
                let taken = self.random.percent(50);
                let mut syn = self.packet(first, range.clone());
                (syn.syn, syn.fixed) = (true, true);
                syn.sequence = syn.sequence.wrapping_sub(1);
                syn.acknowledgement = None;
                self.note(first, range, taken, true);
                self.capture(syn, true);
                packet(self, second, true, true, true);
                packet(self, first, false, true, true);
            }
            handshake => {
                packet(self, first, true, false, handshake != Handshake::WithoutSyn);
                packet(self, second, true, true, handshake != Handshake::WithoutAnswer);
                packet(self, first, false, true, true);
            }
        }
    }

    /// Sends everything until it is received, unless a reset is to come.
    fn talk(&mut self) {
        let mut rest = if matches!(self.plan.ending, Ending::Reset(_)) { 12 } else { usize::MAX };
        while rest > 0 && !self.senders.iter().all(Sender::is_done) {
            rest -= 1;
            let side = Side::BOTH[self.random.below(2)];
            let sender = &self.senders[side.index()];
            let (sent, length) = (sender.sent, sender.payload.len());
            match self.random.below(12) {
                0 => self.acknowledge(side, false),
                1 => self.keep_alive(side),
                2 if sent < length => self.probe(side),
                3 if self.random.percent(self.plan.forged) => self.forge(side),
                4..9 if sent < length => {
                    let range = sent..(sent + self.random.within(1..60)).min(length);
                    self.transmit(side, range);
                }
                _ if self.senders[side.index()].reached() < sent => self.send_again(side),
                _ => {}
            }
            if self.random.percent(20) {
                self.finish(side);
            }
        }
        if rest > 0 {
            Side::BOTH.into_iter().for_each(|side| self.finish(side));
        }
    }

    /// Sends what was sent before, from what is missing on, with other borders.
    fn send_again(&mut self, side: Side) {
        let sender = &self.senders[side.index()];
        let (sent, missing) = (sender.sent, sender.reached());
        let from = missing.saturating_sub(self.random.below(30));
        let range = from..(missing + self.random.within(1..80)).min(sent);
        self.transmit(side, range);
    }

    /// Sends a segment to which happens what the plan says.
    fn transmit(&mut self, side: Side, range: Range<usize>) {
        let received = !self.random.percent(self.plan.lost);
        let captured = !self.random.percent(self.plan.missed);
        self.send(side, range, received, captured, false);
    }

    fn send(
        &mut self,
        side: Side,
        range: Range<usize>,
        received: bool,
        captured: bool,
        fixed: bool,
    ) {
        let mut packet = self.packet(side, range.clone());
        packet.fixed = fixed;
        packet.urgent = self.random.percent(5);
        let captured = self.note(side, range, received, captured);
        self.capture(packet, captured);
    }

    /// Remembers what became of a segment. Whether it may be captured: what the peer may have
    /// acknowledged already is in the capture before that, or never.
    fn note(&mut self, side: Side, range: Range<usize>, received: bool, captured: bool) -> bool {
        let sender = &mut self.senders[side.index()];
        sender.sent = sender.sent.max(range.end);
        let mut positions = range.clone();
        let captured = captured && positions.all(|at| sender.captured[at] || !sender.received[at]);
        for at in range {
            sender.received[at] |= received;
            sender.captured[at] |= captured;
        }
        captured
    }

    fn acknowledge(&mut self, side: Side, fixed: bool) {
        let mut packet = self.bare(side);
        packet.fixed = fixed;
        let captured = fixed || !self.random.percent(self.plan.missed);
        self.capture(packet, captured);
    }

    /// An old byte or none, to see whether the peer is there.
    fn keep_alive(&mut self, side: Side) {
        let sender = &self.senders[side.index()];
        let idle = sender.reached() == sender.sent && !sender.fin_sent;
        let garbage =
            self.plan.snap.is_none() && sender.sent > 0 && sender.captured[sender.sent - 1];
        if !idle {
            return;
        }
        let mut packet = self.bare(side);
        packet.sequence = packet.sequence.wrapping_sub(1);
        (packet.fixed, packet.keep_alive) = (true, true);
        if garbage && self.random.percent(50) {
            packet.payload = self.random.bytes(1);
            packet.captured = 1;
        }
        self.capture(packet, true);
    }

    /// The peer's window is closed, and a byte is sent into it that is not taken.
    fn probe(&mut self, side: Side) {
        self.senders[side.index()].window_closed = true;
        self.acknowledge(side.other(), true);
        let at = self.senders[side.index()].sent;
        for _ in 0..self.random.below(3) {
            let mut packet = self.packet(side, at..at + 1);
            packet.fixed = true;
            let sender = &mut self.senders[side.index()];
            (sender.captured[at], sender.probed[at]) = (true, true);
            self.capture(packet, true);
        }
        self.senders[side.index()].window_closed = false;
        if self.random.percent(80) {
            self.acknowledge(side.other(), true);
        }
    }

    /// Somebody sends other bytes, at positions that were captured, or far ahead.
    fn forge(&mut self, side: Side) {
        let sender = &mut self.senders[side.index()];
        let length = sender.payload.len();
        if length < 2 {
            return;
        }
        let from = self.random.below(length - 1);
        let range = from..(from + self.random.within(2..40)).min(length);
        let old = sender.captured[range.clone()].iter().all(|there| *there);
        let ahead = range.start > sender.sent + 1
            && sender.captured[range.clone()].iter().all(|there| !there);
        // Which byte a probe leaves is no matter of what came first: the receiver did not take it.
        let probed = sender.probed[range.clone()].iter().any(|there| *there);
        if probed || !old && !ahead {
            return;
        }
        sender.captured[range.clone()].fill(true);
        let mut packet = self.packet(side, range);
        for byte in &mut packet.payload {
            if self.random.percent(50) {
                *byte = self.random.number() as u8;
            }
        }
        self.capture(packet, true);
    }

    /// Sends a FIN once everything was sent, with the last bytes or alone.
    fn finish(&mut self, side: Side) {
        let planned = match self.plan.ending {
            Ending::BothFin => true,
            Ending::OneFin(one) => one == side,
            Ending::Reset(_) | Ending::None => false,
        };
        let sender = &self.senders[side.index()];
        let (sent, length) = (sender.sent, sender.payload.len());
        if !planned || sender.fin_received || sent < length {
            return;
        }
        let first = !sender.fin_sent;
        let from = if self.plan.snap.is_some() {
            length
        } else {
            length - self.random.below(length.min(20) + 1)
        };
        // The capture has the FIN, so that it is none of the bytes that were acknowledged.
        let range = if self.senders[side.index()].captured[from..].iter().all(|there| *there) {
            from..length
        } else {
            length..length
        };
        let mut packet = self.packet(side, range.clone());
        packet.fin = true;
        self.note(side, range, first, true);
        self.senders[side.index()].fin_sent = true;
        self.capture(packet, true);
        if self.senders[side.index()].is_done() {
            self.senders[side.index()].fin_received = true;
        }
    }

    /// Puts some packets in another order, and some in the capture twice.
    fn disturb(&mut self, from: usize) {
        for index in from + 1..self.packets.len() {
            let both = &self.packets[index - 1..=index];
            let apart = both.iter().any(|packet| packet.fixed) || both[0].side != both[1].side;
            if !apart && self.random.percent(self.plan.reordered) {
                self.packets.swap(index - 1, index);
            }
        }
        let mut index = from;
        while index < self.packets.len() {
            if self.random.percent(self.plan.repeated) && self.plan.snap.is_none() {
                let again = self.packets[index].clone();
                let later = if again.fixed { 1 } else { self.random.within(1..6) };
                let at = (index + later).min(self.packets.len());
                self.packets.insert(at, again);
                index += 1;
            }
            index += 1;
        }
    }

    fn end(&mut self) {
        Side::BOTH.into_iter().for_each(|side| self.acknowledge(side, true));
        if let Ending::Reset(side) = self.plan.ending {
            let mut packet = self.bare(side);
            (packet.rst, packet.fixed) = (true, true);
            self.capture(packet, true);
        }
    }

    /// A packet without data: its number is that of what is sent next.
    fn bare(&self, side: Side) -> Packet {
        let sender = &self.senders[side.index()];
        let mut packet = self.packet(side, sender.sent..sender.sent);
        packet.sequence = packet.sequence.wrapping_add(u32::from(sender.fin_sent));
        packet
    }

    /// A packet that says what its sender has.
    fn packet(&self, side: Side, range: Range<usize>) -> Packet {
        let (own, peer) = (&self.senders[side.index()], &self.senders[side.other().index()]);
        let first = own.initial.wrapping_add(1);
        let acknowledged = peer.reached();
        let beyond = 1 + acknowledged + usize::from(peer.fin_received);
        let payload = own.payload[range.clone()].to_vec();
        Packet {
            connection: self.number,
            ends: self.ends,
            side,
            sequence: first.wrapping_add(range.start as u32),
            acknowledgement: Some(peer.initial.wrapping_add(beyond as u32)),
            syn: false,
            fin: false,
            rst: false,
            urgent: false,
            window: if peer.window_closed { 0 } else { 1000 },
            position: range.start,
            captured: payload.len().min(self.plan.snap.unwrap_or(usize::MAX)),
            payload,
            acknowledged,
            fixed: false,
            keep_alive: false,
        }
    }

    fn capture(&mut self, packet: Packet, captured: bool) {
        if captured && self.plan.only.is_none_or(|side| side == packet.side) {
            self.packets.push(packet);
        }
    }
}
