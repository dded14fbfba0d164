//! The running server without HTTP: sequencer, snapshots, deployment driver, secrets.
