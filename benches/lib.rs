//! Holds nothing: the questions stand in the files beside it.

#![forbid(unsafe_code)]
