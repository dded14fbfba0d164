//! Signatures made by others, and by ourselves, against the verifier.

#[cfg(test)]
mod aws_vectors;
#[cfg(test)]
mod live_signer;
#[cfg(test)]
mod parser;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod rules;
