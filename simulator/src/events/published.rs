//! Records with the members of published samples, and of published field lists where there is no sample, and no others.
//!
//! Label events: 93, 94, 96 and 97 have the members of the samples in the schemas of Azure Information Protection (Office 365
//! Management APIs documentation: AipDiscover, AipSensitivityLabelAction, AipFileDeleted, AipHeartBeat), and are as long, to
//! within a tenth. No sample is public of a file that the scanner found with a label, which has the members of `Access`; of 94
//! with the operation `SensitivityLabelRemoved`; nor of 95: these two are made like the samples of 94. All of those are of
//! protected items, so that an item that is not protected differs from them in `IsProtected` alone.
//!
//! Noise: 261 has the members of the sample in the Copilot schema, or of its field list; 8 and 9 those of the samples in the
//! Management Activity API reference. The others have members that the Management Activity API schema lists (SharePoint Base,
//! file operations and Sharing; Exchange Mailbox; Security and Compliance Center), with made-up values. DLP.All, which is not
//! read by default, has what a company has.
//!
//! How often each kind comes is published nowhere. The weights are chosen so that 100,000 records with 40 % label events have
//! 94 MB; they do not depend on the hour, so that this does not either.

use super::{
    kind::{Change, Kind},
    noise,
};
use crate::contents::ContentType::{AzureActiveDirectory, Exchange, General, SharePoint};

const ACCESS: &str = r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection @app@ Add-In","ProcessName":"@process@","Platform":1,"DeviceName":"@device@","Location":"On-premises file shares","ProductVersion":"2.13.49.0"},"ObjectId":"C:\\@file@","DataState":"Use","SensitivityLabelEventData":{"SensitivityLabelId":"@new@"},"SensitiveInfoTypeData":[],"ProtectionEventData":{@protection@}"#;
const HEARTBEAT: &str = r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection Explorer Extension","ProcessName":"MSIP.App","Platform":1,"DeviceName":"@device@","ProductVersion":"2.14.90.0"}"#;

/// Members of the records of 94; `$label` is inside SensitivityLabelEventData, `$protection` inside ProtectionEventData.
macro_rules! action {
    ($label:literal, $protection:literal) => {
        concat!(
            r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection @app@ Add-In","ProcessName":"@process@","Platform":1,"DeviceName":"@device@","Location":"On-premises file shares","ProductVersion":"2.14.90.0"},"ObjectId":"@file@","DataState":"Use","SensitivityLabelEventData":{"#,
            $label,
            r#"},"SensitiveInfoTypeData":[],"ProtectionEventData":{"ProtectionEventType":1,"#,
            $protection,
            r#","IsProtected":@protected@,"IsProtectedBefore":false,"ProtectionOwner":"@upn@"}"#
        )
    };
}

/// Members of the records of the Explorer extension; `$rest` follows `DataState`.
macro_rules! explorer {
    ($rest:literal) => {
        concat!(
            r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection Explorer Extension","ProcessName":"MSIP.App","Platform":1,"DeviceName":"@device@","Location":"On-premises file shares","ProductVersion":"2.14.90.0"},"ObjectId":"C:\\Users\\@alias@\\Documents\\@file@","DataState":"Rest","#,
            $rest
        )
    };
}

/// Members of the records of the scanner of the file at `$path`; `$rest` follows `DataState`.
macro_rules! scanner {
    ($path:literal, $rest:literal) => {
        concat!(
            r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection Scanner","ProcessName":"MSIP.Scanner","Platform":1,"DeviceName":"@device@.@domain@","Location":"On-premises file shares","ProductVersion":"2.14.90.0"},"ObjectId":""#,
            $path,
            r#"","DataState":"Rest","#,
            $rest
        )
    };
}

/// Members that SharePoint Base and SharePoint file operations list.
macro_rules! sharepoint {
    ($rest:literal) => {
        concat!(
            r#""ObjectId":"@site@@folder@/@file@","EventSource":"SharePoint","ItemType":"File","Site":"@siteid@","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","SiteUrl":"@site@","SourceRelativeUrl":"@folder@","SourceFileName":"@file@","SourceFileExtension":"@ext@""#,
            $rest
        )
    };
}

