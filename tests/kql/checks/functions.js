// The functions: bound, with the columns of Microsoft's table, and run on rows of the simulator.

import assert from 'node:assert/strict';
import { bound } from '../binding.js';
import { declarations } from '../content.js';
import { INGESTED, run, scene } from '../engine.js';
import { simulated } from '../simulated.js';
import { BUILT_IN, builtInColumns, labelColumns, LABELS, tables } from '../tables.js';

const NOW = '2026-11-20T12:00:00Z';

/** Rows of a query that must run. */
async function answered(name, query, now = NOW) {
  const answer = await run(name, query, now);
  assert.equal(answer.error, undefined, query);
  return answer.rows;
}

const event = (id, more) => ({
  TimeGenerated: '2026-11-20T10:00:00Z',
  CreationTime: '2026-11-20T10:00:00Z',
  AuditRecordId: id,
  Operation: 'SensitivityLabelUpdated',
  [INGESTED]: '2026-11-20T10:30:00Z',
  ...more,
});
const microsoftsEvent = (id, more) => {
  const { AuditRecordId, CreationTime, ...rest } = event(id, more);
  return { ...rest, Id: AuditRecordId };
};

const counted = (rows, key) => {
  const counts = {};
  for (const row of rows) {
    const value = key(row);
    if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
};

export const checks = [
  ...declarations.map(({ name, parameters, body }) => ({
    name: `function ${name} binds`,
    check: () => {
      bound(parameters ? `declare query_parameters(${parameters});\n${body}` : body);
      bound(parameters ? `${name}()` : name);
    },
  })),

  ...['PurviewInformationProtection', 'PurviewInformationProtectionRaw'].flatMap((name) => [
    {
      name: `function ${name} has the columns of Microsoft's table, and ours`,
      check: () => {
        const { AuditRecordId, ...ours } = labelColumns;
        assert.equal(AuditRecordId, 'string');
        const expected = { ...tables[LABELS], ...builtInColumns, ...ours, IngestionTime: 'datetime', SourceTable: 'string' };
        delete expected.AuditRecordId;
        const sorted = (columns) => Object.fromEntries(Object.entries(columns).sort());
        assert.deepEqual(sorted(bound(name)), sorted(expected));
      },
    },
    {
      name: `function ${name} has those columns where Microsoft's table is missing`,
      check: async () => {
        await scene('alone', { [LABELS]: [event('a')] }, [BUILT_IN]);
        const { columns, error } = await run('alone', name, NOW);
        assert.equal(error, undefined);
        assert.deepEqual(Object.keys(builtInColumns).filter((column) => !columns.includes(column)), []);
      },
    },
  ]),

  {
    name: 'function PurviewInformationProtection has each record once: ours first, then the newest; test rows are left out',
    check: async () => {
      await scene('doubles', {
        [LABELS]: [
          event('both', { UserId: 'ours' }),
          event('twice', { UserId: 'old' }),
          event('twice', { UserId: 'new', [INGESTED]: '2026-11-20T11:00:00Z' }),
          event('', { UserId: 'no id', ObjectId: 'one' }),
          event('', { UserId: 'no id', ObjectId: 'two' }),
          event('test', { Operation: 'LabelstreamTest' }),
        ],
        [BUILT_IN]: [
          microsoftsEvent('both', { UserId: 'theirs', [INGESTED]: '2026-11-20T11:59:00Z' }),
          microsoftsEvent('theirs', { UserId: 'theirs', LabelEventType: 'LabelDowngraded', LabelName: 'Public' }),
        ],
      });
      const rows = await answered('doubles', 'PurviewInformationProtection | project Id, UserId, ObjectId | sort by Id asc, ObjectId asc');
      assert.deepEqual(
        rows.map(({ Id, UserId, ObjectId }) => `${Id}/${UserId}/${ObjectId}`),
        ['/no id/one', '/no id/two', 'both/ours/', 'theirs/theirs/', 'twice/new/'],
      );
      const [theirs] = await answered('doubles', 'PurviewInformationProtection | where Id == "theirs"');
      assert.equal(theirs.CreationTime, theirs.TimeGenerated);
      assert.equal(theirs.LabelChange, 'Downgraded');
      assert.equal(theirs.SensitivityLabelName, 'Public');
      assert.equal(theirs.Type, BUILT_IN);
      assert.equal(theirs.SourceTable, BUILT_IN);
      const raw = await answered('doubles', 'PurviewInformationProtectionRaw | summarize Rows = count() by SourceTable, Type');
      assert.deepEqual(counted(raw, (row) => `${row.SourceTable} ${row.Type} ${row.Rows}`), {
        [`${LABELS} ${BUILT_IN} 5`]: 1,
        [`${BUILT_IN} ${BUILT_IN} 2`]: 1,
      });
    },
  },
  {
    name: 'function PurviewInformationProtection keeps TimeGenerated, and has the event time in CreationTime',
    check: async () => {
      await scene('late', { [LABELS]: [event('late', { CreationTime: '2026-11-14T10:00:00Z' })] });
      const [row] = await answered('late', 'PurviewInformationProtection');
      assert.equal(row.TimeGenerated, '2026-11-20T10:00:00.000Z');
      assert.equal(row.CreationTime, '2026-11-14T10:00:00.000Z');
      assert.equal(row.IngestionTime, '2026-11-20T10:30:00.000Z');
    },
  },
  {
    name: 'function PurviewInformationProtection gives every simulated row once, also where each was stored twice',
    check: async (note) => {
      const { name, now, rows } = await simulated();
      const [{ Count }] = await answered(name, 'PurviewInformationProtection | count', now);
      assert.equal(Count, rows.length);
      note(`${rows.length} simulated rows`);
      await scene('simulated twice', { [LABELS]: [...rows, ...rows] });
      const [twice] = await answered('simulated twice', 'PurviewInformationProtection | count', now);
      assert.equal(twice.Count, rows.length);
    },
  },
  {
    name: 'function PurviewLabelChanges tells who, from what, to what and which way, of every simulated change',
    check: async (note) => {
      const { name, now, rows } = await simulated();
      const found = await answered(name, 'PurviewLabelChanges', now);
      const differs = (row) => row.SensitivityLabelId && row.OldSensitivityLabelId && row.SensitivityLabelId !== row.OldSensitivityLabelId;
      const changes = rows.filter((row) => row.LabelChange || differs(row));
      assert.deepEqual(counted(found, (row) => row.Direction), counted(changes, (row) => row.LabelChange ?? 'Unknown'));
      const byId = new Map(found.map((row) => [row.Id, row]));
      for (const row of changes) {
        const change = byId.get(row.AuditRecordId);
        assert.equal(change.UserId, row.UserId);
        assert.equal(change.FromLabel, row.OldSensitivityLabelName ?? row.OldSensitivityLabelId ?? '');
        assert.equal(change.ToLabel, row.SensitivityLabelName ?? row.LabelName ?? row.SensitivityLabelId ?? '');
        assert.equal(change.JustificationText, row.JustificationText ?? '');
        assert.equal(change.DeviceName, row.DeviceName ?? row.Common?.DeviceName ?? '');
        assert.equal(change.Application, row.Application ?? row.Common?.ApplicationName ?? '');
      }
      const unnamed = found.filter((row) => /^[0-9a-f-]{36}$/.test(row.FromLabel) || /^[0-9a-f-]{36}$/.test(row.ToLabel));
      note(`${changes.length} changes, ${unnamed.length} with a label that has no name`);
      assert.ok(changes.length > 100);
    },
  },
  {
    name: 'function PurviewLabelAdoption counts labels by workload and application, and departments where they are given',
    check: async () => {
      const { name, now, rows } = await simulated();
      const inUse = rows.filter((row) => row.SensitivityLabelId && !['Discover', 'FileDeleted'].includes(row.Operation));
      const key = (row) => `${row.Workload}|${row.Application ?? row.Common?.ApplicationName ?? ''}|${row.SensitivityLabelName ?? row.LabelName ?? row.SensitivityLabelId}`;
      const found = await answered(name, 'PurviewLabelAdoption() | summarize Events = count() by Workload, Application, Label', now);
      assert.deepEqual(
        Object.fromEntries(found.map((row) => [`${row.Workload}|${row.Application}|${row.Label}`, row.Events]).sort()),
        Object.fromEntries(Object.entries(counted(inUse, key)).sort()),
      );
      const user = inUse[0].UserId;
      const departments = `dynamic([{"User": "${user.toUpperCase()}", "Department": "Finance"}])`;
      const query = `PurviewLabelAdoption(${departments}) | where isnotempty(Department) | summarize Events = count() by UserId, Department`;
      bound(query);
      const expected = inUse.filter((row) => row.UserId === user).length;
      assert.deepEqual(await answered(name, query, now), [{ UserId: user, Department: 'Finance', Events: expected }]);
    },
  },
  {
    name: 'function PurviewLabelCoverage has each found file as it was found last',
    check: async (note) => {
      const { name, now, rows } = await simulated();
      const files = new Map();
      for (const row of rows.filter((one) => one.Operation === 'Discover')) {
        const before = files.get(row.ObjectId);
        if (!before || before.CreationTime < row.CreationTime) files.set(row.ObjectId, row);
      }
      const found = await answered(name, 'PurviewLabelCoverage', now);
      assert.equal(found.length, files.size);
      for (const file of found) {
        const row = files.get(file.ObjectId);
        assert.equal(file.IsLabelled, Boolean(row.SensitivityLabelId), file.ObjectId);
        assert.equal(file.IsProtected, row.ProtectionEventData?.IsProtected === true, file.ObjectId);
        assert.equal(file.SensitiveInfoTypes ?? 0, row.SensitiveInfoTypeData?.length ?? 0, file.ObjectId);
        assert.match(file.Repository, /^\\\\[^\\]+\\[^\\]+$|^https:|^[A-Z]:/);
      }
      note(`${found.length} files`);
      assert.ok(found.length > 20);
    },
  },
];
