// Application Insights, which takes telemetry from identities alone.

import { tags as tagsType } from '../types.bicep'

@description('Name of the component.')
@minLength(1)
@maxLength(255)
param name string

@description('Region of the component.')
param location string

@description('Tags of the component.')
param tags tagsType

@description('Resource id of the workspace that keeps its telemetry.')
@minLength(1)
param workspaceId string

@description('Whether telemetry comes through a private link only.')
param private bool

@description('Object id of the identity that sends telemetry.')
@minLength(36)
@maxLength(36)
param principalId string

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspaceId
    publicNetworkAccessForIngestion: private ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Resource id of the component.')
output id string = component.id
