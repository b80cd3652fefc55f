//! What a policy means at the resource, for people.
