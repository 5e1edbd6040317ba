//! The noise: records that the filter must drop, with the traps among them that look like label events.

use super::kind::Kind;
use crate::contents::ContentType::{AzureActiveDirectory, Dlp, Exchange, General, SharePoint};

/// Members that SharePoint's records share.
macro_rules! sharepoint {
    ($rest:literal) => {
        concat!(
            r#""AppAccessContext":{"AADSessionId":"@guid1@","CorrelationId":"@guid2@","UniqueTokenId":"@token@"},"ObjectId":"@site@@folder@/@file@","CorrelationId":"@guid3@","EventSource":"SharePoint","ItemType":"File","ListId":"@guid4@","ListItemUniqueId":"@guid5@","Site":"@siteid@","WebId":"@guid6@","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","SiteUrl":"@site@","SourceRelativeUrl":"@folder@","SourceFileName":"@file@","SourceFileExtension":"@ext@","HighPriorityMediaProcessing":false,"ApplicationDisplayName":"@app@""#,
            $rest
        )
    };
}

const SIGN_IN: &str = r#""ResultStatus":"Success","ObjectId":"@guid1@","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Redirect"},{"Name":"UserAgent","Value":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"},{"Name":"RequestType","Value":"OAuth2:Authorize"}],"ModifiedProperties":[],"Actor":[{"ID":"@key@","Type":0},{"ID":"@upn@","Type":5}],"ActorContextId":"@org@","ActorIpAddress":"@ip@","InterSystemsId":"@guid2@","IntraSystemId":"@guid3@","SupportTicketId":"","Target":[{"ID":"@guid1@","Type":0}],"TargetContextId":"@org@","ApplicationId":"@guid4@","DeviceProperties":[{"Name":"OS","Value":"Windows10"},{"Name":"BrowserType","Value":"Chrome"},{"Name":"SessionId","Value":"@guid5@"}],"ErrorNumber":"0""#;

