//! The `wirespool` command: everything is in [`wirespool::cli`].

fn main() -> std::process::ExitCode {
    wirespool::cli::run(std::env::args_os()).into()
}
