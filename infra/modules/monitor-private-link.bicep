// An Azure Monitor private link scope for the data collection endpoint and Application Insights.

import { tags as tagsType } from '../types.bicep'

@description('Name of the scope.')
@minLength(1)
@maxLength(255)
param name string

@description('Tags of the scope.')
param tags tagsType

@description('Resource id of the data collection endpoint.')
@minLength(1)
param dataCollectionEndpointId string

@description('Resource id of the Application Insights component.')
@minLength(1)
param applicationInsightsId string

resource scope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: {
      ingestionAccessMode: 'PrivateOnly'
      // The app asks no queries; people do, from wherever they are.
      queryAccessMode: 'Open'
    }
  }
}

resource ingestion 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = {
  parent: scope
  name: 'data-collection-endpoint'
  properties: {
    linkedResourceId: dataCollectionEndpointId
  }
}

resource telemetry 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = {
  parent: scope
  name: 'application-insights'
  // One after the other: the scope takes one change at a time.
  dependsOn: [ingestion]
  properties: {
    linkedResourceId: applicationInsightsId
  }
}

@description('Resource id of the scope.')
output id string = scope.id
