// The storage account: the Functions host's own containers, the package and the state. It is opened by identity alone.

import { tags as tagsType } from '../types.bicep'

@description('Name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region of the storage account.')
param location string

@description('Tags of the storage account.')
param tags tagsType

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param sku string

@description('Container for watermarks, ids and dead letters.')
@minLength(3)
@maxLength(63)
param stateContainer string

@description('Container for the package that the app runs.')
@minLength(3)
@maxLength(63)
param packageContainer string

@description('Queues of the connector; none where one tenant is read.')
param queues string[]

@description('Days that versions and deleted blobs are kept.')
@minValue(1)
@maxValue(30)
param retentionDays int

@description('Whether the account is reached through private endpoints only.')
param private bool

@description('Object id of the identity that opens the account.')
@minLength(36)
@maxLength(36)
param principalId string

// The Functions host makes containers for its locks, timers and keys, so that its role has to be on the account
// ("Connecting to host storage with an identity"); the role reaches the package and the state too. The host keeps its
// diagnostic events in a table that it makes each month, and warns (AZFD0003) where it may not. A queue trigger reads,
// deletes and sets aside messages, and the scale controller counts them as the same identity.
var roles = concat(
  [
    'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
    '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  ],
  empty(queues) ? [] : ['974c5e8b-45b9-4653-ba55-5f855dd0fb88'] // Storage Queue Data Contributor
)

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: retentionDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: retentionDays
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for container in [stateContainer, packageContainer]: {
    parent: blobs
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

// The queue trigger does not make the queue that it listens to.
resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = if (!empty(queues)) {
  parent: account
  name: 'default'
}

resource work 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

// A run writes the watermark every few seconds, and each write leaves a version behind.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  dependsOn: [blobs]
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-old-versions'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: retentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource grants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    name: guid(account.id, principalId, role)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

@description('Resource id of the storage account.')
output id string = account.id

@description('Addresses of its blob, queue and table services, each with a slash at its end.')
output endpoints {
  blob: string
  queue: string
  table: string
} = {
  blob: account.properties.primaryEndpoints.blob
  queue: account.properties.primaryEndpoints.queue
  table: account.properties.primaryEndpoints.table
}
