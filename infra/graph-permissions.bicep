// Optional: what scripts/grant-feed-access does, as a template. It needs a deployer who may grant application permissions
// (Privileged Role Administrator), the Graph extension from Microsoft's registry, and the public cloud.

extension microsoftGraphV1

@description('Object id of the managed identity, or of the service principal of the app registration, that reads the feed: the output IDENTITY_PRINCIPAL_ID of main.bicep.')
@minLength(36)
@maxLength(36)
param principalId string

@description('Whether label names are read from Microsoft Graph, which needs SensitivityLabel.Read.')
param readLabels bool = true

// Office 365 Management APIs.
resource managementApi 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: 'c5393580-f805-4401-95e8-94b7a6ef2fc2'
}

// Microsoft Graph.
resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource readFeed 'Microsoft.Graph/appRoleAssignedTo@v1.0' = {
  principalId: principalId
  resourceId: managementApi.id
  appRoleId: filter(managementApi.appRoles, role => role.value == 'ActivityFeed.Read')[0].id
}

resource readLabelNames 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (readLabels) {
  principalId: principalId
  resourceId: graph.id
  appRoleId: filter(graph.appRoles, role => role.value == 'SensitivityLabel.Read')[0].id
}
