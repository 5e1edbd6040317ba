// Azure Government: a tenant of GCC High; for one of the Department of Defense, m365Cloud = 'dod'. Whether Flex Consumption
// has the runtime `custom` in these regions was not tried, see docs/deploy.md.
using '../main.bicep'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sentinel/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param tenantId = '00000000-0000-0000-0000-000000000000'
param m365Cloud = 'gcchigh'
param alertEmailAddresses = ['secops@contoso.us']
