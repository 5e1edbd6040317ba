// The Flex Consumption plan and the function app: a custom handler, opened and published to by identity alone.

import { settings as settingsType, tags as tagsType } from '../types.bicep'

@description('Name of the function app. The Functions host takes its id from the first 32 characters.')
@minLength(2)
@maxLength(32)
param name string

@description('Name of the plan.')
@minLength(1)
@maxLength(40)
param planName string

@description('Region of plan and app.')
param location string

@description('Tags of plan and app.')
param tags tagsType

@description('Resource id of the user-assigned identity.')
@minLength(1)
param identityId string

@description('Client id of the user-assigned identity.')
@minLength(36)
@maxLength(36)
param identityClientId string

@description('Addresses of the services of the storage account, each with a slash at its end.')
param storageEndpoints {
  @description('Blob service.')
  blob: string

  @description('Queue service.')
  queue: string

  @description('Table service.')
  table: string
}

@description('Container for the package.')
@minLength(3)
@maxLength(63)
param packageContainer string

@description('Name of the Application Insights component, which is in the same resource group.')
@minLength(1)
param applicationInsightsName string

@description('The settings of the connector.')
param settings settingsType

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('How many instances there may be of each function.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

@description('Resource id of the subnet that the app is integrated with; empty for none.')
param subnetId string

@description('Address ranges (CIDR) that may reach the app and its publishing endpoint; empty for all.')
param allowedAddresses string[]

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  // `azd deploy` finds the app by this tag: the service in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'connector' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'custom'
        version: '1.0'
      }
      // One instance runs the timer; 40 is the smallest limit that the plan takes. How many messages an instance gets at
      // once is in the fleet's host.json.
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictionsDefaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: [
        for (range, i) in allowedAddresses: {
          name: 'allowed-${i}'
          action: 'Allow'
          ipAddress: range
          priority: 100 + i
        }
      ]
      scmIpSecurityRestrictionsUseMain: true
    }
  }
}

// FUNCTIONS_WORKER_RUNTIME, FUNCTIONS_EXTENSION_VERSION, WEBSITE_RUN_FROM_PACKAGE and WEBSITE_CONTENT* are not for Flex
// Consumption: `functionAppConfig` says what they would.
resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    {
      // Addresses in place of the account's name, to which the host gives the public cloud's suffix in every cloud.
      AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AZURE_CLIENT_ID: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    },
    settings
  )
}

// Publishing goes by Microsoft Entra ID; user names and passwords for it are off.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('Name of the function app.')
output name string = app.name
