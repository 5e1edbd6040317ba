// The identity of the function app. User-assigned, so that its grants in Microsoft Entra ID and on the data collection
// rule outlive the app, and an administrator can make them before the app is there.

import { tags as tagsType } from '../types.bicep'

@description('Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Region of the identity.')
param location string

@description('Tags of the identity.')
param tags tagsType

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Object id of the identity in Microsoft Entra ID: who is granted something.')
output principalId string = identity.properties.principalId

@description('Client id of the identity: how an app names it.')
output clientId string = identity.properties.clientId
