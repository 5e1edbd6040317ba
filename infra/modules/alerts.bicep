// Alerts for what needs a person: silence, failures, lag, dead letters, and what the data collection rule drops. Those of a
// fleet fire for each tenant by itself, and name it.

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

@description('The tenant that is read: several connectors may write to one table. Empty for a fleet, all of whose tenants are looked at.')
@maxLength(36)
param tenantId string

@description('Queue of the messages that a fleet could not handle.')
@minLength(3)
@maxLength(63)
param poisonQueue string

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

// Each query gives one number, `Value`, of the last hour or of its `window`; with `byTenant`, one for each tenant that is
// in trouble.
var ofOneTenant = [
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
]

var ofFleet = [
  {
    name: 'failed-functions'
    title: 'Labelstream: the fleet itself fails'
    description: 'Three or more invocations of FleetTimer or FleetPull failed in the last hour: a crash, the storage away, or a message that cannot be read. A tenant that cannot be read is no such failure; failed-runs tells of it.'
    severity: 1
    scope: applicationInsightsId
    query: 'requests | where name in ("FleetTimer", "FleetPull") and success == false | summarize Value = count()'
    operator: 'GreaterThanOrEqual'
    threshold: 3
  }
  {
    name: 'poison'
    title: 'Labelstream: messages were set aside'
    description: 'The Functions host gave up a message after all its tries and put it into the queue ${poisonQueue}: the process could not handle it. Nothing is lost, since the next tick sends the tenant another message.'
    severity: 2
    scope: applicationInsightsId
    query: 'traces | where message startswith "Message has reached MaxDequeueCount" and message contains "${poisonQueue}" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'failed-runs'
    title: 'Labelstream: the runs of a tenant fail'
    description: 'Three or more runs of this tenant failed in the last hour; Error in ${runsTable} says why. The other tenants are read as ever.'
    severity: 2
    scope: workspaceId
    query: '${runsTable} | where Outcome == "Failed" | summarize Value = dcount(RunId) by OrganizationId | where Value >= 3'
    operator: 'GreaterThanOrEqual'
    threshold: 3
    byTenant: true
  }
  {
    name: 'no-heartbeat'
    title: 'Labelstream: no run of any tenant is heard of'
    description: 'For an hour no run has written its row. The app is stopped, its timer does not fire, or rows do not reach the workspace. The feeds keep contents for seven days.'
    severity: 1
    scope: workspaceId
    query: '${runsTable} | summarize Value = count()'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'silent-tenant'
    title: 'Labelstream: a tenant is not heard of'
    description: 'A tenant that wrote rows within two days has written none for an hour, while others did. Its entry is broken or gone, or its runs do not end; status names it. A customer who left ends this after two days.'
    severity: 1
    scope: workspaceId
    // Where all are silent, that is one alert: no-heartbeat.
    query: 'let Heard = toscalar(${runsTable} | summarize max(TimeGenerated)); ${runsTable} | summarize Last = max(TimeGenerated) by OrganizationId | where Last < ago(1h) and Heard > ago(1h) | project OrganizationId, Value = datetime_diff("minute", now(), Last)'
    operator: 'GreaterThanOrEqual'
    threshold: 60
    byTenant: true
    // The longest that there is.
    window: 'P2D'
  }
  {
    name: 'lag'
    title: 'Labelstream: the label events of a tenant come late'
    description: 'For an hour contents that the feed of this tenant had published stayed undelivered for more than ${lagMinutes} minutes. After its very first run, which goes back seven days, this is normal.'
    severity: 2
    scope: workspaceId
    query: '${runsTable} | summarize Value = min(LagSeconds) by OrganizationId | where Value > ${lagMinutes * 60}'
    operator: 'GreaterThan'
    threshold: lagMinutes * 60
    byTenant: true
  }
  {
    name: 'dead-letters'
    title: 'Labelstream: something of a tenant could not be delivered'
    description: 'Records, rows or contents of this tenant were put into the dead letters, with the reason. They stay there until they are replayed.'
    severity: 2
    scope: workspaceId
    query: '${runsTable} | summarize Value = sum(DeadLetters) by OrganizationId | where Value > 0'
    operator: 'GreaterThan'
    threshold: 0
    byTenant: true
  }
]

var ofBoth = [
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

var alerts = concat(empty(tenantId) ? ofFleet : ofOneTenant, ofBoth)

// One alert a tenant, with its id. Only tenants in trouble are in an answer, so that nothing is charged for the others.
var byTenant = {
  dimensions: [
    {
      name: 'OrganizationId'
      operator: 'Include'
      values: ['*']
    }
  ]
}

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
      windowSize: alert.?window ?? 'PT1H'
      autoMitigate: true
      // The tables have no rows when the alert is made, and DCRLogErrors may not be there at all.
      skipQueryValidation: true
      criteria: {
        allOf: [
          union(
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
            },
            alert.?byTenant ?? false ? byTenant : {}
          )
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
