//! What people should know about a reading, beside its effects.

use alloc::string::String;
use alloc::vec::Vec;

/// Notes in the order in which they came up, without repeats.
///
/// | note | meaning |
/// |---|---|
/// | `unknownEventType` | an event type that no vocabulary has |
/// | `legacyEventType` | an event type that takes effect only from transmitters that are configured as `legacy` |
/// | `informational` | an event that has no effect on tokens, or not in this form |
/// | `memberMalformed:NAME` | a member of the event that is not as it should be, and on which nothing depends |
/// | `subjectNotUnderstood` | an identifier of a format that no token can show |
/// | `criticalMemberNotUnderstood:NAME` | the event was discarded (SSF 1.0 §3.6) |
/// | `memberIgnored:NAME` | a member of a complex subject that cannot be matched, and that is not critical |
/// | `memberUnseen:NAME` | a member of a complex subject that no token can show, in this form; it remains to be matched |
/// | `noIdentifyingMember` | a complex subject that selects no user, session, device, token or application |
/// | `scopeTooLarge` | a complex subject of too many identifiers: the cut-off holds for each identifying member alone |
/// | `tenantWide` | a whole tenant, without `allowTenantWide` |
/// | `opaqueScopeUnknown` | an opaque identifier of one of several issuers or tenants: set `opaqueScope` |
/// | `scopeUnknown` | no issuer or tenant to file the subject under |
/// | `userSignOut` | an ordinary sign-out, ignored by `sessionRevokedByUser` |
/// | `standingStateTooOld` | the SET is older than 30 days and sets no standing value |
/// | `noStandingMember` | the subject does not name what the standing value describes |
/// | `unmatchable:KIND` | no token of the issuer can ever show this kind of key |
/// | `noConfiguration` | keys are left out, defaults apply |
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    pub(super) fn add(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}
