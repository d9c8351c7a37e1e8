//! How fast pickles are cut from a stream and read: `cargo bench --bench pickle`.
//!
//! With `--rounds` it measures, once each, what it is told on standard input; benches/pickles.py does,
//! to run CPython in between.

mod inputs;
mod operations;
mod rounds;

use criterion::{Criterion, Throughput};

use inputs::Input;

fn main() -> std::io::Result<()> {
    if std::env::args().any(|word| word == "--rounds") {
        return rounds::run();
    }
    let mut criterion = Criterion::default().configure_from_args();
    for input in inputs::all() {
        bench(&mut criterion, &input);
    }
    criterion.final_summary();
    Ok(())
}

fn bench(criterion: &mut Criterion, input: &Input) {
    let mut group = criterion.benchmark_group(input.name);
    group.throughput(Throughput::Bytes(input.bytes.len() as u64));
    for &operation in input.operations {
        group.bench_function(operation.name(), |bencher| {
            bencher.iter(|| operation.run(&input.bytes));
        });
    }
    group.finish();
}
