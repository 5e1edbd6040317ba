// The files of sentinel/ against the rules of the Azure-Sentinel repository for its own content (its models of detection
// templates, and the tests beside them), and against what the templates deploy.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { declarations, functions, huntingQueries, rules, sampleFiles, samples, text, workbookFile } from '../content.js';
import { current, objections, released } from '../released.js';
import { duration } from '../samples.js';
import { LABELS, readJson, root, RUNS } from '../tables.js';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const VERSION = /^\d+\.\d+\.\d+$/;
const PERIOD = /^\d+[mhd]$/;
const SEVERITIES = ['Informational', 'Low', 'Medium', 'High'];
// Techniques of ATT&CK for Enterprise that are in use here, with their tactics as Sentinel spells them.
const TECHNIQUES = {
  T1036: ['DefenseEvasion'],
  T1048: ['Exfiltration'],
  T1052: ['Exfiltration'],
  T1078: ['InitialAccess', 'Persistence', 'PrivilegeEscalation', 'DefenseEvasion'],
  T1083: ['Discovery'],
  T1213: ['Collection'],
  T1222: ['DefenseEvasion'],
  T1562: ['DefenseEvasion'],
  T1567: ['Exfiltration'],
};
// Entities in use here with their identifiers; of each, one of `needs` must be mapped.
const ENTITIES = {
  Account: { has: ['FullName', 'Name', 'UPNSuffix', 'AadUserId', 'ObjectGuid', 'Sid', 'DisplayName'], needs: ['FullName', 'Name', 'AadUserId', 'ObjectGuid', 'Sid'] },
  CloudApplication: { has: ['AppId', 'Name', 'InstanceName'], needs: ['AppId', 'Name'] },
  DNS: { has: ['DomainName'], needs: ['DomainName'] },
  File: { has: ['Directory', 'Name'], needs: ['Name'] },
  Host: { has: ['FullName', 'HostName', 'NetBiosName', 'DnsDomain', 'AzureID'], needs: ['FullName', 'HostName', 'NetBiosName', 'AzureID'] },
  IP: { has: ['Address'], needs: ['Address'] },
  URL: { has: ['Url'], needs: ['Url'] },
};
// Microsoft's connectors that a rule may look at beside ours: id and data types.
const OTHERS = { Office365: ['OfficeActivity (SharePoint)'], MicrosoftThreatProtection: ['EmailEvents', 'EmailAttachmentInfo'] };
const connectorId = /id: '(\w+)'\n\s+title:/.exec(text('infra/modules/connector-page.bicep'))[1];

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const keysOf = (one) => Object.keys(one).filter((key) => key !== 'file' && key !== 'text');

function expectEntities(mappings) {
  assert.ok(mappings.length >= 1 && mappings.length <= 5);
  for (const { entityType, fieldMappings } of mappings) {
    const { has, needs } = ENTITIES[entityType] ?? assert.fail(entityType);
    const identifiers = fieldMappings.map(({ identifier }) => identifier);
    assert.ok(fieldMappings.length >= 1 && fieldMappings.length <= 3, entityType);
    assert.deepEqual(identifiers.filter((one) => !has.includes(one)), []);
    assert.ok(identifiers.some((one) => needs.includes(one)), `${entityType}: ${identifiers}`);
  }
}

function expectAttack({ tactics, relevantTechniques }) {
  assert.ok(relevantTechniques.length > 0);
  for (const technique of relevantTechniques) {
    const its = TECHNIQUES[technique] ?? assert.fail(technique);
    assert.ok(its.some((tactic) => tactics.includes(tactic)), `${technique} is none of ${tactics}`);
  }
  for (const tactic of tactics) {
    assert.ok(relevantTechniques.some((technique) => TECHNIQUES[technique].includes(tactic)), `${tactic} has no technique`);
  }
}

function expectConnectors(connectors) {
  const ours = connectors.find((one) => one.connectorId === connectorId) ?? assert.fail(`not of ${connectorId}`);
  assert.deepEqual(ours.dataTypes.filter((type) => ![LABELS, RUNS].includes(type)), []);
  for (const { connectorId: id, dataTypes } of connectors.filter((one) => one !== ours)) assert.deepEqual(dataTypes, OTHERS[id]);
}

function expectQuery(query) {
  assert.ok(query.length >= 1 && query.length <= 10_000);
}

