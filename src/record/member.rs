//! The names that a record's members may have, and the quick way from a name to its place.

/// Declares the names once: the enum, its spelling, and its length.
macro_rules! members {
    ($($variant:ident $(= $name:literal)?),+ $(,)?) => {
        /// A member of a record (or of its `SensitivityLabelEventData`) that a column is made of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is named as the service names it")]
        pub enum Member { $($variant),+ }

        impl Member {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as the service spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => members!(@name $variant $($name)?)),+ }
            }
        }
    };
    (@name $variant:ident) => { stringify!($variant) };
    (@name $variant:ident $name:literal) => { $name };
}

members! {
    ActionSource, ActionSourceDetail, AppAccessContext, Application, ApplicationMode, ClientIP, Common, ConditionMatch,
    ContentType, CorrelationId, CreationTime, CurrentProtectionType, CurrentProtectionTypeName, DataState,
    DataStateSpaced = "Data State", // as the documentation's own sample spells it
    DestinationLabel, DeviceName, EmailInfo, ExchangeMetaData, ExecutionRuleId, ExecutionRuleName,
    ExecutionRuleVersion, Id, IrmContentId, IsViewableByExternalUsers, ItemCreationTime, ItemLastModifiedTime, ItemName,
    ItemSize, JustificationText, LabelAction, LabelAppliedDateTime, LabelEventType, LabelId, LabelName, LabelVersion,
    MachineName, MgtRuleId, ModifiedProperties, ObjectId, OldSensitivityLabelId, OldSensitivityLabelOwnerEmail,
    Operation, OrganizationId, OverriddenActions, OverRideReason, OverRideType, Platform, PolicyDetails, PolicyId,
    PolicyName, PolicyVersion, PreviousProtectionType, PreviousProtectionTypeName, ProtectionEventData,
    ProtectionEventType, ProtectionEventTypeName, Receivers, RecordType, ResultStatus, RuleActions, RuleMode, Scope,
    ScopedLocationId, Sender, SensitiveInfoDetectionIsIncluded, SensitiveInfoTypeData, SensitivityLabelEventData,
    SensitivityLabelId, SensitivityLabelJustificationText, SensitivityLabelOwnerEmail, SensitivityLabelPolicyId,
    Severity, SharePointMetaData, SourceLabel, TargetLocation, UserId, UserKey, UserType, Workload, WorkLoadItemId,
}

/// Slots of the table: a power of two, several times the names, so that chains stay short.
const SLOTS: usize = 512;
const EMPTY: u8 = u8::MAX;

/// Built by the compiler: where each name is found from its length and three of its letters.
const TABLE: [u8; SLOTS] = {
    let mut table = [EMPTY; SLOTS];
    let mut number = 0;
    while number < Member::ALL.len() {
        let mut slot = slot(Member::ALL[number].name().as_bytes());
        while table[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = Member::ALL[number] as u8;
        number += 1;
    }
    table
};

/// The same for a name in any case.
const fn slot(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let first = (name[0] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    (name.len() * 131 + first * 31 + middle * 17 + last * 7) % SLOTS
}

impl Member {
    /// The member with this name, in any case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let mut slot = slot(name.as_bytes());
        loop {
            let member = *Self::ALL.get(usize::from(TABLE[slot]))?; // an empty slot has no member
            let own = member.name();
            // Most are spelled as they should be.
            if own.len() == name.len() && (own == name || own.eq_ignore_ascii_case(name)) {
                return Some(member);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (number, &member) in Member::ALL.iter().enumerate() {
            assert_eq!(member as usize, number);
            for name in [member.name().to_owned(), member.name().to_uppercase(), member.name().to_lowercase()] {
                assert_eq!(Member::by_name(&name), Some(member), "{name}");
            }
        }
        assert_eq!(Member::by_name("OverrideReason"), Some(Member::OverRideReason));
        assert_eq!(Member::by_name("WorkloadItemId"), Some(Member::WorkLoadItemId));
    }

    #[test]
    fn other_names_are_not_found() {
        for name in ["", "I", "Version", "SiteUrl", "UserIds", "\u{e9}", "Data  State"] {
            assert_eq!(Member::by_name(name), None, "{name}");
        }
    }

    #[test]
    fn members_fit_a_set_of_128_bits() {
        assert!(Member::ALL.len() <= 128);
    }

    #[test]
    fn chains_are_short() {
        let longest = (0..SLOTS).map(|from| (from..SLOTS).take_while(|&at| TABLE[at] != EMPTY).count()).max();
        assert!(longest <= Some(6), "{longest:?}");
    }
}
