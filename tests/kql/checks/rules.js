// The analytic rules: bound with the columns that entities and details name, and run on the rows of sentinel/samples, at which
// they must fire or stay silent: in time, late, and once.

import assert from 'node:assert/strict';
import path from 'node:path';
import { bound } from '../binding.js';
import { rules, samples } from '../content.js';
import { run, scene } from '../engine.js';
import { expectRows, named } from '../expected.js';
import { duration, rowsOf } from '../samples.js';
import { simulated } from '../simulated.js';
import { LABELS } from '../tables.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const FIRES = { gt: (rows, threshold) => rows.length > threshold };
const LATE = 5 * 86_400_000;

/** Rows of the rule's answer at `now`; a query that the engine cannot run is no answer. */
async function answer(rule, name, content, now, { countries, without } = {}) {
  await scene(name, content, without);
  const found = await run(name, rule.query, new Date(now).toISOString(), countries);
  if (found.error) throw new Error(found.error);
  return found.rows;
}

const perRule = rules.map((rule) => {
  const name = path.basename(rule.file, '.yaml');
  const byArrival = rule.query.includes('let Frequency = ');
  const { scenes, without = [] } = samples(rule.file);
  const fires = (found) => FIRES[rule.triggerOperator](found, rule.triggerThreshold);
  return [
    {
      name: `rule ${name} binds, with every column that its alert names`,
      check: () => {
        const columns = Object.keys(bound(rule.query));
        assert.deepEqual(named(rule).filter((column) => !columns.includes(column)), []);
      },
    },
    ...scenes.map(({ name: title, fires: expected, tables, expect, countries, late = true }) => ({
      name: `rule ${name} ${expected ? 'fires' : 'stays silent'}: ${title}`,
      check: async (note) => {
        const { query, queryPeriod: period, queryFrequency } = rule;
        const found = await answer(rule, title, rowsOf(tables, NOW, { period }), NOW, { countries });
        if (countries) note('run with the countries of the sample: the engine has no geo_info_from_ip_address');
        assert.equal(fires(found), expected, JSON.stringify(found));
        if (!expected) return;
        expectRows(found, expect);
        for (const missing of without) {
          const there = Object.keys(tables).every((table) => !missing.includes(table));
          if (!there) continue;
          const rest = await answer(rule, title, rowsOf(tables, NOW, { period }), NOW, { countries, without: missing });
          expectRows(rest, expect);
          note(`also without ${missing.join(', ')}`);
        }
        if (!byArrival) return;
        const next = NOW + duration(queryFrequency);
        const again = await answer(rule, title, rowsOf(tables, NOW, { period }), next, { countries });
        assert.equal(fires(again), false, `fires again the next time:\n${query}`);
        if (!late || !tables[LABELS]) return;
        const fiveDaysLate = rowsOf(tables, NOW, { period, older: LATE });
        assert.equal(fires(await answer(rule, title, fiveDaysLate, NOW, { countries })), true, 'events that came five days late');
        note('fires once, and five days late too');
      },
    })),
    {
      name: `rule ${name} runs on the simulated week`,
      check: async (note) => {
        const week = await simulated();
        const found = await run(week.name, rule.query, week.now);
        if (found.error) throw new Error(found.error);
        note(`${found.rows.length} rows at its end`);
      },
    },
  ];
});

export const checks = perRule.flat();
