//! Frames built by hand, layer by layer.

mod any;
mod build;
mod fragmented;
mod layers;
mod reading;
mod tunnelled;