function expectRule(rule) {
  const required = ['id', 'name', 'description', 'kind', 'version', 'severity', 'requiredDataConnectors', 'queryFrequency', 'queryPeriod', 'triggerOperator', 'triggerThreshold', 'tactics', 'relevantTechniques', 'query'];
  const optional = ['status', 'entityMappings', 'customDetails', 'alertDetailsOverride', 'eventGroupingSettings'];
  assert.deepEqual(required.filter((key) => !(key in rule)), []);
  assert.deepEqual(keysOf(rule).filter((key) => ![...required, ...optional].includes(key)), []);
  assert.equal(rule.kind, 'Scheduled');
  assert.equal(rule.status, 'Available');
  assert.ok(rule.name.length <= 256 && rule.description.length <= 5_000);
  assert.match(rule.description, /False positives: /);
  assert.ok(SEVERITIES.includes(rule.severity), rule.severity);
  assert.match(rule.version, VERSION);
  expectConnectors(rule.requiredDataConnectors);
  expectAttack(rule);
  expectEntities(rule.entityMappings);
  expectQuery(rule.query);

  assert.match(rule.queryFrequency, PERIOD);
  assert.match(rule.queryPeriod, PERIOD);
  const [frequency, period] = [duration(rule.queryFrequency), duration(rule.queryPeriod)];
  assert.ok(frequency >= 5 * MINUTE && period <= 14 * DAY);
  // Late data: what came since the last time, by the time of ingestion, in a period that is longer than the frequency.
  assert.ok(period > frequency, 'the period must be longer than the frequency');
  assert.ok(period < 2 * DAY || frequency >= 60 * MINUTE, 'a rule that looks back two days or more runs once an hour at most');
  assert.match(rule.query, /\bIngestionTime\b|\bingestion_time\(\)/);
  const stated = /^let Frequency = (\w+);/m.exec(rule.query)?.[1];
  if (stated) assert.equal(stated, rule.queryFrequency, 'the query and the rule have one frequency');
  // An event that was older than two days gets the time of ingestion: two days and the frequency cover every late one.
  if (stated && rule.query.includes('Purview')) assert.ok(period >= 2 * DAY + frequency, rule.queryPeriod);

  assert.ok(['gt', 'lt', 'eq', 'ne'].includes(rule.triggerOperator));
  assert.ok(rule.triggerThreshold >= 0 && rule.triggerThreshold <= 10_000);
  const details = Object.entries(rule.customDetails ?? {});
  assert.ok(details.length <= 20);
  for (const [key, value] of details) {
    assert.match(key, /^[a-zA-Z]+\w*$/);
    assert.ok(key.length <= 20, key);
    assert.match(value, /^[a-zA-Z_]+\w*$/);
  }
  for (const [key, format] of Object.entries(rule.alertDetailsOverride ?? {})) {
    const limits = { alertDisplayNameFormat: 256, alertDescriptionFormat: 5_000, alertSeverityColumnName: 500 };
    assert.ok(format.length >= 1 && format.length <= (limits[key] ?? assert.fail(key)), key);
    assert.ok((format.match(/\{\{\w+\}\}/g) ?? []).length <= 3, `${key}: three placeholders at most`);
  }
  assert.deepEqual(rule.eventGroupingSettings, { aggregationKind: 'AlertPerResult' });
}

function expectHunting(one) {
  const required = ['id', 'name', 'description', 'version', 'requiredDataConnectors', 'tactics', 'relevantTechniques', 'query', 'entityMappings'];
  assert.deepEqual(keysOf(one).sort(), required.sort());
  assert.ok(one.name.length <= 256 && one.description.length <= 5_000);
  assert.match(one.version, VERSION);
  expectConnectors(one.requiredDataConnectors);
  expectAttack(one);
  expectEntities(one.entityMappings);
  expectQuery(one.query);
}

function expectFunction(one) {
  const required = ['id', 'Function', 'Category', 'FunctionName', 'FunctionAlias', 'Description', 'FunctionQuery'];
  assert.deepEqual(required.filter((key) => !(key in one)), []);
  assert.deepEqual(keysOf(one).filter((key) => ![...required, 'FunctionParams'].includes(key)), []);
  assert.ok(one.Function.Title.length > 5);
  assert.match(one.Function.Version, VERSION);
  assert.match(String(one.Function.LastUpdated), /^\d{4}-\d{2}-\d{2}$/);
  assert.equal(one.Category, 'Microsoft Sentinel Parser');
  assert.equal(one.FunctionName, one.FunctionAlias);
  assert.equal(path.basename(one.file, '.yaml'), one.FunctionAlias);
  for (const { Name, Type, Default } of one.FunctionParams ?? []) assert.ok(Name && Type && Default, one.file);
}

/** What a snapshot would make of a type, by the end of the name. */
const made = (snapshot, type) =>
  Object.fromEntries(
    readJson(`infra/snapshots/${snapshot}.snapshot.json`)
      .predictedResources.filter((one) => one.type === type)
      .map((one) => [one.name.split('/').at(-1), one.properties]),
  );

const each = [...functions, ...rules, ...huntingQueries];

