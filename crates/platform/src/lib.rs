//! What every Tradewind process stands on: configuration, logs and metrics, the HTTP kit, the operations port, and an
//! ordered life from start to drain to stop.

pub mod config;
pub mod http;
pub mod lifecycle;
pub mod operations;
pub mod telemetry;
