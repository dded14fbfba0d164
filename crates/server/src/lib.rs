//! HTTP: AWS control plane, AWS data plane, native API, signatures and limits.
