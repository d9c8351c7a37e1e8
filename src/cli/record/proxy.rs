//! `wirespool record --to`: the in-line proxy.

use std::sync::Arc;

use super::super::arguments::LimitArguments;
use super::super::command::or_ours;
use super::super::failure::{At, Failure};
use super::super::live::{self, Signals};
use super::super::printer::{Choice, Printer};
use super::super::{DONE, Outcome};
use super::Arguments;
use crate::message::Assembler;
use crate::net::{self, Address, Recorder, Stop};
use crate::record::{Limits, proxy};

pub(super) fn run(arguments: Arguments, to: &str) -> Outcome {
    let to = to.parse().and_then(Address::dialled).at("--to")?;
    let listen: Address = arguments.listen.parse().at("--listen")?;
    let choice = arguments.format.choice()?;
    let formats = choice.of_port(to.port());
    let runtime = live::runtime()?;
    runtime.block_on(async {
        let (stop, signals) = (Stop::new(), Signals::new());
        let listener = net::listen(&listen).await.at("--listen")?;
        net::refuse_loop(&to, &listener).await.at("--to")?;
        let program = arguments.command.program(Some(&listener))?;
        match &program {
            Some(_) => live::hear_signals(signals.clone())?,
            None => live::stop_on_signals(&stop)?,
        }
        // The file last: a port in use must not leave an empty capture behind.
        let writer = live::writer(&arguments.output, arguments.force, formats.as_ref())?;
        // What a file says of the port is kept, but nobody asked to see messages.
        let printer = formats.filter(|_| choice.is_given()).map(|formats| {
            let print = &arguments.print;
            let printer = Printer::new(print.look(), print.events, true, Choice::default());
            Assembler::new(formats, printer.lasting())
        });
        let recorder = Arc::new(Recorder::new((Some(writer), printer)));
        live::announce(&listener)?;
        let running = program
            .map(|program| program.start(signals))
            .transpose()
            .inspect_err(|_| live::discard(&arguments.output))?;
        let LimitArguments { connections, duration } = arguments.limits;
        let limits = Limits {
            connections,
            duration: duration.filter(|_| running.is_none()),
            stop: stop.clone(),
        };
        let recording = proxy(listener, to, recorder.clone(), limits, live::observer());
        let (recorded, status) = match running {
            Some(running) => running.beside(recording, duration, &stop).await,
            None => (recording.await, DONE),
        };
        let concluded = live::conclude(recorder, recorded, Some(&arguments.output));
        or_ours(status, concluded.map(|()| DONE).map_err(Failure::from))
    })
}
