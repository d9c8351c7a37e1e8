//! `--connection`, `--port`, `--host`, `--since`, `--until`, `--side`, `-n`: what of captures is meant.

use clap::Args;

use super::{connection, parsed, port, side, whole};
use crate::session::{Moment, Network, Selection, Side};

/// Which connections are meant. What is left out keeps its number.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(in crate::cli) struct ConnectionArguments {
    /// Only connection N; may be given several times
    #[arg(long, value_name = "N", value_parser = connection)]
    pub(in crate::cli) connection: Vec<u64>,
    /// Only connections with this port at either end; may be given several times
    #[arg(long, value_name = "PORT", value_parser = port)]
    port: Vec<u16>,
    /// Only connections with this address at either end, as 10.0.0.1, 10.0.0.0/8 or fd00::/8; may be given
    /// several times
    #[arg(long, value_name = "ADDR", value_parser = parsed::<Network>)]
    host: Vec<Network>,
    /// Only from this time on: 2026-11-22T13:24:00.5Z, 2026-11-22, or +1.5s after the first packet. Of
    /// commands that print messages it is theirs, else when a connection opened
    #[arg(long, value_name = "TIME", value_parser = parsed::<Moment>)]
    since: Option<Moment>,
    /// Only up to this time, which is not included
    #[arg(long, value_name = "TIME", value_parser = parsed::<Moment>)]
    until: Option<Moment>,
}

impl ConnectionArguments {
    /// What is selected.
    pub(in crate::cli) fn selection(&self) -> Selection {
        Selection {
            connections: self.connection.clone(),
            ports: self.port.clone(),
            hosts: self.host.clone(),
            side: None,
            since: self.since,
            until: self.until,
        }
    }
}

/// Which messages are meant.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(in crate::cli) struct MessageArguments {
    /// Print at most N messages
    #[arg(short = 'n', long = "count", value_name = "N", value_parser = whole)]
    pub(in crate::cli) count: Option<u64>,
    /// Only what one side sent: client or server
    #[arg(long, value_parser = side)]
    pub(in crate::cli) side: Option<Side>,
    #[command(flatten)]
    pub(in crate::cli) connections: ConnectionArguments,
}

impl MessageArguments {
    /// What is selected.
    pub(in crate::cli) fn selection(&self) -> Selection {
        Selection { side: self.side, ..self.connections.selection() }
    }
}
