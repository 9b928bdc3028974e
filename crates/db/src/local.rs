//! A private PostgreSQL for machines that have none running.
