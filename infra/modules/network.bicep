// A network of the app's own: one subnet for the app, one for private endpoints, and a fixed address to the outside.

import { tags as tagsType } from '../types.bicep'

@description('Beginning of the names of the resources.')
@minLength(3)
@maxLength(40)
param name string

@description('Region of the network, which must be that of the app.')
param location string

@description('Tags of the resources.')
param tags tagsType

@description('Address range of the network (CIDR), of which two subnets of a quarter each are used: /24 or larger.')
@minLength(9)
@maxLength(18)
param addressPrefix string

// Subnets have no way out by default any more, and the feed, the login and Graph are on the internet.
resource outboundAddress 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource outbound 'Microsoft.Network/natGateways@2024-05-01' = {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: outboundAddress.id
      }
    ]
  }
}

// The rules that every group has: in from the network only, out to everywhere.
resource securityGroup 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, int(split(addressPrefix, '/')[1]) + 2, 0)
          defaultOutboundAccess: false
          natGateway: {
            id: outbound.id
          }
          networkSecurityGroup: {
            id: securityGroup.id
          }
          // What Flex Consumption asks of a subnet.
          delegations: [
            {
              name: 'app'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'private-endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, int(split(addressPrefix, '/')[1]) + 2, 1)
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: securityGroup.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource privateEndpoints 'subnets' existing = {
    name: 'private-endpoints'
  }
}

@description('Resource id of the network.')
output id string = network.id

@description('Resource id of the subnet for the app.')
output appSubnetId string = network::app.id

@description('Resource id of the subnet for private endpoints.')
output privateEndpointSubnetId string = network::privateEndpoints.id

@description('The address from which the app reaches the internet.')
output outboundAddress string = outboundAddress.properties.ipAddress
