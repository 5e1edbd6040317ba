//! dead letter
