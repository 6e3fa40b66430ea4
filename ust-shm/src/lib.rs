//! ust-shm
