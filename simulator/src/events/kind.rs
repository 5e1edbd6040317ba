//! What a kind of record is: its envelope, where and when it comes, and the text of its own fields.

use crate::contents::ContentType;

/// What happens to the label in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The record names a label that was there already, or none.
    Kept,
    /// The first label of an item.
    Applied,
    /// Another label: more, less or equally sensitive.
    Updated,
    /// No label any more.
    Removed,
}

/// One kind of record.
///
/// `fields` are the members after the common ones, with slots between `@`s (see [`super::template::Slot`]).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub record_type: u16,
    pub operation: &'static str,
    pub workload: &'static str,
    pub user_type: u8,
    /// Done by the scanner's account in place of a person.
    pub by_scanner: bool,
    /// Whether the record has a `ClientIP`.
    pub has_ip: bool,
    pub content_type: ContentType,
    pub change: Change,
    /// Weights by day and by night (nights and weekends) among the kinds of its content type.
    pub weights: (u16, u16),
    pub fields: &'static str,
}

impl Kind {
    /// A record by a person, with a client address; the rest is changed by the `const` methods.
    pub const fn new(
        record_type: u16,
        operation: &'static str,
        workload: &'static str,
        content_type: ContentType,
        fields: &'static str,
    ) -> Self {
        Self {
            record_type,
            operation,
            workload,
            user_type: 0,
            by_scanner: false,
            has_ip: true,
            content_type,
            change: Change::Kept,
            weights: (10, 2),
            fields,
        }
    }

    pub const fn weights(mut self, day: u16, night: u16) -> Self {
        self.weights = (day, night);
        self
    }

    pub const fn change(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    pub const fn user_type(mut self, user_type: u8) -> Self {
        self.user_type = user_type;
        self
    }

    pub const fn by_scanner(mut self) -> Self {
        self.by_scanner = true;
        self
    }

    pub const fn without_ip(mut self) -> Self {
        self.has_ip = false;
        self
    }

    /// The whole record as the text of a template.
    pub fn text(&self) -> String {
        let ip = if self.has_ip { r#""ClientIP":"@ip@","# } else { "" };
        format!(
            r#"{{"CreationTime":"@time@","Id":"@id@","Operation":"{}","OrganizationId":"@org@","RecordType":{},"UserKey":"@key@","UserType":{},"Version":1,"Workload":"{}",{ip}"UserId":"@upn@",{}}}"#,
            self.operation, self.record_type, self.user_type, self.workload, self.fields
        )
    }
}
