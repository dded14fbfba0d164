//! Every JSON and header shape of the served protocols, and the only list of AWS error codes.
