// Runs the checks: `node tests/kql/run.js [WORDS]`, those whose name has all the words. `--list` prints names, `--json` one
// answer a line ({name, error, notes}), for the test that shows each as a test of its own.

import { checks as alerts } from './checks/alerts.js';
import { checks as content } from './checks/content.js';
import { checks as functions } from './checks/functions.js';
import { checks as hunting } from './checks/hunting.js';
import { checks as microsoft } from './checks/microsoft.js';
import { checks as pages } from './checks/pages.js';
import { checks as rules } from './checks/rules.js';
import { checks as workbook } from './checks/workbook.js';
import { stop } from './engine.js';

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const checks = [functions, microsoft, rules, hunting, workbook, pages, alerts, content]
  .flat()
  .filter(({ name }) => words.every((word) => name.includes(word)));

let failed = 0;
for (const { name, check } of checks) {
  if (flags.includes('--list')) {
    console.log(name);
    continue;
  }
  const notes = [];
  let error = null;
  try {
    await check((note) => notes.push(note));
  } catch (thrown) {
    error = thrown.stack ?? String(thrown);
    failed += 1;
  }
  if (flags.includes('--json')) console.log(JSON.stringify({ name, error, notes }));
  else console.log(`${error ? 'FAILED' : 'ok'}  ${name}${notes.map((note) => `\n      ${note}`).join('')}${error ? `\n${error}` : ''}`);
}
stop();
if (!flags.includes('--list') && !flags.includes('--json')) console.log(`${checks.length - failed} of ${checks.length} checks passed`);
process.exitCode = failed ? 1 : 0;
