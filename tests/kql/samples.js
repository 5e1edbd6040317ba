// Sample rows, written short: `{at, ingested?, copies?, every?, row}` is a row at a time before now ("-90m"), taken by the
// workspace at `ingested` (ten minutes later without it), or several of them with `{n}` for their number.

import { INGESTED } from './engine.js';
import { BUILT_IN, LABELS, RUNS } from './tables.js';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY = UNITS.d;

/** Milliseconds of "90m", "-3h" or "14d". */
export function duration(text) {
  const [, sign, number, unit] = /^(-?)(\d+)([mhd])$/.exec(text);
  return (sign ? -1 : 1) * Number(number) * UNITS[unit];
}

const time = (milliseconds) => new Date(milliseconds).toISOString();

function filled(value, n) {
  if (typeof value === 'string') return value.replaceAll('{n}', String(n));
  if (Array.isArray(value)) return value.map((one) => filled(one, n));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, n)]));
  return value;
}

function one(table, row, at, ingested, id) {
  if (table === LABELS) {
    // The service replaces a TimeGenerated that is older than two days when it comes.
    const generated = ingested - at > 2 * DAY ? ingested : at;
    return { AuditRecordId: id, ...row, CreationTime: time(at), TimeGenerated: time(generated), [INGESTED]: time(ingested) };
  }
  const own = table === BUILT_IN ? { Id: id } : table === RUNS ? { RunId: id } : {};
  return { ...own, ...row, TimeGenerated: time(at), [INGESTED]: time(ingested) };
}

/** The rows of a scene at the time `now`: {table: rows}. With `older`, events of labels that came then are older by that much. */
export function rowsOf(tables, now, { older = 0, period } = {}) {
  const made = {};
  for (const [table, samples] of Object.entries(tables)) {
    made[table] = samples.flatMap(({ at, ingested, copies = 1, every = '0m', row }, group) =>
      Array.from({ length: copies }, (_, n) => {
        const when = now + duration(at) + n * duration(every);
        const taken = ingested ? now + duration(ingested) : when + 10 * UNITS.m;
        return one(table, filled(row, n + 1), when - older, taken, `${table}-${group}-${n}`);
      }),
    );
    // A rule sees what its period covers, by TimeGenerated.
    if (period) made[table] = made[table].filter((row) => Date.parse(row.TimeGenerated) > now - duration(period));
    made[table] = made[table].filter((row) => Date.parse(row[INGESTED]) <= now);
  }
  return made;
}
