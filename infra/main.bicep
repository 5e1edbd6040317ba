// Labelstream: everything that the connector needs, in the resource group of the deployment; the tables and the connector
// page go to the workspace, wherever that is. What the resources are for, and what to do after: docs/deploy.md.

targetScope = 'resourceGroup'

metadata name = 'Labelstream'
metadata description = 'Streams Microsoft Purview Information Protection label events into Microsoft Sentinel.'

import { column, settings as settingsType, tags as tagsType } from 'types.bicep'

// ---- Where

@description('Resource id of the Log Analytics workspace on which Sentinel is enabled: /subscriptions/…/resourceGroups/…/providers/Microsoft.OperationalInsights/workspaces/…. It may be in another resource group or subscription.')
@minLength(100)
param workspaceResourceId string

@description('Region of the function app and its storage, one that has Flex Consumption. The data collection rule goes to the region of the workspace.')
@minLength(3)
param location string = resourceGroup().location

@description('Beginning of the names of the resources: letters, digits and hyphens.')
@minLength(3)
@maxLength(15)
param name string = 'labelstream'

@description('Tags of all resources.')
param tags tagsType = {}

// ---- What is read (each is a setting of docs/settings.md)

@description('The tenants that a fleet reads (TENANTS): `state` for the list in the state container, which `labelstream tenants` keeps, or the list itself as JSON. Empty: one tenant, `tenantId`. The package must fit, see docs/providers.md.')
@maxLength(30000)
param tenants string = ''

@description('The Microsoft 365 tenant that is read (M365_TENANT_ID). A fleet has `tenants` in its place.')
@minLength(36)
@maxLength(36)
param tenantId string = tenant().tenantId

@description('The cloud of that tenant (M365_CLOUD). `gcc` runs in the public Azure, `gcchigh` and `dod` in Azure Government.')
@allowed(['commercial', 'gcc', 'gcchigh', 'dod'])
param m365Cloud string = 'commercial'

@description('When the timer fires: NCRONTAB with six fields, UTC (TIMER_SCHEDULE).')
@minLength(11)
@maxLength(100)
param timerSchedule string = '0 */5 * * * *'

@description('Seconds after which a run takes no more work (RUN_BUDGET_SECONDS); a minute below functionTimeout of host.json at most.')
@minValue(30)
@maxValue(240)
param runBudgetSeconds int = 240

@description('Hours that the very first run goes back (INITIAL_LOOKBACK_HOURS); the feed serves 168.')
@minValue(1)
@maxValue(168)
param initialLookbackHours int = 168

@description('Content types of the feed (CONTENT_TYPES).')
@minLength(1)
param contentTypes ('Audit.AzureActiveDirectory' | 'Audit.Exchange' | 'Audit.General' | 'Audit.SharePoint' | 'DLP.All')[] = [
  'Audit.General'
  'Audit.SharePoint'
  'Audit.Exchange'
]

@description('Record types to keep, names or numbers (RECORD_TYPES); empty for the twelve of Microsoft\'s own connector.')
param recordTypes string[] = []

@description('Operations to keep (OPERATIONS); empty for the ten of Microsoft\'s own connector.')
param operations string[] = []

@description('Whether heartbeats of the Information Protection scanner, record type 97, are kept (HEARTBEATS).')
@allowed(['keep', 'drop'])
param heartbeats string = 'keep'

@description('Where label names come from (LABELS): `graph`, `off`, or a static map as JSON.')
@minLength(2)
param labels string = 'graph'

@description('PublisherIdentifier of the feed calls, a GUID (PUBLISHER_ID); empty for the tenant.')
@maxLength(36)
param publisherId string = ''

@description('What is logged (LABELSTREAM_LOG): a level, or levels by module.')
@minLength(4)
param log string = 'info'

// ---- Who reads it

@description('Where the tenant that is read is not that of the subscription: client id of an app registration (M365_CLIENT_ID). Empty: the managed identity reads the feed.')
@maxLength(36)
param appRegistrationClientId string = ''

@description('How the app registration proves itself: `federated`, by the managed identity as federated credential and without any secret, for which it is a multi-tenant one in the tenant of the subscription; or `secret`, by a client secret in a Key Vault that is made for it.')
@allowed(['federated', 'secret'])
param appRegistrationProof string = 'federated'

