// Private DNS zones, each linked with the network.

import { tags as tagsType } from '../types.bicep'

@description('Names of the zones.')
@minLength(1)
param names string[]

@description('Tags of the zones.')
param tags tagsType

@description('Resource id of the network.')
@minLength(1)
param networkId string

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [
  for name in names: {
    name: name
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [
  for (name, i) in names: {
    parent: zones[i]
    name: 'network'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: networkId
      }
    }
  }
]