/// The label events.
pub(crate) const LABELS: [Kind; 12] = [
    Kind::new(93, "Access", "Aip", General, ACCESS).weights(30, 30),
    Kind::new(93, "Discover", "Aip", General, scanner!(r"c:\\Data\\@dept@\\@file@", r#""SensitivityLabelEventData":{"SensitivityLabelId":"@new@"},"SensitiveInfoTypeData":[],"ProtectionEventData":{@protection@}"#))
        .user_type(5).by_scanner().weights(18, 18),
    Kind::new(93, "Discover", "Aip", General, explorer!(r#""SensitivityLabelEventData":{},"SensitiveInfoTypeData":[],"ProtectionEventData":{"ProtectionType":"Custom","IsProtected":true,"ProtectionOwner":"@upn@"}"#))
        .weights(4, 4),
    Kind::new(93, "Discover", "Aip", General, explorer!(r#""SensitiveInfoTypeData":[],"ProtectionEventData":{"IsProtected":false}"#))
        .weights(4, 4),
    Kind::new(94, "SensitivityLabelApplied", "Aip", General, action!(r#""SensitivityLabelId":"@new@","LabelEventType":4,"ActionSource":@source@"#, r#""ProtectionType":"Template","TemplateId":"@guid1@""#))
        .change(Change::Applied).weights(10, 10),
    Kind::new(94, "SensitivityLabelApplied", "Aip", General, scanner!(r"c:\\Data\\@dept@\\@file@", r#""SensitivityLabelEventData":{"SensitivityLabelId":"@new@","LabelEventType":4,"ActionSource":3},"SensitiveInfoTypeData":[],"ProtectionEventData":{"ProtectionEventType":1,"ProtectionType":"Template","TemplateId":"@guid1@","IsProtected":@protected@,"IsProtectedBefore":false,"ProtectionOwner":"@upn@"}"#))
        .change(Change::Applied).user_type(5).by_scanner().weights(4, 4),
    Kind::new(94, "SensitivityLabelUpdated", "Aip", General, action!(r#""SensitivityLabelId":"@new@","OldSensitivityLabelId":"@old@","LabelEventType":@event@,"ActionSource":3@justified@"#, r#""ProtectionType":"DoNotForward""#))
        .change(Change::Updated).weights(12, 12),
    Kind::new(94, "SensitivityLabelRemoved", "Aip", General, action!(r#""OldSensitivityLabelId":"@old@","LabelEventType":3,"ActionSource":3@justified@"#, r#""ProtectionType":"DoNotForward""#))
        .change(Change::Removed).weights(3, 3),
    Kind::new(95, "NewProtection", "Aip", General, action!(r#""SensitivityLabelId":"@new@""#, r#""ProtectionType":"Template","TemplateId":"@guid1@""#)).weights(4, 4),
    Kind::new(96, "FileDeleted", "Aip", General, scanner!(r"\\\\files01\\@dept@\\@folder@\\@file@", r#""SensitiveInfoTypeData":[],"ResultStatus":"Succeeded""#))
        .user_type(5).by_scanner().weights(3, 3),
    Kind::new(97, "HeartBeat", "Aip", General, HEARTBEAT).weights(4, 4),
    Kind::new(97, "HeartBeat", "Aip", General, HEARTBEAT).by_scanner().weights(4, 4),
];

/// The noise.
pub(crate) const NOISE: [Kind; 15] = [
    Kind::new(261, "CopilotInteraction", "Copilot", General, r#""ClientRegion":"DE","CopilotEventData":{"AISystemPlugin":[],"AccessedResources":[],"AppHost":"@app@","Contexts":[{"Id":"@site@_layouts/15/Doc.aspx?sourcedoc=%7B@guid1@%7D&file=@file@&action=default&mobileredirect=true","Type":"@ext@"}],"MessageIds":[],"Messages":[{"Id":"1763800000@n@","isPrompt":true},{"Id":"1763800001@n@","isPrompt":false}],"ModelTransparencyDetails":[],"ThreadId":"19:@token@@token@@thread.v2"}"#)
        .weights(40, 40),
    // The trap of a Copilot record that names the label of what it read.
    Kind::new(261, "CopilotInteraction", "Copilot", General, r#""ClientRegion":"DE","CopilotEventData":{"AISystemPlugin":[],"AccessedResources":[{"Action":"Read","ID":"@guid1@","Name":"@file@","SensitivityLabelId":"@new@","Type":"@ext@"}],"AppHost":"@app@","Contexts":[],"MessageIds":[],"Messages":[{"Id":"1763800000@n@","isPrompt":true},{"Id":"1763800001@n@","isPrompt":false}],"ModelTransparencyDetails":[],"ThreadId":"19:@token@@token@@thread.v2"}"#)
        .weights(20, 20),
    // The trap of cmdlets about labels.
    Kind::new(18, "Set-Label", "SecurityComplianceCenter", General, r#""ObjectId":"@new@","StartTime":"@time@","ClientRequestId":"@guid1@","CmdletVersion":"","EffectiveOrganization":"@org@","UserServicePlan":"","ClientApplication":"EMC","Parameters":"-Identity \"@new@\" -Comment \"Changed by @dept@\" -Settings \"[tooltip, @subject@]\" -ContentType \"File, Email\"","NonPiiParameters":"-Identity -Comment -Settings -ContentType""#)
        .user_type(2).weights(2, 2),
    Kind::new(4, "PageViewed", "SharePoint", SharePoint, r#""ObjectId":"@site@_layouts/15/onedrive.aspx","EventSource":"SharePoint","ItemType":"Page","Site":"@siteid@","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36""#)
        .weights(8, 8),
    Kind::new(6, "FileAccessed", "SharePoint", SharePoint, sharepoint!("")).weights(50, 50),
    // The trap of a file operation that names the file's label.
    Kind::new(6, "FileModified", "SharePoint", SharePoint, sharepoint!(r#","SensitivityLabelOwnerEmail":"@upn@","SensitivityLabelId":"@new@""#))
        .weights(46, 46),
    // `FileDeleted` is an operation of record type 96 too.
    Kind::new(6, "FileDeleted", "SharePoint", SharePoint, sharepoint!("")).weights(6, 6),
    Kind::new(6, "FileSyncDownloadedFull", "SharePoint", SharePoint, sharepoint!(r#","MachineDomainInfo":"@domain@","MachineId":"@guid1@""#))
        .weights(34, 34),
    Kind::new(14, "SharingSet", "SharePoint", SharePoint, sharepoint!(r#","TargetUserOrGroupName":"@upn@","TargetUserOrGroupType":"Member","EventData":"<Permissions granted>Contribute</Permissions granted>","UniqueSharingId":"@guid1@""#))
        .weights(10, 10),
    Kind::new(2, "Send", "Exchange", Exchange, r#""ResultStatus":"Succeeded","LogonType":0,"InternalLogonType":0,"MailboxGuid":"@guid1@","MailboxOwnerUPN":"@upn@","MailboxOwnerSid":"S-1-5-21-@n@-1985-443","LogonUserSid":"S-1-5-21-@n@-1985-443","ExternalAccess":false,"OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","OrganizationName":"@domain@","ClientInfoString":"Client=OWA;Action=ViaProxy","Item":{"Id":"@token@@token@","Subject":"@subject@","ParentFolder":{"Id":"@token@@token@","Path":"\\Drafts"}}"#)
        .weights(38, 38),
    Kind::new(3, "SoftDelete", "Exchange", Exchange, r#""ResultStatus":"Succeeded","LogonType":0,"InternalLogonType":0,"MailboxGuid":"@guid1@","MailboxOwnerUPN":"@upn@","ExternalAccess":false,"OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","OrganizationName":"@domain@","ClientInfoString":"Client=MSExchangeRPC","ClientProcessName":"OUTLOOK.EXE","ClientVersion":"16.0.19231.20194","Folder":{"Id":"@token@@token@","Path":"\\Inbox"},"CrossMailboxOperations":false,"AffectedItems":[{"Id":"@token@@token@","Subject":"@subject@","ParentFolder":{"Id":"@token@@token@","Path":"\\Inbox"},"Attachments":"@file@ (@size@b)"}]"#)
        .weights(42, 42),
    Kind::new(50, "MailItemsAccessed", "Exchange", Exchange, r#""ResultStatus":"Succeeded","LogonType":0,"InternalLogonType":0,"MailboxGuid":"@guid1@","MailboxOwnerUPN":"@upn@","MailboxOwnerSid":"S-1-5-21-@n@-1985-443","LogonUserSid":"S-1-5-21-@n@-1985-443","ExternalAccess":false,"OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","OrganizationName":"@domain@","ClientInfoString":"Client=REST;Client=RESTSystem;;","Folders":[{"Id":"@token@@token@","Path":"\\Inbox"}]"#)
        .weights(36, 36),
    Kind::new(9, "PasswordLogonInitialAuthUsingPassword", "AzureActiveDirectory", AzureActiveDirectory, r#""ResultStatus":"failed","ObjectId":"@upn@","AzureActiveDirectoryEventType":0,"ExtendedProperties":[{"Name":"LoginError","Value":"-2147217390;PP_E_BAD_PASSWORD;The entered and stored passwords do not match."}],"Client":"Exchange","LoginStatus":-2147217390,"UserDomain":"@domain@""#)
        .weights(10, 10),
    Kind::new(8, "Add User.", "AzureActiveDirectory", AzureActiveDirectory, r#""ResultStatus":"success","ObjectId":"@upn@","AzureActiveDirectoryEventType":0,"Actor":[{"ID":"@guid1@","Type":2},{"ID":"@upn@","Type":5},{"ID":"1003BFFD8EC47CA6","Type":3}],"ActorContextId":"@org@","InterSystemsId":"@guid2@","IntraSystemId":"@guid3@","Target":[{"ID":"@upn@","Type":5},{"ID":"10037FFE91510806","Type":3}],"TargetContextId":"@org@""#)
        .without_ip().weights(10, 10),
    noise::DLP_RULE_MATCH,
];
