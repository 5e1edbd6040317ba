// A tenant that is not the subscription's, read without any secret: the managed identity is a federated credential of a
// multi-tenant app registration in its own tenant, which the other has let in. With a filter and other choices of one's own.
using '../main.bicep'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sentinel/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param tenantId = '00000000-0000-0000-0000-000000000000'
param appRegistrationClientId = '00000000-0000-0000-0000-000000000001'
param publisherId = '00000000-0000-0000-0000-000000000002'
param contentTypes = ['Audit.General', 'Audit.SharePoint']
param recordTypes = ['SensitivityLabelAction', 'AipHeartBeat', '94']
param operations = ['SensitivityLabelApplied', 'SensitivityLabelUpdated', 'SensitivityLabelRemoved']
param heartbeats = 'drop'
param initialLookbackHours = 24
param retentionInDays = 90
param totalRetentionInDays = 730
param connectorPage = false
param sentinelContent = false