@description('Name of the client secret in the Key Vault. You put it in after the deployment.')
@minLength(1)
@maxLength(127)
param clientSecretName string = 'm365-client-secret'

// ---- How it is kept

@description('Container for watermarks, ids and dead letters (STATE_CONTAINER).')
@minLength(3)
@maxLength(63)
param stateContainer string = 'labelstream'

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Days that old versions of blobs and deleted blobs are kept.')
@minValue(1)
@maxValue(30)
param storageRetentionDays int = 7

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('How many instances there may be of each function, which bounds what a fleet costs.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Days of interactive retention of the tables; unset for that of the workspace.')
@minValue(4)
@maxValue(730)
param retentionInDays int?

@description('Days of retention of the tables with the archive; unset for no archive.')
@minValue(4)
@maxValue(4383)
param totalRetentionInDays int?

@description('Resource id of the workspace that keeps the telemetry of the function app. Sentinel charges for what its own workspace takes in.')
@minLength(100)
param telemetryWorkspaceResourceId string = workspaceResourceId

// ---- Who is told

@description('Minutes of lag, for an hour on end, after which an alert fires.')
@minValue(10)
@maxValue(1440)
param alertLagMinutes int = 120

@description('E-mail addresses that alerts go to.')
param alertEmailAddresses string[] = []

@description('Resource ids of action groups that alerts go to.')
param alertActionGroupIds string[] = []

@description('Whether the connector gets its page in Sentinel.')
param connectorPage bool = true

@description('Whether the functions, analytic rules, hunting queries and the workbook of `sentinel/` are deployed. Sentinel must be enabled on the workspace. What was changed in the portal is set back by the next deployment.')
param sentinelContent bool = true

@description('Whether the analytic rules run. With `false` they are there, switched off.')
param sentinelRulesEnabled bool = true

// ---- Network

@description('Whether storage, Key Vault and Azure Monitor are reached through private endpoints in a network of the app\'s own.')
param privateNetworking bool = false

@description('Address range of that network (CIDR), /24 or larger. It must not overlap with networks that it is peered with.')
@minLength(9)
@maxLength(18)
param networkAddressPrefix string = '10.90.0.0/24'

@description('Address ranges (CIDR) that may reach the app: its status page, and publishing. Empty: all, who still need a function key or a role on the app.')
param allowedAddresses string[] = []

// ---- Names

var workspaceParts = split(workspaceResourceId, '/')
var workspaceName = workspaceParts[8]
var suffix = take(uniqueString(resourceGroup().id, name), 6)
var applicationInsightsName = 'appi-${name}-${suffix}'
var packageContainer = 'package'
var labelTable = 'MicrosoftPurviewInformationProtection_CL'
var runsTable = 'LabelstreamRuns_CL'
var labelColumns column[] = loadJsonContent('columns.json')
var runsColumns column[] = loadJsonContent('runs-columns.json')

var fleet = !empty(tenants)
var workQueue = 'labelstream-work' // as fleet/FleetPull/function.json names it
var poisonQueue = '${workQueue}-poison'

var readsByApp = !empty(appRegistrationClientId)
var hasSecret = readsByApp && appRegistrationProof == 'secret'

var blobZone = 'privatelink.blob.${environment().suffixes.storage}'
var queueZone = 'privatelink.queue.${environment().suffixes.storage}'
var tableZone = 'privatelink.table.${environment().suffixes.storage}'
var vaultZone = 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
// The environment does not name these ("Azure Private Endpoint private DNS zone values").
var government = environment().name == 'AzureUSGovernment'
var monitorZones = [
  government ? 'privatelink.monitor.azure.us' : 'privatelink.monitor.azure.com'
  government ? 'privatelink.oms.opinsights.azure.us' : 'privatelink.oms.opinsights.azure.com'
  government ? 'privatelink.ods.opinsights.azure.us' : 'privatelink.ods.opinsights.azure.com'
  government ? 'privatelink.agentsvc.azure-automation.us' : 'privatelink.agentsvc.azure-automation.net'
  blobZone
]

// ---- Resources

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  scope: resourceGroup(workspaceParts[2], workspaceParts[4])
  name: workspaceName
}

