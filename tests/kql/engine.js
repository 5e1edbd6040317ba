// The local engine (duckdb-kql, in Python) as a child process, and what stands in for the few functions that it lacks.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { declarations } from './content.js';
import { root, tables } from './tables.js';

/** Time of ingestion of a sample row: the engine knows no `ingestion_time()`. */
export const INGESTED = '_ingested';

const python = path.join(root, 'tests/kql/venv/bin/python');
const waiting = [];
let child;

function start() {
  if (!fs.existsSync(python)) throw new Error('the engine is not installed: run scripts/kql');
  child = spawn(python, [path.join(root, 'tests/kql/engine.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  readline.createInterface({ input: child.stdout }).on('line', (line) => waiting.shift().resolve(JSON.parse(line)));
  child.on('exit', (code) => waiting.splice(0).forEach(({ reject }) => reject(new Error(`the engine ended (${code})`))));
}

function ask(request) {
  if (!child) start();
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    child.stdin.write(`${JSON.stringify(request)}\n`);
  });
}

/** Ends the engine, so that the process can end. */
export const stop = () => child?.stdin.end();

const COUNTRY = /geo_info_from_ip_address\((\w+)\)\.country/g;

/**
 * The query as the engine runs it. Two functions are replaced: `ingestion_time()` by the sample's column, and the country of
 * an address by what the sample says of it (`countries`: {address: country}).
 */
export function replaced(query, countries = {}) {
  const country = (column) =>
    `case(${Object.entries(countries)
      .map(([address, name]) => `${column} == "${address}", "${name}", `)
      .join('')}"")`;
  return query
    .replaceAll('ingestion_time()', INGESTED)
    .replaceAll(COUNTRY, (_, column) => (Object.keys(countries).length ? country(column) : '""'));
}

/** Makes a database of `content` ({table: rows}); tables that are named in `without` are not there at all. */
export async function scene(name, content, without = []) {
  const made = Object.entries(tables).filter(([table]) => !without.includes(table));
  const answer = await ask({
    scene: name,
    tables: Object.fromEntries(
      made.map(([table, columns]) => [table, { columns: { ...columns, [INGESTED]: 'datetime' }, rows: content[table] ?? [] }]),
    ),
  });
  if (answer.error) throw new Error(`${name}: ${answer.error}`);
}

/** Runs a query at the time `now`: {columns, rows}, or {error, unsupported}. */
export const run = (name, query, now, countries = {}) =>
  ask({
    scene: name,
    now,
    query: replaced(query, countries),
    functions: declarations.map(
      ({ name: alias, parameters, body }) => `function ${alias}(${parameters}) { ${replaced(body, countries)} }`,
    ),
  });
