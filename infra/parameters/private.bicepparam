// Everything by private endpoints, for a tenant that is not the subscription's and that is read with a client secret.
using '../main.bicep'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sentinel/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param tenantId = '00000000-0000-0000-0000-000000000000'
param appRegistrationClientId = '00000000-0000-0000-0000-000000000001'
param appRegistrationProof = 'secret'
param storageSku = 'Standard_ZRS'
param privateNetworking = true
// The rules are looked at before they run.
param sentinelRulesEnabled = false
param networkAddressPrefix = '10.90.0.0/24'
// From where people and pipelines publish, and look at the status page.
param allowedAddresses = ['203.0.113.0/24']
param alertEmailAddresses = ['secops@contoso.com']
