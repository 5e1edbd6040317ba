// The alerts of a fleet, run on rows of several tenants: each names the tenants in trouble, and no others.

import assert from 'node:assert/strict';
import { readJson, RUNS } from '../tables.js';
import { run, scene } from '../engine.js';
import { duration, rowsOf } from '../samples.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const WELL = { Outcome: 'Done', LagSeconds: 300, DeadLetters: 0 };
const THRESHOLDS = { GreaterThan: (value, than) => value > than, GreaterThanOrEqual: (value, than) => value >= than };
const WINDOWS = { PT1H: '1h', P2D: '2d' };

const rules = readJson('infra/snapshots/fleet.snapshot.json').predictedResources.filter(({ type }) =>
  type.endsWith('/scheduledQueryRules'),
);
const alert = (end) => rules.find(({ name }) => name.endsWith(`-${end}`)).properties;

/** Runs of a tenant: one every five minutes from `since` to `until`. The last two are not in the workspace yet. */
const runs = (OrganizationId, row = {}, until = '-5m', since = '-1d') => ({
  at: since,
  copies: (duration(until) - duration(since)) / 300_000 + 1,
  every: '5m',
  row: { OrganizationId, ...WELL, ...row },
});

/** The tenants for which an alert fires: {tenant: value}. */
async function firing(end, samples) {
  const { criteria, windowSize } = alert(end);
  const [{ query, operator, threshold, dimensions }] = criteria.allOf;
  assert.deepEqual(dimensions.map(({ name }) => name), ['OrganizationId']);
  const content = rowsOf({ [RUNS]: samples }, NOW, { period: WINDOWS[windowSize] });
  const ids = content[RUNS].map((row, n) => ({ ...row, RunId: row.RunId === 'twice' ? 'twice' : `${row.RunId}-${n}` }));
  await scene(`alert ${end}`, { [RUNS]: ids });
  const { error, rows } = await run(`alert ${end}`, query, new Date(NOW).toISOString());
  if (error) throw new Error(error);
  const told = rows.filter(({ Value }) => THRESHOLDS[operator](Value, threshold));
  assert.equal(told.length, rows.length, 'only tenants in trouble are in the answer');
  return Object.fromEntries(told.map(({ OrganizationId, Value }) => [OrganizationId, Value]));
}

const cases = [
  {
    name: 'one silent tenant among many is named, with the minutes of its silence',
    end: 'silent-tenant',
    rows: [...['a', 'b', 'c'].map((tenant) => runs(tenant)), runs('quiet', {}, '-90m')],
    wanted: { quiet: 90 },
  },
  {
    name: 'a tenant that went silent a day ago is still missed, one whose last run is 55 minutes ago is not',
    end: 'silent-tenant',
    rows: [runs('a'), runs('gone', {}, '-25h', '-40h'), runs('slow', {}, '-55m')],
    wanted: { gone: 1500 },
  },
  {
    name: 'where all tenants are silent, none is named: another alert tells of that',
    end: 'silent-tenant',
    rows: [runs('a', {}, '-2h'), runs('b', {}, '-3h')],
    wanted: {},
  },
  {
    name: 'a failed run is heard of, so that its tenant is not silent',
    end: 'silent-tenant',
    rows: [runs('a'), runs('broken', { Outcome: 'Failed' })],
    wanted: {},
  },
  {
    name: 'a tenant whose runs fail is named, one with two failed runs is not',
    end: 'failed-runs',
    rows: [
      runs('a'),
      runs('broken', { Outcome: 'Failed' }),
      runs('b'),
      runs('b', { Outcome: 'Failed' }, '-25m', '-30m'),
    ],
    wanted: { broken: 10 },
  },
  {
    name: 'a failed run whose row came several times counts once',
    end: 'failed-runs',
    rows: [runs('a', { Outcome: 'Failed', RunId: 'twice' }, '-5m', '-30m')],
    wanted: {},
  },
  {
    name: 'a tenant that lags is named, one that caught up or does not know its lag is not',
    end: 'lag',
    rows: [
      runs('a'),
      runs('late', { LagSeconds: 9000 }),
      runs('b', { LagSeconds: 9000 }, '-20m'),
      runs('b', {}, '-15m', '-15m'),
      runs('unknown', { LagSeconds: null }),
    ],
    wanted: { late: 9000 },
  },
  {
    name: 'a tenant with dead letters is named with their number',
    end: 'dead-letters',
    rows: [runs('a'), runs('b'), runs('b', { DeadLetters: 4 }, '-20m', '-25m'), runs('unknown', { DeadLetters: null })],
    wanted: { b: 8 },
  },
];

export const checks = cases.map(({ name, end, rows, wanted }) => ({
  name: `alert ${end} of a fleet: ${name}`,
  check: async () => assert.deepEqual(await firing(end, rows), wanted),
}));