export const checks = [
  ...rules.map((one) => ({ name: `form of ${one.file}`, check: () => expectRule(one) })),
  ...huntingQueries.map((one) => ({ name: `form of ${one.file}`, check: () => expectHunting(one) })),
  ...functions.map((one) => ({ name: `form of ${one.file}`, check: () => expectFunction(one) })),
  {
    name: 'content has ids that are GUIDs, each once, and names, each once',
    check: () => {
      for (const { id, file } of each) assert.match(id, GUID, file);
      for (const key of ['id', 'file']) assert.equal(new Set(each.map((one) => one[key])).size, each.length, key);
      const names = each.map((one) => (one.name ?? one.Function.Title).toLowerCase());
      assert.equal(new Set(names).size, names.length);
    },
  },
  {
    name: 'content is ASCII, without tabs and trailing spaces',
    check: () => {
      for (const file of [...each.map((one) => one.file), ...sampleFiles(), workbookFile]) {
        assert.match(text(file), /^[\n\x20-\x7e]*$/, file);
        assert.doesNotMatch(text(file), / \n/, file);
      }
    },
  },
  {
    name: 'content that was released keeps its id, and gets a higher version with another text',
    check: () => {
      assert.deepEqual(objections(current(), released()), []);
      assert.deepEqual(current(), released(), 'the list is not that of the files: node tests/kql/released.js');
      const [first, ...rest] = current();
      assert.equal(objections([{ ...first, digest: '0' }, ...rest], current()).length, 1, 'another text');
      assert.equal(objections([{ ...first, digest: '0', version: '1.0.10' }, ...rest], current()).length, 0, 'another version');
      assert.equal(objections([{ ...first, id: '0' }, ...rest], current()).length, 1, 'another id');
      assert.equal(objections(rest, current()).length, 1, 'gone');
    },
  },
  {
    name: 'content has samples: each rule and hunting query some that it sees and some that it does not, and nothing else has',
    check: () => {
      const named = [...rules, ...huntingQueries].map(({ file }) => path.basename(file, '.yaml')).sort();
      assert.deepEqual(sampleFiles().map((file) => path.basename(file, '.json')), named);
      for (const { file } of [...rules, ...huntingQueries]) {
        const sees = samples(file).scenes.map((one) => one.fires ?? one.finds);
        assert.ok(sees.includes(true) && sees.includes(false), file);
      }
    },
  },
  {
    name: 'content is deployed as it is in the files, all of it',
    check: () => {
      const saved = made('commercial', 'Microsoft.OperationalInsights/workspaces/savedSearches');
      const deployed = made('commercial', 'Microsoft.SecurityInsights/alertRules');
      assert.deepEqual(Object.keys(deployed).sort(), rules.map(({ id }) => id).sort());
      const iso = (period) => `P${period.endsWith('d') ? '' : 'T'}${period.toUpperCase()}`;
      for (const rule of rules) {
        const one = deployed[rule.id];
        assert.equal(one.query, rule.query);
        assert.equal(one.displayName, rule.name);
        assert.equal(one.severity, rule.severity);
        assert.equal(one.enabled, true);
        assert.equal(one.queryFrequency, iso(rule.queryFrequency));
        assert.equal(one.queryPeriod, iso(rule.queryPeriod));
        assert.equal(one.triggerOperator, 'GreaterThan');
        assert.deepEqual(one.entityMappings, rule.entityMappings);
        assert.deepEqual(one.techniques, rule.relevantTechniques);
      }
      assert.deepEqual(Object.keys(saved).sort(), [...functions.map((one) => one.FunctionAlias), ...huntingQueries.map(({ id }) => id)].sort());
      for (const { name, body, parameters } of declarations) {
        // The compiler drops the line break at the end of a file.
        assert.equal(saved[name].query.trimEnd(), body.trimEnd());
        assert.equal(saved[name].functionAlias, name);
        assert.equal((saved[name].functionParameters ?? '').replaceAll(' ', ''), parameters.replaceAll(' ', ''));
      }
      for (const { id, query } of huntingQueries) {
        assert.equal(saved[id].query, query);
        assert.equal(saved[id].category, 'Hunting Queries');
      }
      const [workbook] = Object.values(made('commercial', 'Microsoft.Insights/workbooks'));
      assert.equal(workbook.category, 'sentinel');
      assert.deepEqual(JSON.parse(workbook.serializedData), readJson(workbookFile));
    },
  },
  {
    name: 'content can be left out, and rules can be deployed switched off',
    check: () => {
      for (const type of ['Microsoft.OperationalInsights/workspaces/savedSearches', 'Microsoft.SecurityInsights/alertRules', 'Microsoft.Insights/workbooks']) {
        assert.deepEqual(made('cross-tenant', type), {});
      }
      const states = Object.values(made('private', 'Microsoft.SecurityInsights/alertRules')).map(({ enabled }) => enabled);
      assert.deepEqual([...new Set(states)], [false]);
    },
  },
  {
    name: 'content is listed in docs/sentinel.md: each function, rule and hunting query',
    check: () => {
      const page = fs.readFileSync(path.join(root, 'docs/sentinel.md'), 'utf8');
      for (const one of each) {
        const name = path.basename(one.file, '.yaml');
        assert.ok(page.includes(`\`${name}\``), `docs/sentinel.md does not name ${name}`);
        if (one.kind) assert.match(page, new RegExp(`\\| \`${name}\` \\|[^|\\n]*\\| ${one.severity} \\| [^|\\n]*${one.relevantTechniques.join('[^|\\n]*')}`), name);
      }
    },
  },
];
