//! watermark
