//! ust
