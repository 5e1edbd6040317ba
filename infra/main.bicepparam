// The parameters that `azd provision` gives, from the variables of its environment (docs/deploy.md). Everything else keeps
// the default of main.bicep; the files of parameters/ show what there is.
using 'main.bicep'

param workspaceResourceId = readEnvironmentVariable('SENTINEL_WORKSPACE_ID')
param location = readEnvironmentVariable('AZURE_LOCATION')
param tenantId = readEnvironmentVariable('M365_TENANT_ID')
param m365Cloud = readEnvironmentVariable('M365_CLOUD', 'commercial')
param tags = {
  'azd-env-name': readEnvironmentVariable('AZURE_ENV_NAME')
}
