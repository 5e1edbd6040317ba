// The hunting queries: bound with the columns that entities name, run on the rows of sentinel/samples, which they must find or
// pass over, and on the simulated week.

import assert from 'node:assert/strict';
import path from 'node:path';
import { bound } from '../binding.js';
import { huntingQueries, samples } from '../content.js';
import { run, scene } from '../engine.js';
import { expectRows, named } from '../expected.js';
import { rowsOf } from '../samples.js';
import { simulated } from '../simulated.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');

export const checks = huntingQueries.flatMap((one) => {
  const name = path.basename(one.file, '.yaml');
  return [
    {
      name: `hunting query ${name} binds, with every column that its entities name`,
      check: () => {
        const columns = Object.keys(bound(one.query));
        assert.deepEqual(named(one).filter((column) => !columns.includes(column)), []);
      },
    },
    ...samples(one.file).scenes.map(({ name: title, finds, tables, expect }) => ({
      name: `hunting query ${name} ${finds ? 'finds' : 'passes over'}: ${title}`,
      check: async () => {
        await scene(title, rowsOf(tables, NOW));
        const found = await run(title, one.query, new Date(NOW).toISOString());
        if (found.error) throw new Error(found.error);
        if (finds) expectRows(found.rows, expect);
        else assert.deepEqual(found.rows, []);
      },
    })),
    {
      name: `hunting query ${name} runs on the simulated week`,
      check: async (note) => {
        const week = await simulated();
        const found = await run(week.name, one.query, week.now);
        if (found.error) throw new Error(found.error);
        note(`${found.rows.length} rows`);
      },
    },
  ];
});
