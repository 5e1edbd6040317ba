// The workbook: every query bound and run on the simulated week, with parameters as the portal fills them in; and what the
// portal needs to show it.

import assert from 'node:assert/strict';
import { bound } from '../binding.js';
import { text, workbook, workbookFile } from '../content.js';
import { run, scene } from '../engine.js';
import { simulated } from '../simulated.js';
import { LABELS, RUNS } from '../tables.js';

const VISUALIZATIONS = ['areachart', 'barchart', 'piechart', 'table', 'tiles', 'timechart'];
const DAY = 86_400_000;

/** All items, those of groups too. */
const flat = (items) => items.flatMap((item) => [item, ...(item.type === 12 ? flat(item.content.items) : [])]);
const items = flat(workbook().items);
const queries = items.filter((item) => item.type === 3);
const parameters = items.filter((item) => item.type === 9).flatMap((item) => item.content.parameters);

/** What the portal puts in for the parameters: `choice` is all, or one label and workload. */
const filled = (query, { now, label, workload }) =>
  query
    .replaceAll('{Label}', label ? `'${label}'` : "'*'")
    .replaceAll('{Workload}', workload ? `'${workload}'` : "'*'")
    .replaceAll('{TimeRange:startISO}', new Date(Date.parse(now) - 7 * DAY).toISOString())
    .replaceAll('{TimeRange:endISO}', now)
    .replaceAll('{PricePerGB}', '4.30');

const runRow = (week, at, more) => ({
  TimeGenerated: at,
  _ingested: at,
  OrganizationId: week.rows[0].OrganizationId,
  RunId: at,
  Outcome: 'Done',
  LagSeconds: 120,
  Throttled: 1,
  ThrottleWaitSeconds: 2.5,
  Records: 100,
  LabelEvents: 10,
  Repeated: 1,
  Rows: 9,
  RowBytes: 9000,
  DeadLetters: 0,
  FilteredOut: { '6 SharePointFileOperation': 60, '15 AzureActiveDirectoryStsLogon': 30 },
  ...more,
});

let made;
/** The simulated week with runs of the connector, and a department. */
const week = () =>
  (made ??= (async () => {
    const found = await simulated();
    const runs = Array.from({ length: 24 }, (_, n) => runRow(found, new Date(Date.parse(found.now) - n * 3_600_000).toISOString()));
    await scene('workbook', {
      [LABELS]: found.rows.map((row) => ({ ...row, _BilledSize: 1500 })),
      [RUNS]: runs,
      IdentityInfo: [{ TimeGenerated: found.now, AccountUPN: found.rows[0].UserId, Department: 'Legal' }],
    });
    return found;
  })());

// What the simulated company has none of.
const EMPTY = ['encryption-removed', 'sensitive-information-without-a-label'];

const answer = async (query, choice = {}) => {
  const { now } = await week();
  const text = filled(query, { now, ...choice });
  bound(text);
  return run('workbook', text, now);
};

