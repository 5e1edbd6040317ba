// Queries of the shapes that are around for Microsoft's table (docs/sentinel.md lists where they come from): each runs as it is
// with the function's name in the place of the table's, and gives what it gives on the table with the same records.

import assert from 'node:assert/strict';
import { bound } from '../binding.js';
import { run, scene } from '../engine.js';
import { simulated } from '../simulated.js';
import { BUILT_IN, builtInColumns, LABELS, readJson } from '../tables.js';

const FUNCTION = 'PurviewInformationProtection';
const COMMON = { Type: BUILT_IN, TenantId: '11111111-2222-3333-4444-555555555555' };

/** The same records as Microsoft's connector would store them: its columns alone. */
function asMicrosofts(row) {
  const own = Object.entries({ ...row, Id: row.AuditRecordId }).filter(([name]) => name in builtInColumns);
  return { ...Object.fromEntries(own), ...COMMON, _ingested: row._ingested };
}

let made;
const scenes = () =>
  (made ??= (async () => {
    const { rows, labels, now } = await simulated();
    const names = [...labels].map(([id, { name }]) => ({ Guid_g: id, DisplayName_s: name }));
    await scene('ours alone', { [LABELS]: rows.map((row) => ({ ...row, ...COMMON })), Labels_CL: names }, [BUILT_IN]);
    await scene('theirs alone', { [BUILT_IN]: rows.map(asMicrosofts), Labels_CL: names });
    return { now, label: rows.find((row) => row.SensitivityLabelId).SensitivityLabelId, id: rows[0].AuditRecordId };
  })());

export const checks = readJson('tests/kql/queries/microsoft.json').map(({ name, query, replaced = {} }) => ({
  name: `query for Microsoft's table: ${name}`,
  check: async (note) => {
    const { now, label, id } = await scenes();
    let theirs = query.replaceAll('{label}', label).replaceAll('{id}', id);
    const ours = (text) => text.replaceAll(BUILT_IN, FUNCTION);
    assert.deepEqual(bound(ours(theirs)), bound(theirs), 'the columns of the result');
    for (const [from, to] of Object.entries(replaced)) {
      theirs = theirs.replaceAll(from, to);
      note(`run with ${to} for ${from}, which the engine lacks`);
    }
    const expected = await run('theirs alone', theirs, now);
    const found = await run('ours alone', ours(theirs), now);
    assert.equal(expected.error, undefined);
    assert.equal(found.error, undefined);
    assert.deepEqual(found.rows, expected.rows);
    assert.ok(found.rows.length > 0, 'an empty answer shows nothing');
    note(`${found.rows.length} rows`);
  },
}));
