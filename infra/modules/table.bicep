// A custom table of the workspace. Deployed into the workspace's own resource group, wherever that is.

import { column } from '../types.bicep'

@description('Name of the workspace.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('Name of the table, which ends in `_CL`.')
@minLength(4)
@maxLength(45)
param name string

@description('What the table holds.')
param purpose string

@description('The columns. A column that is left out of a later deployment is deleted with its data: only ever append.')
@minLength(1)
param columns column[]

@description('Days of interactive retention; null for that of the workspace.')
@minValue(4)
@maxValue(730)
param retentionInDays int?

@description('Days of retention with the archive; null for no archive.')
@minValue(4)
@maxValue(4383)
param totalRetentionInDays int?

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

// Analytics: scheduled rules of Sentinel need it, and the plan of a table can hardly be changed later.
resource table 'Microsoft.OperationalInsights/workspaces/tables@2023-09-01' = {
  parent: workspace
  name: name
  properties: {
    plan: 'Analytics'
    retentionInDays: retentionInDays
    totalRetentionInDays: totalRetentionInDays
    schema: {
      name: name
      description: purpose
      // A table spells one type otherwise than a data collection rule does.
      columns: map(columns, column => {
        name: column.name
        type: column.type == 'datetime' ? 'dateTime' : column.type
        description: column.description
      })
    }
  }
}

@description('Name of the table.')
output name string = table.name
