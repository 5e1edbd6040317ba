// Alerts for what needs a person: silence, failures, lag, dead letters, and what the data collection rule drops.

import { tags as tagsType } from '../types.bicep'

@description('Beginning of the names of the alerts.')
@minLength(3)
@maxLength(40)
param name string

@description('Region of the alerts, which is that of the workspace.')
param location string

@description('Tags of the alerts.')
param tags tagsType

@description('Resource id of the workspace.')
@minLength(1)
param workspaceId string

@description('Resource id of the Application Insights component.')
@minLength(1)
param applicationInsightsId string

@description('Resource id of the data collection rule.')
@minLength(1)
param ruleId string

@description('Table of the runs.')
@minLength(1)
param runsTable string

@description('The tenant that is read: several connectors may write to one table.')
@minLength(36)
@maxLength(36)
param tenantId string

@description('Minutes of lag, for an hour on end, that are too much.')
@minValue(10)
@maxValue(1440)
param lagMinutes int

@description('Resource ids of action groups that are told.')
param actionGroupIds string[]

@description('E-mail addresses that are told.')
param emailAddresses string[]

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(emailAddresses)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'labelstream'
    emailReceivers: [
      for address in emailAddresses: {
        name: address
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

var actionGroups = concat(actionGroupIds, empty(emailAddresses) ? [] : [mail.id])

// Each query gives one number, `Value`, of the last hour.
var alerts = [
  {
    name: 'failed-runs'
    title: 'Labelstream: runs fail'
    description: 'Three or more runs of the last hour failed. Each says why in one line in the log of the function app; in the first half hour after a deployment it is the role on the data collection rule, which is not there yet. Nothing is lost: a run that failed is done again.'
    severity: 2
    scope: applicationInsightsId
    query: 'requests | where name == "TimerPull" and success == false | summarize Value = count()'
    operator: 'GreaterThanOrEqual'
    threshold: 3
  }
  {
    name: 'no-heartbeat'
    title: 'Labelstream: no run is heard of'
    description: 'For an hour no run has written its row. The app is stopped, its timer does not fire, or rows do not reach the workspace. The feed keeps contents for seven days.'
    severity: 1
    scope: workspaceId
    query: '${runsTable} | where OrganizationId =~ "${tenantId}" | summarize Value = count()'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'lag'
    title: 'Labelstream: label events come late'
    description: 'For an hour contents that the feed had published stayed undelivered for more than ${lagMinutes} minutes. After the very first start, which goes back seven days, this is normal.'
    severity: 2
    scope: workspaceId
    query: '${runsTable} | where OrganizationId =~ "${tenantId}" | summarize Value = min(LagSeconds) | where isnotnull(Value)'
    operator: 'GreaterThan'
    threshold: lagMinutes * 60
  }
  {
    name: 'dead-letters'
    title: 'Labelstream: something could not be delivered'
    description: 'Records, rows or contents were put into the dead letters, with the reason. They stay there until they are replayed.'
    severity: 2
    scope: workspaceId
    query: '${runsTable} | where OrganizationId =~ "${tenantId}" | summarize Value = sum(DeadLetters) | where isnotnull(Value)'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'rule-errors'
    title: 'Labelstream: the data collection rule reports errors'
    description: 'DCRLogErrors has rows for the data collection rule: a batch was accepted and not stored as it is. A column of the table or the rule is missing or has another type.'
    severity: 2
    scope: workspaceId
    query: 'DCRLogErrors | where _ResourceId =~ "${ruleId}" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
  }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: '${name}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.title
      description: alert.description
      severity: alert.severity
      enabled: true
      scopes: [alert.scope]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT1H'
      autoMitigate: true
      // The tables have no rows when the alert is made, and DCRLogErrors may not be there at all.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: 'Value'
            timeAggregation: 'Maximum'
            operator: alert.operator
            threshold: alert.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: actionGroups
      }
    }
  }
]

resource rowsDropped 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-rows-dropped'
  location: 'global'
  tags: tags
  properties: {
    description: 'Labelstream: the data collection rule dropped rows. It transforms nothing, so that each drop is an error; DCRLogErrors says which.'
    severity: 2
    enabled: true
    autoMitigate: true
    scopes: [ruleId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'rows-dropped'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.Insights/dataCollectionRules'
          metricName: 'RowsDropped_Count'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
          // A rule without traffic has no metric yet.
          skipMetricValidation: true
        }
      ]
    }
    actions: [for id in actionGroups: { actionGroupId: id }]
  }
}
