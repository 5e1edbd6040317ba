// Many tenants, for a provider: the package of `scripts/package --fleet`, the list of tenants in the state container, and
// the managed identity as federated credential of the provider's multi-tenant app registration (docs/providers.md).
using '../main.bicep'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sentinel/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param tenants = 'state'
param appRegistrationClientId = '00000000-0000-0000-0000-000000000001'
param maximumInstanceCount = 100
param alertEmailAddresses = ['secops@contoso.com']
