// The public cloud: a tenant of Microsoft 365 worldwide, or of the US Government Community Cloud with m365Cloud = 'gcc'.
using '../main.bicep'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sentinel/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param tenantId = '00000000-0000-0000-0000-000000000000'
param alertEmailAddresses = ['secops@contoso.com']
