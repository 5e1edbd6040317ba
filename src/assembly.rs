//! Putting a connector together from its settings.

