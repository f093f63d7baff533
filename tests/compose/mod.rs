//! The loader, from the command line in: Docker Compose's own answers, findings and their places, limits, hostile text.

mod case;
mod corpus;
mod fuzz;
mod limits;
mod places;
mod read_back;
mod shared;
mod wrong_inputs;
