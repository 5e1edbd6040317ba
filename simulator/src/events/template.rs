//! Templates: the text of a record with slots in it, taken apart once and spliced for every record.

/// What is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Id,
    Time,
    Org,
    Upn,
    Alias,
    Key,
    Ip,
    Device,
    Department,
    Domain,
    /// The n-th random GUID of the record: the same wherever it stands in it.
    Guid(u8),
    NewLabel,
    NewLabelName,
    NewOrder,
    OldLabel,
    OldOrder,
    /// `true` where the new label encrypts.
    Protected,
    /// The members of ProtectionEventData of a file with the new label.
    Protection,
    LabelEventType,
    ActionSource,
    Justification,
    /// A justification as a member after others, where there is one.
    Justified,
    SiteUrl,
    SiteId,
    FileName,
    Extension,
    Folder,
    Size,
    Subject,
    Receivers,
    Application,
    Process,
    Number,
    Token,
}

impl Slot {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "time" => Self::Time,
            "org" => Self::Org,
            "upn" => Self::Upn,
            "alias" => Self::Alias,
            "key" => Self::Key,
            "ip" => Self::Ip,
            "device" => Self::Device,
            "dept" => Self::Department,
            "domain" => Self::Domain,
            "guid1" => Self::Guid(0),
            "guid2" => Self::Guid(1),
            "guid3" => Self::Guid(2),
            "guid4" => Self::Guid(3),
            "guid5" => Self::Guid(4),
            "guid6" => Self::Guid(5),
            "new" => Self::NewLabel,
            "newname" => Self::NewLabelName,
            "neworder" => Self::NewOrder,
            "old" => Self::OldLabel,
            "oldorder" => Self::OldOrder,
            "protected" => Self::Protected,
            "protection" => Self::Protection,
            "event" => Self::LabelEventType,
            "source" => Self::ActionSource,
            "just" => Self::Justification,
            "justified" => Self::Justified,
            "site" => Self::SiteUrl,
            "siteid" => Self::SiteId,
            "file" => Self::FileName,
            "ext" => Self::Extension,
            "folder" => Self::Folder,
            "size" => Self::Size,
            "subject" => Self::Subject,
            "receivers" => Self::Receivers,
            "app" => Self::Application,
            "process" => Self::Process,
            "n" => Self::Number,
            "token" => Self::Token,
            _ => return None,
        })
    }
}

/// A text with slots: each part is text and the slot after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<(String, Slot)>,
    rest: String,
}

impl Template {
    /// Takes `text` apart. An `@` that opens no known slot is text.
    pub fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut before = String::new();
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('@') {
            before.push_str(head);
            match tail.split_once('@').and_then(|(name, after)| Slot::named(name).map(|slot| (slot, after))) {
                Some((slot, after)) => {
                    parts.push((std::mem::take(&mut before), slot));
                    rest = after;
                }
                None => {
                    before.push('@');
                    rest = tail;
                }
            }
        }
        before.push_str(rest);
        Self { parts, rest: before }
    }

    /// Writes the text to `out`; `fill` writes what stands in each slot.
    pub fn splice(&self, out: &mut String, mut fill: impl FnMut(&mut String, Slot)) {
        for (text, slot) in &self.parts {
            out.push_str(text);
            fill(out, *slot);
        }
        out.push_str(&self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(template: &str) -> String {
        let mut out = String::new();
        Template::new(template).splice(&mut out, |out, slot| out.push_str(&format!("[{slot:?}]")));
        out
    }

    #[test]
    fn slots_are_found_and_other_signs_stay() {
        assert_eq!(names(r#""<@guid1@@@domain@>""#), r#""<[Guid(0)]@[Domain]>""#);
        assert_eq!(names("app@sharepoint"), "app@sharepoint");
        assert_eq!(names("x@nobody@id@"), "x@nobody[Id]");
        assert_eq!(names("@site@@folder@/@file@"), "[SiteUrl][Folder]/[FileName]");
        assert_eq!(names(""), "");
    }
}
