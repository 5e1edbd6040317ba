// A private endpoint, and its names in the private DNS zones of this resource group.

import { tags as tagsType } from '../types.bicep'

@description('Name of the endpoint.')
@minLength(2)
@maxLength(64)
param name string

@description('Region of the endpoint.')
param location string

@description('Tags of the endpoint.')
param tags tagsType

@description('Resource id of the subnet.')
@minLength(1)
param subnetId string

@description('Resource id of what is reached through the endpoint.')
@minLength(1)
param targetId string

@description('The part of it that is reached, as Private Link names it.')
@allowed(['azuremonitor', 'blob', 'queue', 'table', 'vault'])
param group string

@description('Names of the zones.')
@minLength(1)
param zoneNames string[]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: group
        properties: {
          privateLinkServiceId: targetId
          groupIds: [group]
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' existing = [
  for zone in zoneNames: {
    name: zone
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      for (zone, i) in zoneNames: {
        name: replace(zone, '.', '-')
        properties: {
          privateDnsZoneId: zones[i].id
        }
      }
    ]
  }
}
