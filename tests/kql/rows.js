// Rows that the connector makes of the simulator's records, by the two binaries.

import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { INGESTED } from './engine.js';
import { root } from './tables.js';

const binary = (name) => path.join(root, 'target/debug', name);

/** What a simulator prints when it starts: of the one that $SIMULATOR tells of, or of one that is started here. */
async function simulator() {
  if (process.env.SIMULATOR) return { told: JSON.parse(process.env.SIMULATOR), end: () => {} };
  const program = process.env.LABELSTREAM_SIMULATOR ?? binary('labelstream-simulator');
  const child = spawn(program, ['--records', '4000', '--label-share', '0.4', '--records-per-content', '200'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${program}: ${error.message} (cargo build --workspace)`)));
    readline.createInterface({ input: child.stdout }).once('line', resolve);
  });
  return { told: JSON.parse(line), end: () => child.kill() };
}

/** {id: {name}} of the labels that the simulated Graph lists. */
async function catalogue({ IDENTITY_ENDPOINT, IDENTITY_HEADER, GRAPH_ENDPOINT }) {
  const token = await fetch(`${IDENTITY_ENDPOINT}?resource=https://graph.microsoft.com&api-version=2019-08-01`, {
    headers: { 'X-IDENTITY-HEADER': IDENTITY_HEADER },
  }).then((answer) => answer.json());
  const labels = await fetch(`${GRAPH_ENDPOINT}/v1.0/security/dataSecurityAndGovernance/sensitivityLabels`, {
    headers: { Authorization: `Bearer ${token.access_token}` },
  }).then((answer) => answer.json());
  const found = new Map();
  const add = (label, parent) => {
    const name = parent ? `${parent}\\${label.name}` : label.name;
    found.set(label.id, { name });
    for (const child of label.sublabels) add(child, label.name);
  };
  for (const label of labels.value) add(label);
  return found;
}

/** The rows, each with the time at which the workspace took it: five minutes after the feed had published it. */
export async function simulatedRows() {
  const { told, end } = await simulator();
  try {
    const program = process.env.LABELSTREAM ?? binary('labelstream');
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...told.environment };
    const options = { env, maxBuffer: 2 ** 28, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
    execFileSync(program, ['connect'], options);
    const lines = execFileSync(program, ['pull', '--dry-run', '--output', '-'], options);
    const labels = await catalogue(told.environment);
    const rows = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map((row) => ({ ...row, [INGESTED]: new Date(Date.parse(row.ContentCreated) + 300_000).toISOString() }));
    return { rows, labels };
  } finally {
    end();
  }
}
