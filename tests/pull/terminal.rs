//! What a person sees: standard error is a terminal.
