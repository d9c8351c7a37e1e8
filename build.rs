//! Compiles `proto/` to Rust. protox parses the schema, so no `protoc` is needed on the machine.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let output = PathBuf::from(env::var("OUT_DIR")?);
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_file("telemetry.proto")?;
    // The run-time reflection of built-in messages reads the same descriptors the types came from.
    fs::write(output.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    prost_build::Config::new().out_dir(&output).compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
