//! The label events: what the filter keeps.
//!
//! Shapes: 93, 94, 96 and 97 follow the published samples of the AIP schemas; 43, 6 and 20 the published field lists;
//! 4, 82, 83 and 84 what other projects saw; 71, 72, 75 and 95 only the columns of the table, as no sample is public.

use super::kind::{Change, Kind};
use crate::contents::ContentType::{Exchange, General, SharePoint};

const SCANNER: &str = r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection Scanner","ProcessName":"MSIP.Scanner","Platform":1,"DeviceName":"@device@.@domain@","Location":"On-premises file shares","ProductVersion":"3.1.310.0"},"ObjectId":"\\\\files01.@domain@\\@dept@\\Archive\\@file@","DataState":"Rest","SensitivityLabelEventData":{"SensitivityLabelId":"@new@"},"SensitiveInfoTypeData":[{"SensitiveInfoTypeId":"50842eb7-edc8-4019-85dd-5a5c1f2bb085","Count":@n@,"Confidence":85,"SensitiveInfoTypeName":"Credit Card Number"}],"ProtectionEventData":{"ProtectionType":"Template","TemplateId":"@guid1@","IsProtected":@protected@,"ProtectionOwner":"@upn@"}"#;
const DELETED: &str = r#""ResultStatus":"Succeeded","Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection Scanner","ProcessName":"MSIP.Scanner","Platform":1,"DeviceName":"@device@.@domain@","Location":"On-premises file shares","ProductVersion":"3.1.310.0"},"ObjectId":"\\\\files01.@domain@\\@dept@\\Archive\\@folder@\\@file@","DataState":"Rest","SensitiveInfoTypeData":[]"#;
const HEARTBEAT: &str = r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection Explorer Extension","ProcessName":"MSIP.App","Platform":1,"DeviceName":"@device@","ProductVersion":"3.1.310.0"},"AppAccessContext":{"AADSessionId":"@guid1@","CorrelationId":"@guid2@","UniqueTokenId":"@token@"}"#;

/// Members that all records of the AIP client with a label share; `$label` is what is inside SensitivityLabelEventData.
macro_rules! aip_client {
    ($label:literal) => {
        concat!(
            r#""Scope":1,"Common":{"ApplicationId":"c00e9d32-3c8d-4a7d-832b-029040e7db99","ApplicationName":"Microsoft Azure Information Protection @app@ Add-In","ProcessName":"@process@","Platform":1,"DeviceName":"@device@","Location":"On-premises file shares","ProductVersion":"2.18.77.0"},"ObjectId":"C:\\Users\\@alias@\\Documents\\@dept@\\@file@","DataState":"Use","SensitivityLabelEventData":{"#,
            $label,
            r#"},"SensitiveInfoTypeData":[],"ProtectionEventData":{"ProtectionEventType":1,"ProtectionType":"Template","TemplateId":"@guid1@","IsProtected":@protected@,"IsProtectedBefore":false,"ProtectionOwner":"@upn@"}"#
        )
    };
}

/// Members that the records of Microsoft 365 Apps share.
macro_rules! office {
    ($rest:literal) => {
        concat!(
            r#""ObjectId":"@site@@folder@/@file@","Application":"@app@","DeviceName":"@device@","Platform":"Windows","UserSku":"E5","ContentType":"File","Scope":0,"TargetLocation":4,"ProtectionEventType":0,"IrmContentId":"@guid1@","CurrentProtectionType":{"documentEncrypted":@protected@,"owner":"@upn@","protectionType":0,"templateId":"@guid2@"},"PreviousProtectionType":{"documentEncrypted":false,"owner":"","protectionType":0,"templateId":"00000000-0000-0000-0000-000000000000"},"AssociatedAdminUnits":[],"AppAccessContext":{"AADSessionId":"@guid3@","CorrelationId":"@guid4@"},"#,
            $rest
        )
    };
}

