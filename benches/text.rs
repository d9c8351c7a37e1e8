//! How fast text is validated and decoded, against simdutf8 that only validates it:
//! `make bench BENCH=text BENCH_ARGS='--rounds 31'`.
//!
//! Every round runs all rivals, one after the other, so that what else the machine does meets all of them:
//! a ratio is of one round.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use wirespool::Format;
use wirespool::wire::{Arrival, Decoder};

/// How much text, in bytes of UTF-8.
const SIZE: usize = 8_000_000;
const SENTENCE: &str = "Съешь же ещё этих мягких французских булок, да выпей чаю (№ 42)";

struct Rival {
    name: String,
    bytes: Vec<u8>,
    chunk: usize,
    /// Without one only simdutf8 runs.
    format: Option<Format>,
}

fn main() {
    let mut words = std::env::args().skip_while(|word| word != "--rounds").skip(1);
    let rounds = words.next().map_or(15, |word| word.parse().expect("a number of rounds"));
    let rivals = rivals();
    let mut taken = vec![Vec::new(); rivals.len()];
    for round in 0..=rounds {
        for (rival, taken) in rivals.iter().zip(&mut taken) {
            let begun = processor_time();
            rival.run();
            let time = (processor_time() - begun) as f64;
            if round > 0 {
                // The first one warms up.
                taken.push(time / rival.bytes.len() as f64);
            }
        }
    }
    println!("Speed against simdutf8 alone, median of {rounds} rounds (least to most)");
    println!("{:36}{:>10}{:>26}", "", "GB/s", "ratio");
    for (rival, own) in rivals.iter().zip(&taken) {
        let ratios = taken[0].iter().zip(own).map(|(alone, own)| alone / own);
        let rate = 1.0 / median(own.clone());
        println!("{:36}{rate:>10.2}{:>26}", rival.name, spread(ratios.collect()));
    }
}

fn rivals() -> Vec<Rival> {
    let text = |line: usize| {
        let line = SENTENCE.chars().cycle().take(line).collect::<String>() + "\n";
        line.repeat(SIZE / line.len())
    };
    let short = text(SENTENCE.chars().count());
    let mut rivals = vec![Rival {
        name: "simdutf8".to_owned(),
        bytes: short.clone().into_bytes(),
        chunk: SIZE,
        format: None,
    }];
    for (spelling, text, label) in [
        ("text", &short, ""),
        ("text/line", &short, ", short lines"),
        ("text/line", &text(2000), ", lines of 2000"),
        ("text:cp1251", &short, ""),
        ("text:utf-16le", &short, ""),
    ] {
        for chunk in [4 << 10, 64 << 10] {
            let format: Format = spelling.parse().expect("a format");
            rivals.push(Rival {
                name: format!("{spelling}{label}, {} KiB", chunk >> 10),
                bytes: encoded(&format, text),
                chunk,
                format: Some(format),
            });
        }
    }
    rivals
}

/// The text in the encoding of a format.
fn encoded(format: &Format, text: &str) -> Vec<u8> {
    let chunked = format.with_framing(wirespool::wire::Framing::Chunk);
    wirespool::wire::encode(&chunked, &wirespool::wire::Value::text(text)).expect("text it has")
}

impl Rival {
    /// # Panics
    /// If the bytes are not what they should be: then nothing is measured.
    fn run(&self) {
        let Some(format) = &self.format else {
            assert!(simdutf8::basic::from_utf8(black_box(&self.bytes)).is_ok());
            return;
        };
        let mut decoder = Decoder::new(format);
        let mut length = 0;
        let mut take = |message: wirespool::wire::Decoded| {
            assert!(message.body.is_ok());
            length += black_box(message).raw.len();
        };
        for chunk in self.bytes.chunks(self.chunk) {
            decoder.push(Arrival::default(), black_box(chunk), &mut take);
        }
        decoder.end(&mut take);
        assert_eq!(length, self.bytes.len());
    }
}

/// Of this thread, in nanoseconds: what else the machine does takes none of it.
fn processor_time() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    format!("{:.2} ({least:.2} to {most:.2})", median(values))
}
