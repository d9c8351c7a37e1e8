//! What is known of formats before a byte is read: what the user names, what a capture says of itself,
//! what `wirespool.toml` says of ports, and where messages are defined.
//!
//! Here files are read: [`wire`](crate::wire) knows none.

mod choice;
mod compile;
mod configuration;
mod schema;

pub use choice::FormatChoice;
pub use configuration::{Configuration, FILE_NAME};
pub use schema::{SchemaFiles, schema_of_files};
