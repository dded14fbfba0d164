//! Verification of AWS Signature Version 4, header and presigned form.
