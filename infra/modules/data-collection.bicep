// The data collection rule that takes label events and runs, its error log, and a data collection endpoint where a private
// link needs one.

import { column, tags as tagsType } from '../types.bicep'

@description('Name of the rule.')
@minLength(3)
@maxLength(30)
param name string

@description('Name of the data collection endpoint, used where `private` is true.')
@minLength(3)
@maxLength(44)
param endpointName string

@description('Region of the rule, which must be that of the workspace.')
param location string

@description('Tags of the resources.')
param tags tagsType

@description('Resource id of the workspace.')
@minLength(1)
param workspaceId string

@description('Table of the label events.')
param labelTable string

@description('Columns of a label event.')
param labelColumns column[]

@description('Table of the runs.')
param runsTable string

@description('Columns of a run.')
param runsColumns column[]

@description('Whether rows come through a private link, which needs a data collection endpoint.')
param private bool

@description('Object id of the identity that sends rows.')
@minLength(36)
@maxLength(36)
param principalId string

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
var labelStream = 'Custom-${labelTable}'
var runsStream = 'Custom-${runsTable}'

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2023-03-11' = if (private) {
  name: endpointName
  location: location
  tags: tags
  properties: {
    networkAcls: {
      publicNetworkAccess: 'Disabled'
    }
  }
}

// `Direct` gives the rule an ingestion endpoint of its own; it can be set only when the rule is made.
resource rule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: name
  location: location
  tags: tags
  kind: 'Direct'
  properties: {
    description: 'Purview label events of the Office 365 Management Activity API, and the runs of the connector'
    dataCollectionEndpointId: private ? endpoint.id : null
    streamDeclarations: {
      '${labelStream}': {
        columns: map(labelColumns, column => {
          name: column.name
          type: column.type
        })
      }
      '${runsStream}': {
        columns: map(runsColumns, column => {
          name: column.name
          type: column.type
        })
      }
    }
    destinations: {
      logAnalytics: [
        {
          name: 'workspace'
          workspaceResourceId: workspaceId
        }
      ]
    }
    // Rows are made by the connector. With `source` a dropped row is always an error, and nothing is billed for dropping.
    dataFlows: [
      {
        streams: [labelStream]
        destinations: ['workspace']
        transformKql: 'source'
        outputStream: labelStream
      }
      {
        streams: [runsStream]
        destinations: ['workspace']
        transformKql: 'source'
        outputStream: runsStream
      }
    ]
  }
}

resource errorLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'errors'
  scope: rule
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'LogErrors'
        enabled: true
      }
    ]
  }
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(rule.id, principalId, monitoringMetricsPublisher)
  scope: rule
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Resource id of the rule.')
output ruleId string = rule.id

@description('Immutable id of the rule, which the address of a post names.')
output immutableId string = rule.properties.immutableId

@description('Where rows are posted.')
output ingestionEndpoint string = private
  ? endpoint!.properties.logsIngestion.endpoint
  : rule.properties.endpoints.logsIngestion

@description('Resource id of the data collection endpoint; empty where there is none.')
output endpointId string = private ? endpoint.id : ''

@description('Stream of the label events.')
output labelStream string = labelStream
