//! ust-consumerd