/// Members that SharePoint's file operations share.
macro_rules! sharepoint_file {
    ($rest:literal) => {
        concat!(
            r#""AppAccessContext":{"AADSessionId":"@guid1@","CorrelationId":"@guid2@","UniqueTokenId":"@token@"},"ObjectId":"@site@@folder@/@file@","CorrelationId":"@guid3@","EventSource":"SharePoint","ItemType":"File","ListId":"@guid4@","ListItemUniqueId":"@guid5@","Site":"@siteid@","WebId":"@guid6@","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","SiteUrl":"@site@","SourceRelativeUrl":"@folder@","SourceFileName":"@file@","SourceFileExtension":"@ext@","#,
            $rest
        )
    };
}

/// Members of the records of auto-labeling, which have no public sample.
macro_rules! auto_label {
    ($rest:literal) => {
        concat!(
            r#""PolicyId":"@guid1@","PolicyName":"Auto-label payment data","PolicyVersion":"3","MgtRuleId":"@guid2@","ExecutionRuleId":"@guid3@","ExecutionRuleName":"Credit cards, many","ExecutionRuleVersion":"7","RuleMode":"Enable","Severity":"Medium","RuleActions":[{"Action":"ApplySensitivityLabel","LabelId":"@new@"}],"OverriddenActions":[],"LabelVersion":"1.0","SensitivityLabelEventData":{"SensitivityLabelId":"@new@","LabelEventType":1,"ActionSource":2,"ActionSourceDetail":1},"SensitiveInfoDetectionIsIncluded":true,"ConditionMatch":{"SensitiveInformation":[{"SensitiveType":"50842eb7-edc8-4019-85dd-5a5c1f2bb085","Count":@n@,"Confidence":85}]},"ScopedLocationId":"@site@","WorkLoadItemId":"@guid4@","#,
            $rest
        )
    };
}

