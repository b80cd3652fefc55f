//! Tables for what is asked for.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;

use super::Mentions;
use crate::policy::bits::Verdicts;
use crate::policy::compile::CompiledPolicy;
use crate::policy::conditions::contexts::{CONTEXTS, context_number};
use crate::policy::document::is_guid;
use crate::policy::facts::{Facts, Target, UserAction};

/// Applications, user actions and authentication contexts.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// Policies by the applications that they name.
    applications: Mentions,
    /// An application that no policy names; those differ only in being a GUID or not.
    other_guid: Verdicts,
    other_text: Verdicts,
    unknown_application: Verdicts,
    user_actions: [Verdicts; 2],
    unknown_user_action: Verdicts,
    /// Contexts that some policy names, by number.
    contexts: BTreeMap<u8, Verdicts>,
    other_context: Verdicts,
    unknown_context: Verdicts,
    unknown: Verdicts,
}

impl Targets {
    pub(super) fn new(policies: &[CompiledPolicy]) -> Self {
        let of = |target: Target<'_>| {
            let facts = Facts {
                target,
                ..Facts::UNKNOWN
            };
            Verdicts::of(policies, |policy| {
                policy.conditions.applications.truth(&facts)
            })
        };
        let applications = Mentions::new(policies, |policy| {
            let applications = &policy.conditions.applications;
            [&applications.include, &applications.exclude]
                .into_iter()
                .flat_map(|side| side.ids.ids.iter().chain(&side.members))
        });
        // Any GUID that no policy and no group names stands for all of them.
        let stranger = (0_u64..)
            .map(|number| alloc::format!("00000000-0000-0000-0000-{number:012x}"))
            .find(|id| applications.of(id).is_empty())
            .unwrap_or_default();
        let context = |number: u8| {
            let name = alloc::format!("c{number}");
            of(Target::AuthenticationContext(Some(&name)))
        };
        let listed = |number| {
            policies
                .iter()
                .any(|policy| policy.conditions.applications.contexts.lists(number))
        };
        let other = (1..=CONTEXTS).find(|number| !listed(*number));
        Self {
            other_guid: of(Target::Application(Some(&stranger))),
            other_text: of(Target::Application(Some(""))),
            unknown_application: of(Target::Application(None)),
            user_actions: [
                UserAction::RegisterSecurityInformation,
                UserAction::RegisterOrJoinDevices,
            ]
            .map(|action| of(Target::UserAction(Some(action)))),
            unknown_user_action: of(Target::UserAction(None)),
            contexts: (1..=CONTEXTS)
                .filter(|number| listed(*number))
                .map(|number| (number, context(number)))
                .collect(),
            other_context: other.map(context).unwrap_or_default(),
            unknown_context: of(Target::AuthenticationContext(None)),
            unknown: of(Target::Unknown),
            applications,
        }
    }

    pub(super) fn verdicts<'a>(
        &'a self,
        policies: &[CompiledPolicy],
        facts: &Facts<'_>,
    ) -> Cow<'a, Verdicts> {
        Cow::Borrowed(match facts.target {
            Target::Application(Some(id)) => return self.application(policies, id),
            Target::Applications([first, rest @ ..]) => {
                let mut verdicts = self.application(policies, first);
                for id in rest {
                    verdicts.to_mut().unite(&self.application(policies, id));
                }
                return verdicts;
            }
            Target::Application(None) | Target::Applications([]) => &self.unknown_application,
            Target::UserAction(action) => action
                .and_then(|action| self.user_actions.get(usize::from(action.position())))
                .unwrap_or(&self.unknown_user_action),
            Target::AuthenticationContext(context) => context
                .and_then(context_number)
                .map_or(&self.unknown_context, |number| {
                    self.contexts.get(&number).unwrap_or(&self.other_context)
                }),
            Target::Unknown => &self.unknown,
        })
    }

    fn application<'a>(&'a self, policies: &[CompiledPolicy], id: &str) -> Cow<'a, Verdicts> {
        let stranger = if is_guid(id) {
            &self.other_guid
        } else {
            &self.other_text
        };
        let facts = Facts {
            target: Target::Application(Some(id)),
            ..Facts::UNKNOWN
        };
        self.applications
            .verdicts(stranger, id, policies, |policy| {
                policy.conditions.applications.truth(&facts)
            })
    }
}
