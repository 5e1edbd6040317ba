//! Labelstream streams Microsoft Purview Information Protection label events from the Office 365 Management
//! Activity API into Microsoft Sentinel.

pub mod assembly;
pub mod batch;
pub mod content;
pub mod dead_letter;
pub mod feed;
pub mod handler;
pub mod identity;
pub mod ingestion;
pub mod labels;
pub mod pull;
pub mod record;
pub mod retry;
pub mod row;
pub mod settings;
pub mod state;
pub mod telemetry;
pub mod watermark;