/// Every kind of label event.
pub(crate) const KINDS: [Kind; 27] = [
    Kind::new(43, "MipLabel", "Exchange", Exchange, r#""Scope":0,"ObjectId":"<@guid1@@@domain@>","Sender":"@upn@","Receivers":[@receivers@],"ItemName":"@subject@","LabelId":"@new@","LabelName":"@newname@","LabelAction":"None","LabelAppliedDateTime":"@time@","ApplicationMode":"Privileged","AppAccessContext":{"AADSessionId":"@guid2@","CorrelationId":"@guid3@","UniqueTokenId":"@token@"}"#)
        .user_type(4).without_ip().weights(60, 8),
    Kind::new(75, "AutoSensitivityLabelRuleMatch", "Exchange", Exchange, auto_label!(r#""ExchangeMetaData":{"From":"@upn@","To":[@receivers@],"Subject":"@subject@","FileSize":@size@,"MessageID":"<@guid5@@@domain@>","UniqueID":"@guid6@"},"ItemCreationTime":"@time@""#))
        .change(Change::Applied).weights(12, 3),
    Kind::new(71, "AutoSensitivityLabelRuleMatch", "SharePoint", SharePoint, auto_label!(r#""SharePointMetaData":{"FileName":"@file@","FilePathUrl":"@site@@folder@/@file@","FileOwner":"@upn@","FileSize":@size@,"SiteCollectionUrl":"@site@","IsViewableByExternalUsers":false,"ItemCreationTime":"0001-01-01T00:00:00","ItemLastModifiedTime":"@time@"},"ItemSize":"@size@""#))
        .change(Change::Applied).user_type(4).weights(12, 10),
    Kind::new(72, "AutoSensitivityLabelPolicyMatch", "SharePoint", SharePoint, auto_label!(r#""SharePointMetaData":{"SiteCollectionUrl":"@site@","SiteCollectionGuid":"@siteid@","IsViewableByExternalUsers":false}"#))
        .user_type(4).weights(3, 3),
    Kind::new(6, "FileSensitivityLabelApplied", "SharePoint", SharePoint, sharepoint_file!(r#""DestinationLabel":"@new@","SensitivityLabelId":"@new@","SensitivityLabelOwnerEmail":"@upn@""#))
        .change(Change::Applied).weights(30, 3),
    Kind::new(6, "FileSensitivityLabelChanged", "SharePoint", SharePoint, sharepoint_file!(r#""SourceLabel":"@old@","DestinationLabel":"@new@","SensitivityLabelId":"@new@","SensitivityLabelOwnerEmail":"@upn@","SensitivityLabelJustificationText":"@just@""#))
        .change(Change::Updated).weights(20, 2),
    Kind::new(6, "FileSensitivityLabelRemoved", "SharePoint", SharePoint, sharepoint_file!(r#""SourceLabel":"@old@","SensitivityLabelOwnerEmail":"@upn@","SensitivityLabelJustificationText":"@just@""#))
        .change(Change::Removed).weights(6, 1),
    Kind::new(6, "DocumentSensitivityMismatchDetected", "SharePoint", SharePoint, sharepoint_file!(r#""SensitivityLabelId":"@new@","SensitivityLabelOrder":@neworder@,"SiteSensitivityLabelId":"@old@","SiteSensitivityLabelOrder":@oldorder@"#))
        .change(Change::Updated).user_type(4).weights(5, 1),
    Kind::new(4, "SiteSensitivityLabelApplied", "SharePoint", SharePoint, r#""Scope":0,"ObjectId":"@site@","SiteUrl":"@site@","Site":"@siteid@","WebId":"@guid1@","EventSource":"SharePoint","ItemType":"Site","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","ModifiedProperties":[{"Name":"SensitivityLabel","OldValue":"","NewValue":"@new@"}],"AppAccessContext":{"AADSessionId":"@guid2@","CorrelationId":"@guid3@","UniqueTokenId":"@token@"},"CorrelationId":"@guid4@""#)
        .change(Change::Applied).weights(2, 0),
    Kind::new(4, "SensitivityLabelChanged", "SharePoint", SharePoint, r#""Scope":0,"ObjectId":"@site@","SiteUrl":"@site@","Site":"@siteid@","WebId":"@guid1@","EventSource":"SharePoint","ItemType":"Site","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","ModifiedProperties":[{"Name":"SensitivityLabel","OldValue":"@old@","NewValue":"@new@"}],"AppAccessContext":{"AADSessionId":"@guid2@","CorrelationId":"@guid3@","UniqueTokenId":"@token@"},"CorrelationId":"@guid4@""#)
        .change(Change::Updated).weights(2, 0),
    Kind::new(4, "SiteSensitivityLabelRemoved", "SharePoint", SharePoint, r#""Scope":0,"ObjectId":"@site@","SiteUrl":"@site@","Site":"@siteid@","WebId":"@guid1@","EventSource":"SharePoint","ItemType":"Site","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","ModifiedProperties":[{"Name":"SensitivityLabel","OldValue":"@old@","NewValue":""}],"AppAccessContext":{"AADSessionId":"@guid2@","CorrelationId":"@guid3@","UniqueTokenId":"@token@"},"CorrelationId":"@guid4@""#)
        .change(Change::Removed).weights(1, 0),
    Kind::new(82, "SensitivityLabelPolicyMatched", "PublicEndpoint", General, office!(r#""SensitivityLabelPolicyId":"@guid5@","SensitivityLabelEventData":{"SensitivityLabelId":"@new@","LabelEventType":0,"ActionSource":4,"ActionSourceDetail":1,"SensitivityLabelPolicyId":"@guid5@"}"#))
        .weights(8, 1),
    Kind::new(83, "SensitivityLabelApplied", "PublicEndpoint", General, office!(r#""SensitivityLabelEventData":{"SensitivityLabelId":"@new@","LabelEventType":1,"ActionSource":@source@,"ActionSourceDetail":0,"SensitivityLabelOwnerEmail":"@upn@"}"#))
        .change(Change::Applied).weights(40, 3),
    Kind::new(83, "SensitivityLabelUpdated", "PublicEndpoint", General, office!(r#""SensitivityLabelEventData":{"SensitivityLabelId":"@new@","OldSensitivityLabelId":"@old@","LabelEventType":@event@,"ActionSource":3,"ActionSourceDetail":0,"JustificationText":"@just@","SensitivityLabelOwnerEmail":"@upn@","OldSensitivityLabelOwnerEmail":"@upn@"}"#))
        .change(Change::Updated).weights(30, 3),
    Kind::new(83, "SensitivityLabelRemoved", "PublicEndpoint", General, office!(r#""SensitivityLabelEventData":{"OldSensitivityLabelId":"@old@","LabelEventType":3,"ActionSource":3,"ActionSourceDetail":0,"JustificationText":"@just@","SensitivityLabelOwnerEmail":"@upn@"}"#))
        .change(Change::Removed).weights(8, 1),
    Kind::new(83, "SensitivityLabelApplied", "PublicEndpoint", General, r#""ObjectId":"<@guid1@@@domain@>","Application":"Outlook","DeviceName":"@device@","Platform":"Windows","UserSku":"E5","ContentType":"Email","Scope":0,"TargetLocation":4,"ProtectionEventType":0,"EmailInfo":{"Subject":"@subject@","Sender":"@upn@","Receivers":[@receivers@]},"CurrentProtectionType":{"documentEncrypted":@protected@,"owner":"@upn@","protectionType":0,"templateId":"@guid2@"},"SensitivityLabelEventData":{"SensitivityLabelId":"@new@","LabelEventType":1,"ActionSource":@source@,"ActionSourceDetail":0,"SensitivityLabelOwnerEmail":"@upn@"},"AppAccessContext":{"AADSessionId":"@guid3@","CorrelationId":"@guid4@"}"#)
        .change(Change::Applied).weights(25, 2),
    Kind::new(84, "SensitivityLabeledFileOpened", "PublicEndpoint", General, office!(r#""LabelId":"@new@","ItemName":"@file@""#))
        .weights(60, 4),
    Kind::new(84, "SensitivityLabeledFileRenamed", "PublicEndpoint", General, office!(r#""LabelId":"@new@","ItemName":"@file@","SourceFileName":"@file@""#))
        .weights(6, 0),
    Kind::new(93, "Discover", "Aip", General, SCANNER).user_type(5).by_scanner().weights(6, 120),
    Kind::new(93, "Access", "Aip", General, aip_client!(r#""SensitivityLabelId":"@new@""#)).weights(20, 2),
    Kind::new(94, "SensitivityLabelApplied", "Aip", General, aip_client!(r#""SensitivityLabelId":"@new@","LabelEventType":4,"ActionSource":@source@"#))
        .change(Change::Applied).weights(12, 1),
    Kind::new(94, "SensitivityLabelUpdated", "Aip", General, aip_client!(r#""SensitivityLabelId":"@new@","OldSensitivityLabelId":"@old@","LabelEventType":@event@,"ActionSource":3,"JustificationText":"@just@""#))
        .change(Change::Updated).weights(12, 1),
    Kind::new(94, "SensitivityLabelRemoved", "Aip", General, aip_client!(r#""OldSensitivityLabelId":"@old@","LabelEventType":3,"ActionSource":3,"JustificationText":"@just@""#))
        .change(Change::Removed).weights(3, 1),
    Kind::new(95, "NewProtection", "Aip", General, aip_client!(r#""SensitivityLabelId":"@new@""#)).weights(6, 1),
    Kind::new(96, "FileDeleted", "Aip", General, DELETED).user_type(5).by_scanner().weights(1, 6),
    Kind::new(97, "HeartBeat", "Aip", General, HEARTBEAT).weights(20, 12),
    Kind::new(20, "SensitivityLabelChanged", "PowerBI", General, r#""Scope":0,"Activity":"SensitivityLabelChanged","ItemName":"@dept@ dashboard","WorkSpaceName":"@dept@","WorkspaceId":"@guid1@","ArtifactType":2,"ArtifactId":"@guid2@","ObjectId":"@dept@ dashboard","IsSuccess":true,"RequestId":"@guid3@","ActivityId":"@guid4@","DistributionMethod":"Workspace","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","SensitivityLabelEventData":{"SensitivityLabelId":"@new@","OldSensitivityLabelId":"@old@","LabelEventType":@event@,"ActionSource":3,"ActionSourceDetail":0}"#)
        .change(Change::Updated).weights(4, 0),
];
