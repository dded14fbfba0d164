//! The nouns of configuration deployment, the commands that change them and the events that record the changes.
