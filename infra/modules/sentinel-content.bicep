// What makes the rows useful in Sentinel: functions, analytic rules, hunting queries and the workbook, from the files of
// `sentinel/`, which are their only definition. Deployed into the workspace's own resource group, wherever that is.

import { tags as tagsType } from '../types.bicep'

@description('Name of the workspace, on which Sentinel is enabled.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('Region of the workbook, which is that of the workspace.')
param location string

@description('Tags of the workbook.')
param tags tagsType

@description('Whether the analytic rules run. Rules that are off can be looked at and switched on one by one.')
param rulesEnabled bool

// A function may use those before it.
var functions = [
  loadYamlContent('../../sentinel/functions/PurviewInformationProtectionRaw.yaml')
  loadYamlContent('../../sentinel/functions/PurviewInformationProtection.yaml')
  loadYamlContent('../../sentinel/functions/PurviewLabelChanges.yaml')
  loadYamlContent('../../sentinel/functions/PurviewLabelAdoption.yaml')
  loadYamlContent('../../sentinel/functions/PurviewLabelCoverage.yaml')
]

var rules = [
  loadYamlContent('../../sentinel/analytic-rules/AutoLabellingQuiet.yaml')
  loadYamlContent('../../sentinel/analytic-rules/ConnectorLagging.yaml')
  loadYamlContent('../../sentinel/analytic-rules/ConnectorSilent.yaml')
  loadYamlContent('../../sentinel/analytic-rules/DowngradeThenShared.yaml')
  loadYamlContent('../../sentinel/analytic-rules/HighLabelMailedOutside.yaml')
  loadYamlContent('../../sentinel/analytic-rules/HighLabelNewCountry.yaml')
  loadYamlContent('../../sentinel/analytic-rules/HighLabelNewDevice.yaml')
  loadYamlContent('../../sentinel/analytic-rules/LoweredWithoutReason.yaml')
  loadYamlContent('../../sentinel/analytic-rules/MassDowngradeOrRemoval.yaml')
  loadYamlContent('../../sentinel/analytic-rules/ProtectionRemoved.yaml')
  loadYamlContent('../../sentinel/analytic-rules/ScannerSilent.yaml')
  loadYamlContent('../../sentinel/analytic-rules/UnknownLabel.yaml')
]

var huntingQueries = [
  loadYamlContent('../../sentinel/hunting-queries/DocumentAboveItsSite.yaml')
  loadYamlContent('../../sentinel/hunting-queries/JustificationsThatRepeat.yaml')
  loadYamlContent('../../sentinel/hunting-queries/LabelLoweredThenRaised.yaml')
  loadYamlContent('../../sentinel/hunting-queries/LabelledItemsOnRemovableMedia.yaml')
  loadYamlContent('../../sentinel/hunting-queries/LabelledMailToNewDomains.yaml')
  loadYamlContent('../../sentinel/hunting-queries/LabelsChangedByApplications.yaml')
  loadYamlContent('../../sentinel/hunting-queries/OpenedOutOfHours.yaml')
  loadYamlContent('../../sentinel/hunting-queries/SensitiveContentWithoutLabel.yaml')
  loadYamlContent('../../sentinel/hunting-queries/UnusualVolumeOpened.yaml')
]

var triggerOperators = {
  gt: 'GreaterThan'
  lt: 'LessThan'
  eq: 'Equal'
  ne: 'NotEqual'
}

// The files write periods as Sentinel's templates do, `1h` or `14d`; the API takes ISO 8601.
func isoDuration(period string) string => '${endsWith(period, 'd') ? 'P' : 'PT'}${toUpper(period)}'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

@batchSize(1)
resource savedFunctions 'Microsoft.OperationalInsights/workspaces/savedSearches@2023-09-01' = [
  for one in functions: {
    parent: workspace
    name: one.FunctionAlias
    properties: {
      #disable-next-line BCP037 // taken by the API, and needed where the function is deployed again
      etag: '*'
      displayName: one.Function.Title
      category: one.Category
      query: one.FunctionQuery
      functionAlias: one.FunctionAlias
      functionParameters: contains(one, 'FunctionParams')
        ? join(map(one.?FunctionParams ?? [], p => '${p.Name}:${p.Type} = ${p.Default}'), ', ')
        : null
      version: 2
    }
  }
]

resource alertRules 'Microsoft.SecurityInsights/alertRules@2024-09-01' = [
  for rule in rules: {
    scope: workspace
    // A rule's query is tried when it is made.
    dependsOn: [savedFunctions]
    name: rule.id
    kind: 'Scheduled'
    properties: {
      displayName: rule.name
      description: rule.description
      enabled: rulesEnabled
      severity: rule.severity
      query: rule.query
      queryFrequency: isoDuration(rule.queryFrequency)
      queryPeriod: isoDuration(rule.queryPeriod)
      triggerOperator: triggerOperators[rule.triggerOperator]
      triggerThreshold: rule.triggerThreshold
      suppressionEnabled: false
      suppressionDuration: 'PT5H'
      tactics: rule.tactics
      techniques: rule.relevantTechniques
      entityMappings: rule.entityMappings
      customDetails: rule.customDetails
      alertDetailsOverride: rule.alertDetailsOverride
      eventGroupingSettings: rule.eventGroupingSettings
      incidentConfiguration: {
        createIncident: true
        groupingConfiguration: {
          enabled: true
          reopenClosedIncident: false
          lookbackDuration: 'P1D'
          matchingMethod: 'AllEntities'
        }
      }
    }
  }
]

resource savedHuntingQueries 'Microsoft.OperationalInsights/workspaces/savedSearches@2023-09-01' = [
  for one in huntingQueries: {
    parent: workspace
    name: one.id
    properties: {
      #disable-next-line BCP037 // see above
      etag: '*'
      displayName: one.name
      category: 'Hunting Queries'
      query: one.query
      version: 2
      tags: [
        { name: 'description', value: one.description }
        { name: 'tactics', value: join(one.tactics, ',') }
        { name: 'techniques', value: join(one.relevantTechniques, ',') }
      ]
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'labelstream')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Sensitivity labels'
    description: 'Who labels what, where labels are lowered and why, what is protected, and how the connector stands.'
    category: 'sentinel'
    version: 'Notebook/1.0'
    sourceId: workspace.id
    serializedData: string(loadJsonContent('../../sentinel/workbook/labelstream.workbook.json'))
  }
}
