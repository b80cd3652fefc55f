//! Microsoft Entra as the source: events and policies of a tenant, from Microsoft Graph.
//!
//! Entra sends no security events to third parties; Graph tells the same on request. One thread asks ([`reader`]): users and
//! applications by delta query, risk and the audit log by time, policies as a whole. Change notifications only say that
//! there is something to ask for. What is learned becomes security event tokens of a transmitter named `entra`, signed with
//! a key that lives as long as the process ([`facts`]), and takes the way of any other event.

mod applications;
mod by_time;
mod credential;
pub(crate) mod directory;
mod encrypted;
mod factors;
pub(crate) mod facts;
pub(crate) mod graph;
pub(crate) mod host;
mod inbox;
mod live;
mod memberships;
pub(crate) mod migration;
pub(crate) mod notifications;
pub(crate) mod outside;
mod pages;
mod permissions;
pub(crate) mod policies;
pub(crate) mod reader;
mod risk;
mod roster;
pub(crate) mod schedule;
mod status;
mod subscription;
pub(crate) mod sync;
pub(crate) mod tenant;
mod time;
mod users;
