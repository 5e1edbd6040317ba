// The page of the connector in Sentinel. Deployed into the workspace's own resource group, wherever that is.

@description('Name of the workspace, on which Sentinel is enabled.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('Table of the label events.')
@minLength(1)
param labelTable string

@description('Table of the runs.')
@minLength(1)
param runsTable string

// A tenant may have no label event for days. A run that did not fail and wrote its row within the hour is what "connected"
// means; where rows arrive although the runs cannot be heard of, that is a connection too.
var connected = '''
union isfuzzy=true
    ({0} | where Outcome != "Failed" | summarize Last = max(ingestion_time())),
    ({1} | summarize Last = max(ingestion_time()))
| summarize LastLogReceived = max(Last)
| project IsConnected = LastLogReceived > ago(1h)
'''

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource page 'Microsoft.SecurityInsights/dataConnectorDefinitions@2024-09-01' = {
  scope: workspace
  name: 'Labelstream'
  kind: 'Customizable'
  properties: {
    connectorUiConfig: {
      id: 'Labelstream'
      title: 'Purview Information Protection label events (Labelstream)'
      publisher: 'Labelstream'
      descriptionMarkdown: 'Who labelled, relabelled, opened or protected what: sensitivity label events of the Office 365 Management Activity API, collected by a function app of your own.'
      graphQueries: [
        {
          metricName: 'Label events'
          legend: labelTable
          baseQuery: labelTable
        }
        {
          metricName: 'Runs of the connector'
          legend: runsTable
          baseQuery: runsTable
        }
      ]
      dataTypes: [
        {
          name: labelTable
          lastDataReceivedQuery: '${labelTable}\n| summarize Time = max(TimeGenerated)\n| where isnotempty(Time)'
        }
        {
          name: runsTable
          lastDataReceivedQuery: '${runsTable}\n| summarize Time = max(TimeGenerated)\n| where isnotempty(Time)'
        }
      ]
      connectivityCriteria: [
        {
          type: 'IsConnectedQuery'
          value: [format(connected, runsTable, labelTable)]
        }
      ]
      availability: {
        status: 1
        isPreview: false
      }
      permissions: {
        resourceProvider: [
          {
            provider: 'Microsoft.OperationalInsights/workspaces'
            permissionsDisplayText: 'Read permission to look at the data; write permission to deploy the tables.'
            providerDisplayName: 'Workspace'
            scope: 'Workspace'
            requiredPermissions: {
              read: true
              write: true
            }
          }
        ]
        customs: [
          {
            name: 'Office 365 Management APIs'
            description: 'The identity of the function app needs the application permission ActivityFeed.Read in the tenant that is read. A Privileged Role Administrator grants it.'
          }
          {
            name: 'Microsoft Graph'
            description: 'For label names: the application permission SensitivityLabel.Read. Without it the rows have the ids of the labels.'
          }
          {
            name: 'Auditing'
            description: 'Auditing must be on in the tenant that is read.'
          }
        ]
      }
      instructionSteps: [
        {
          title: '1. Deploy'
          description: 'This page came with the deployment of `infra/main.bicep`: the tables, the data collection rule and the function app are there.'
          instructions: [
            {
              type: 'CopyableLabel'
              parameters: {
                label: 'Workspace'
                fillWith: ['workspaceName']
              }
            }
          ]
        }
        {
          title: '2. Grant'
          description: 'Run `scripts/grant-feed-access` or `scripts/grant-feed-access.ps1` as a Privileged Role Administrator of the tenant that is read.'
        }
        {
          title: '3. Publish'
          description: 'Publish the connector: `./scripts/package`, then `func azure functionapp publish <function app> --custom` in its folder dist/app. The first rows come within the hour: role grants take up to 30 minutes to work.'
        }
      ]
    }
  }
}