/// The noise of DLP.All.
pub(crate) const DLP_RULE_MATCH: Kind =
    Kind::new(13, "DlpRuleMatch", "Exchange", Dlp, r#""ObjectId":"<@guid1@@@domain@>","IncidentId":"@guid2@","SensitiveInfoDetectionIsIncluded":false,"ExchangeMetaData":{"BCC":[],"CC":[],"FileSize":@size@,"From":"@upn@","MessageID":"<@guid1@@@domain@>","RecipientCount":1,"Sent":"@time@","Subject":"@subject@","To":[@receivers@],"UniqueID":"@guid3@"},"PolicyDetails":[{"PolicyId":"@guid4@","PolicyName":"Default DLP policy","Rules":[{"Actions":["Audit"],"RuleId":"@guid5@","RuleMode":"Enable","RuleName":"Payment data","Severity":"Low"}]}]"#)
        .user_type(4);

/// Every kind of noise.
pub(crate) const KINDS: [Kind; 19] = [
    Kind::new(1, "Set-Mailbox", "Exchange", Exchange, r#""ResultStatus":"True","ObjectId":"@alias@","OrganizationName":"@domain@","OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","ExternalAccess":false,"AppId":"","ClientAppId":"","Parameters":[{"Name":"Identity","Value":"@upn@"},{"Name":"AuditEnabled","Value":"True"},{"Name":"RetentionComment","Value":"Set by @dept@, request @guid1@"}],"SessionId":"@guid2@","RequestId":"@guid3@","DeviceId":"@guid4@","AppAccessContext":{"AADSessionId":"@guid5@","CorrelationId":"@guid6@","UniqueTokenId":"@token@"}"#)
        .user_type(2).weights(4, 1),
    Kind::new(2, "Send", "Exchange", Exchange, r#""ResultStatus":"Succeeded","ClientInfoString":"Client=OWA;Action=ViaProxy","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-@n@-1985-443","MailboxGuid":"@guid1@","MailboxOwnerSid":"S-1-5-21-@n@-1985-443","MailboxOwnerUPN":"@upn@","OrganizationName":"@domain@","OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","SessionId":"@guid2@","Item":{"Id":"@token@","InternetMessageId":"<@guid3@@@domain@>","ParentFolder":{"Id":"@token@","Path":"\\Drafts"},"SizeInBytes":@size@,"Subject":"@subject@"}"#)
        .weights(40, 4),
    Kind::new(3, "SoftDelete", "Exchange", Exchange, r#""ResultStatus":"Succeeded","ClientInfoString":"Client=MSExchangeRPC","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"MailboxGuid":"@guid1@","MailboxOwnerUPN":"@upn@","OrganizationName":"@domain@","OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","SessionId":"@guid2@","AffectedItems":[{"Attachments":"@file@ (@size@b)","Id":"@token@","InternetMessageId":"<@guid3@@@domain@>","ParentFolder":{"Id":"@token@","Path":"\\Inbox"},"Subject":"@subject@"}],"CrossMailboxOperation":false,"Folder":{"Id":"@token@","Path":"\\Inbox"}"#)
        .weights(15, 2),
    // The trap of a page view that carries a label.
    Kind::new(4, "PageViewed", "SharePoint", SharePoint, sharepoint!(r#","SensitivityLabelEventData":{"SensitivityLabelId":"@new@","LabelEventType":1,"ActionSource":3},"SensitivityLabelId":"@new@""#))
        .weights(30, 3),
    Kind::new(6, "FileAccessed", "SharePoint", SharePoint, sharepoint!(r#","DoNotDistributeEvent":true"#)).weights(120, 10),
    Kind::new(6, "FileModified", "SharePoint", SharePoint, sharepoint!(r#","DoNotDistributeEvent":true"#)).weights(60, 5),
    // `FileDeleted` is an operation of record type 96 too.
    Kind::new(6, "FileDeleted", "SharePoint", SharePoint, sharepoint!(r#","FileSizeBytes":@size@"#)).weights(10, 2),
    Kind::new(8, "Add member to group.", "AzureActiveDirectory", AzureActiveDirectory, r#""ResultStatus":"Success","ObjectId":"@upn@","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"additionalDetails","Value":"{}"},{"Name":"extendedAuditEventCategory","Value":"Group"}],"ModifiedProperties":[{"Name":"Group.ObjectID","NewValue":"@guid1@","OldValue":""},{"Name":"Group.DisplayName","NewValue":"@dept@","OldValue":""}],"Actor":[{"ID":"@upn@","Type":5},{"ID":"@key@","Type":2}],"ActorContextId":"@org@","InterSystemsId":"@guid2@","IntraSystemId":"@guid3@","SupportTicketId":"","Target":[{"ID":"User_@guid4@","Type":2},{"ID":"@upn@","Type":5}],"TargetContextId":"@org@""#)
        .weights(10, 1),
    Kind::new(9, "UserLoginFailed", "AzureActiveDirectory", AzureActiveDirectory, SIGN_IN).weights(5, 3),
    Kind::new(15, "UserLoggedIn", "AzureActiveDirectory", AzureActiveDirectory, SIGN_IN).weights(80, 10),
    // The trap of a DLP record with the operation of record type 43.
    Kind::new(13, "MipLabel", "Exchange", Exchange, r#""ObjectId":"<@guid1@@@domain@>","IncidentId":"@guid2@","SensitiveInfoDetectionIsIncluded":true,"ExchangeMetaData":{"BCC":[],"CC":[],"FileSize":@size@,"From":"@upn@","MessageID":"<@guid1@@@domain@>","RecipientCount":1,"Sent":"@time@","Subject":"@subject@","To":[@receivers@],"UniqueID":"@guid3@"},"PolicyDetails":[{"PolicyId":"@guid4@","PolicyName":"Default DLP policy","Rules":[{"Actions":["Audit"],"ConditionsMatched":{"ConditionMatchedInNewScheme":true,"OtherConditions":[{"Name":"MipLabel","Value":"@new@"}]},"RuleId":"@guid5@","RuleMode":"Enable","RuleName":"Labelled mail","Severity":"Low"}]}]"#)
        .user_type(4).weights(15, 2),
    Kind::new(50, "MailItemsAccessed", "Exchange", Exchange, r#""ResultStatus":"Succeeded","ClientInfoString":"Client=REST;Client=RESTSystem;;","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-@n@-1985-443","MailboxGuid":"@guid1@","MailboxOwnerUPN":"@upn@","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"OrganizationName":"@domain@","OriginatingServer":"AM0PR01MB0001 (15.20.9228.014)","SessionId":"@guid2@","Folders":[{"FolderItems":[{"Id":"@token@","InternetMessageId":"<@guid3@@@domain@>","SizeInBytes":@size@}],"Id":"@token@","Path":"\\Inbox"}],"OperationCount":@n@"#)
        .weights(100, 20),
    // The trap of cmdlets about labels.
    Kind::new(18, "Set-Label", "SecurityComplianceCenter", General, r#""ObjectId":"@new@","SecurityComplianceCenterEventType":0,"ClientApplication":"EMC","CmdletVersion":"","EffectiveOrganization":"@domain@","UserServicePlan":"","NonPIIParameters":"-Identity <R:'@new@'> -AdvancedSettings -Settings -Comment","Parameters":"-Identity \"@new@\" -Comment \"Changed by @dept@\" -Settings \"[tooltip, @subject@]\" -ContentType \"File, Email\"","StartTime":"@time@","AADGroupId":"@guid1@","RelyingParty":"@guid2@","AppAccessContext":{"AADSessionId":"@guid3@","CorrelationId":"@guid4@","UniqueTokenId":"@token@"},"RequestId":"@guid5@""#)
        .user_type(2).weights(2, 1),
    Kind::new(25, "MessageSent", "MicrosoftTeams", General, r#""AADGroupId":"@guid1@","ChannelGuid":"19:@token@@thread.tacv2","ChannelName":"General","ChannelType":"Standard","CommunicationType":"Channel","ExtraProperties":[{"Key":"TimeZone","Value":"Europe/Berlin"},{"Key":"OsName","Value":"windows"},{"Key":"Country","Value":"de"},{"Key":"ClientVersion","Value":"1415/25110200"}],"ItemName":"@dept@","MessageId":"@n@","MessageVersion":"1763800000000","MessageVisibilityTime":"@time@Z","ParticipantInfo":{"HasForeignTenantUsers":false,"HasGuestUsers":false,"HasOtherGuestUsers":false,"HasUnauthenticatedUsers":false,"ParticipatingTenantIds":["@org@"]},"ResourceTenantId":"@org@","TeamGuid":"19:@guid2@@thread.tacv2","TeamName":"@dept@","AppAccessContext":{"AADSessionId":"@guid3@","CorrelationId":"@guid4@"}"#)
        .weights(100, 10),
    // The trap of a Copilot record that names the label of what it read.
    Kind::new(261, "CopilotInteraction", "Copilot", General, r#""ClientRegion":"DE","CopilotEventData":{"AISystemPlugin":[],"AccessedResources":[{"Action":"Read","ID":"@guid1@","Name":"@file@","PolicyDetails":"","SensitivityLabelId":"@new@","SiteUrl":"@site@@folder@/@file@","Type":"@ext@"}],"AppHost":"@app@","Contexts":[{"Id":"@site@_layouts/15/Doc.aspx?sourcedoc=%7B@guid2@%7D&action=default","Type":"@ext@"}],"MessageIds":[],"Messages":[{"Id":"@guid3@","isPrompt":true},{"Id":"@guid4@","isPrompt":false}],"ModelTransparencyDetails":[],"ThreadId":"19:@token@@thread.v2"},"AppAccessContext":{"AADSessionId":"@guid5@","CorrelationId":"@guid6@"}"#)
        .weights(25, 2),
    Kind::new(20, "ViewReport", "PowerBI", General, r#""Scope":0,"Activity":"ViewReport","ItemName":"@dept@ report","WorkSpaceName":"@dept@","WorkspaceId":"@guid1@","DatasetName":"@dept@","DatasetId":"@guid2@","ReportId":"@guid3@","ReportName":"@dept@ report","ReportType":"PowerBIReport","IsSuccess":true,"RequestId":"@guid4@","ActivityId":"@guid5@","DistributionMethod":"Workspace","ConsumptionMethod":"Power BI Web","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","SensitivityLabelId":"@new@","RefreshEnforcementPolicy":0"#)
        .weights(20, 2),
    Kind::new(30, "EditFlow", "MicrosoftFlow", General, r#""FlowConnectorNames":"SharePoint, Office 365 Outlook, Approvals","FlowDetailsUrl":"https://make.powerautomate.example/environments/Default-@org@/flows/@guid1@/details","LicenseDisplayName":"Standard","SharingPermission":3,"UserTypeInitiated":1,"UserUPN":"@upn@","RecipientUPN":"","ObjectId":"@guid1@","ResultStatus":"Success","AppAccessContext":{"AADSessionId":"@guid2@","CorrelationId":"@guid3@","UniqueTokenId":"@token@"},"AdditionalInfo":"{\"environment\":\"Default-@org@\",\"owner\":\"@upn@\",\"reason\":\"@subject@\"}""#)
        .weights(6, 1),
    Kind::new(14, "SharingSet", "SharePoint", SharePoint, sharepoint!(r#","TargetUserOrGroupName":"@upn@","TargetUserOrGroupType":"Member","EventData":"<Permissions granted>Contribute</Permissions granted>""#))
        .weights(8, 1),
    DLP_RULE_MATCH,
];
