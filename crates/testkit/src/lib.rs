//! For tests only: manual clock, faulty log, in-process node and the simulator.
