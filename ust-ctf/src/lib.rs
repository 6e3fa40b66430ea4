//! ust-ctf