// Role assignments have the identity's object id in their names, so that an identity that was deleted and made again gets
// its own; with that id known only when the identity is there, what-if cannot name them, which the linter says.
module identity 'modules/identity.bicep' = {
  params: {
    name: 'id-${name}-${suffix}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: take('st${toLower(replace(name, '-', ''))}${suffix}', 24)
    location: location
    tags: tags
    sku: storageSku
    stateContainer: stateContainer
    packageContainer: packageContainer
    queues: fleet ? [workQueue, poisonQueue] : []
    retentionDays: storageRetentionDays
    private: privateNetworking
    #disable-next-line what-if-short-circuiting // see `identity`
    principalId: identity.outputs.principalId
  }
}

module applicationInsights 'modules/application-insights.bicep' = {
  params: {
    name: applicationInsightsName
    location: location
    tags: tags
    workspaceId: telemetryWorkspaceResourceId
    private: privateNetworking
    #disable-next-line what-if-short-circuiting // see `identity`
    principalId: identity.outputs.principalId
  }
}

module labelEvents 'modules/table.bicep' = {
  scope: resourceGroup(workspaceParts[2], workspaceParts[4])
  params: {
    workspaceName: workspaceName
    name: labelTable
    purpose: 'Sensitivity label events of Microsoft 365, in the schema of MicrosoftPurviewInformationProtection'
    columns: labelColumns
    retentionInDays: retentionInDays
    totalRetentionInDays: totalRetentionInDays
  }
}

module runs 'modules/table.bicep' = {
  scope: resourceGroup(workspaceParts[2], workspaceParts[4])
  params: {
    workspaceName: workspaceName
    name: runsTable
    purpose: 'The runs of Labelstream: a row for each'
    columns: runsColumns
    retentionInDays: retentionInDays
    totalRetentionInDays: totalRetentionInDays
  }
}

module dataCollection 'modules/data-collection.bicep' = {
  params: {
    name: 'dcr-${name}-${suffix}'
    endpointName: 'dce-${name}-${suffix}'
    location: workspace.location
    tags: tags
    workspaceId: workspaceResourceId
    labelTable: labelEvents.outputs.name
    labelColumns: labelColumns
    runsTable: runs.outputs.name
    runsColumns: runsColumns
    private: privateNetworking
    #disable-next-line what-if-short-circuiting // see `identity`
    principalId: identity.outputs.principalId
  }
}

module keyVault 'modules/key-vault.bicep' = if (hasSecret) {
  params: {
    name: take('kv-${name}-${suffix}', 24)
    location: location
    tags: tags
    private: privateNetworking
    #disable-next-line what-if-short-circuiting // see `identity`
    principalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
  }
}

module privateZones 'modules/private-zones.bicep' = if (privateNetworking) {
  params: {
    names: concat([queueZone, tableZone], monitorZones, hasSecret ? [vaultZone] : [])
    tags: tags
    networkId: network!.outputs.id
  }
}

module monitorPrivateLink 'modules/monitor-private-link.bicep' = if (privateNetworking) {
  params: {
    name: 'ampls-${name}-${suffix}'
    tags: tags
    dataCollectionEndpointId: dataCollection.outputs.endpointId
    applicationInsightsId: applicationInsights.outputs.id
  }
}

// Azure Monitor has names in the zone of blobs too, so that its endpoint must not be made beside the other.
module blobEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  dependsOn: [privateZones]
  params: {
    name: 'pe-blob-${name}-${suffix}'
    location: location
    tags: tags
    subnetId: network!.outputs.privateEndpointSubnetId
    targetId: storage.outputs.id
    group: 'blob'
    zoneNames: [blobZone]
  }
}

module queueEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  dependsOn: [privateZones]
  params: {
    name: 'pe-queue-${name}-${suffix}'
    location: location
    tags: tags
    subnetId: network!.outputs.privateEndpointSubnetId
    targetId: storage.outputs.id
    group: 'queue'
    zoneNames: [queueZone]
  }
}

module tableEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  dependsOn: [privateZones]
  params: {
    name: 'pe-table-${name}-${suffix}'
    location: location
    tags: tags
    subnetId: network!.outputs.privateEndpointSubnetId
    targetId: storage.outputs.id
    group: 'table'
    zoneNames: [tableZone]
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking && hasSecret) {
  dependsOn: [privateZones]
  params: {
    name: 'pe-vault-${name}-${suffix}'
    location: location
    tags: tags
    subnetId: network!.outputs.privateEndpointSubnetId
    targetId: keyVault!.outputs.id
    group: 'vault'
    zoneNames: [vaultZone]
  }
}

module monitorEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  dependsOn: [privateZones, blobEndpoint]
  params: {
    name: 'pe-monitor-${name}-${suffix}'
    location: location
    tags: tags
    subnetId: network!.outputs.privateEndpointSubnetId
    targetId: monitorPrivateLink!.outputs.id
    group: 'azuremonitor'
    zoneNames: monitorZones
  }
}

// What is empty is left to the connector's own default.
var settings settingsType = union(
  fleet ? { TENANTS: tenants } : { M365_TENANT_ID: tenantId },
  {
    M365_CLOUD: m365Cloud
    DATA_COLLECTION_ENDPOINT: dataCollection.outputs.ingestionEndpoint
    LOGS_DCR_RULE_ID: dataCollection.outputs.immutableId
    LOGS_DCR_STREAM_NAME: dataCollection.outputs.labelStream
    STATE_CONTAINER: stateContainer
    TIMER_SCHEDULE: timerSchedule
    RUN_BUDGET_SECONDS: string(runBudgetSeconds)
    INITIAL_LOOKBACK_HOURS: string(initialLookbackHours)
    CONTENT_TYPES: join(contentTypes, ',')
    HEARTBEATS: heartbeats
    LABELS: labels
    LABELSTREAM_LOG: log
  },
  empty(recordTypes) ? {} : { RECORD_TYPES: join(recordTypes, ',') },
  empty(operations) ? {} : { OPERATIONS: join(operations, ',') },
  empty(publisherId) ? {} : { PUBLISHER_ID: publisherId },
  readsByApp ? { M365_CLIENT_ID: appRegistrationClientId } : {},
  readsByApp && !hasSecret ? { M365_FEDERATED_IDENTITY: 'true' } : {},
  hasSecret
    ? { M365_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${keyVault!.outputs.uri}secrets/${clientSecretName}/)' }
    : {}
)

module functionApp 'modules/function-app.bicep' = {
  dependsOn: [applicationInsights, blobEndpoint, queueEndpoint, tableEndpoint, vaultEndpoint, monitorEndpoint]
  params: {
    name: 'func-${name}-${suffix}'
    planName: 'plan-${name}-${suffix}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageEndpoints: storage.outputs.endpoints
    packageContainer: packageContainer
    applicationInsightsName: applicationInsightsName
    settings: settings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    allowedAddresses: allowedAddresses
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    name: '${name}-${suffix}'
    location: workspace.location
    tags: tags
    workspaceId: workspaceResourceId
    applicationInsightsId: applicationInsights.outputs.id
    ruleId: dataCollection.outputs.ruleId
    runsTable: runs.outputs.name
    tenantId: fleet ? '' : tenantId
    poisonQueue: poisonQueue
    lagMinutes: alertLagMinutes
    actionGroupIds: alertActionGroupIds
    emailAddresses: alertEmailAddresses
  }
}

module page 'modules/connector-page.bicep' = if (connectorPage) {
  scope: resourceGroup(workspaceParts[2], workspaceParts[4])
  params: {
    workspaceName: workspaceName
    labelTable: labelEvents.outputs.name
    runsTable: runs.outputs.name
  }
}

module content 'modules/sentinel-content.bicep' = if (sentinelContent) {
  // The tables must be there when a rule's query is tried.
  dependsOn: [labelEvents, runs]
  scope: resourceGroup(workspaceParts[2], workspaceParts[4])
  params: {
    workspaceName: workspaceName
    location: workspace.location
    tags: tags
    rulesEnabled: sentinelRulesEnabled
  }
}

// ---- What to go on with. `azd` keeps these as variables of its environment, by these names.

@description('Name of the function app, to publish to.')
output FUNCTION_APP_NAME string = functionApp.outputs.name

@description('Object id of the managed identity, to grant `ActivityFeed.Read` to; of a fleet, the subject of the federated credential.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Resource id of the data collection rule.')
output DATA_COLLECTION_RULE_ID string = dataCollection.outputs.ruleId

@description('Address of the Key Vault to put the client secret in; empty where none is used.')
output KEY_VAULT_URI string = hasSecret ? keyVault!.outputs.uri : ''

@description('The address from which the app reaches the internet; empty without private networking.')
output OUTBOUND_ADDRESS string = privateNetworking ? network!.outputs.outboundAddress : ''
