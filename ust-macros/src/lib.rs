//! ust-macros