export const checks = [
  ...queries.map((item) => ({
    name: `workbook ${item.name} binds and runs`,
    check: async (note) => {
      const found = await answer(item.content.query);
      if (found.error) throw new Error(found.error);
      assert.equal(found.rows.length === 0, EMPTY.includes(item.name), 'whether there is something to show of the simulated week');
      note(`${found.rows.length} rows`);
      const { labels } = await week();
      const chosen = { label: [...labels.keys()][2], workload: 'Exchange' };
      const narrowed = await answer(item.content.query, chosen);
      if (narrowed.error) throw new Error(narrowed.error);
      assert.ok(narrowed.rows.length <= found.rows.length || item.content.query.includes('top '), 'a filter adds rows');
    },
  })),
  ...parameters
    .filter(({ query }) => query)
    .map(({ name, query }) => ({
      name: `workbook parameter ${name} binds and offers what there is`,
      check: async (note) => {
        const found = await answer(query);
        if (found.error) throw new Error(found.error);
        assert.ok(found.rows.length > 2, JSON.stringify(found.rows));
        note(found.rows.map((row) => Object.values(row).at(-1)).join(', '));
      },
    })),
  {
    name: 'workbook figures are those of the rows',
    check: async () => {
      const { rows } = await week();
      const item = (name) => queries.find((one) => one.name === name).content.query;
      const directions = await answer(item('directions-by-workload'));
      const lowered = rows.filter((row) => ['Downgraded', 'Removed'].includes(row.LabelChange)).length;
      assert.equal(directions.rows.reduce((sum, row) => sum + row.Downgraded + row.Removed, 0), lowered);
      const listed = await answer(item('every-label-lowered-or-removed'));
      assert.equal(listed.rows.length, lowered);
      const leftOut = await answer(item('left-out'));
      assert.deepEqual(
        leftOut.rows.map((row) => `${row.RecordType} ${row.Records}`),
        ['6 SharePointFileOperation 1440', '15 AzureActiveDirectoryStsLogon 720'],
      );
      const glance = await answer(item('at-a-glance'));
      const by = Object.fromEntries(glance.rows.map((row) => [row.Measure, row.Now]));
      assert.equal(by['Labels lowered'] + by['Labels removed'], lowered);
      assert.equal(by['Label events'], rows.length);
      const cost = await answer(item('volume-and-cost'));
      const billed = cost.rows.reduce((sum, row) => sum + row.Rows, 0);
      assert.equal(billed, rows.length);
    },
  },
  {
    name: 'workbook has what the portal needs, and nothing of one workspace',
    check: () => {
      const whole = workbook();
      assert.equal(whole.version, 'Notebook/1.0');
      assert.equal(whole.fromTemplateId, 'sentinel-Labelstream');
      assert.equal(whole.$schema, 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json');
      const raw = text(workbookFile);
      for (const word of ['fallbackResourceIds', '/subscriptions/', 'crossComponentResources', 'resourceGroups']) {
        assert.ok(!raw.includes(word), word);
      }
      assert.match(raw, /^[\x00-\x7f]*$/, 'it has no character beyond ASCII');
      const names = items.map((item) => item.name);
      assert.equal(new Set(names).size, names.length, 'names of items are unique');
      const ids = parameters.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const { name, content } of queries) {
        assert.equal(content.version, 'KqlItem/1.0', name);
        assert.ok(VISUALIZATIONS.includes(content.visualization), `${name}: ${content.visualization}`);
        assert.match(content.title, /^[A-Z].+: .+/, `${name} says what it shows`);
        assert.ok(content.noDataMessage, name);
        const ownTime = content.query.includes('{TimeRange:');
        assert.equal(content.timeContextFromParameter, ownTime ? undefined : 'TimeRange', name);
        if (content.visualization === 'table') assert.match(content.query, /\| (?:sort by|top \d+ by) /, `${name} is sorted`);
      }
    },
  },
  {
    name: 'workbook tabs and parameters exist, and each is used',
    check: () => {
      const tabs = items.find((item) => item.type === 11).content.links.map((link) => link.subTarget);
      const groups = items.filter((item) => item.type === 12).map((item) => item.conditionalVisibility.value);
      assert.deepEqual(groups, tabs);
      const known = parameters.map(({ name }) => name);
      const used = new Set(queries.flatMap(({ content }) => [...content.query.matchAll(/\{(\w+)(?::\w+)?\}/g)].map(([, name]) => name)));
      assert.deepEqual([...used].filter((name) => !known.includes(name)), []);
      assert.deepEqual(known.filter((name) => !used.has(name)), []);
    },
  },
  {
    name: 'workbook tables and tiles name columns that their query has',
    check: async () => {
      const { now } = await week();
      for (const { name, content } of queries) {
        const columns = Object.keys(bound(filled(content.query, { now })));
        const { gridSettings: grid, tileSettings: tile } = content;
        const named = [
          ...(grid?.formatters ?? []).map((one) => one.columnMatch),
          ...(grid?.sortBy ?? []).map((one) => one.itemKey),
          ...Object.values(tile ?? {}).flatMap((part) => part?.columnMatch ?? []),
        ];
        assert.deepEqual(named.filter((column) => !columns.includes(column)), [], name);
        // Labels are shared by tables of changes: each has some of the columns.
        const unused = (grid?.labelSettings ?? []).filter((one) => !columns.includes(one.columnId)).map((one) => one.columnId);
        assert.ok(unused.length < 4, `${name}: ${unused}`);
      }
    },
  },
];
