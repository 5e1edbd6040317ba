//! The Microsoft side on loopback.
