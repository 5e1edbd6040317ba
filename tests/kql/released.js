// What was released: sentinel/released.json has the id, version and digest of each function, rule and hunting query. Who has a
// rule of one version must not get another text under the same version, and an id must not change its meaning.
//
//   node tests/kql/released.js      writes the list anew; refuses a text that changed without a higher version

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { functions, huntingQueries, rules } from './content.js';
import { root } from './tables.js';

const LIST = path.join(root, 'sentinel/released.json');

const version = (one) => one.version ?? one.Function.Version;
// All but the version and the date beside it.
const digest = ({ text }) =>
  createHash('sha256')
    .update(text.replaceAll(/^\s*(?:version|Version|LastUpdated):.*\n/gm, ''))
    .digest('hex')
    .slice(0, 16);

/** What there is now: [{id, file, version, digest}]. */
export const current = () =>
  [...functions, ...rules, ...huntingQueries].map((one) => ({
    id: one.id,
    file: one.file.replace('sentinel/', ''),
    version: version(one),
    digest: digest(one),
  }));

export const released = () => (fs.existsSync(LIST) ? JSON.parse(fs.readFileSync(LIST, 'utf8')) : []);

const number = (text) => text.split('.').reduce((sum, part) => sum * 10_000 + Number(part), 0);

/** What speaks against releasing `now` after `before`. */
export function objections(now, before) {
  return before.flatMap((old) => {
    const same = now.find((one) => one.file === old.file);
    const withId = now.find((one) => one.id === old.id);
    if (!withId) return [`${old.file}: the id ${old.id} is gone; those who deployed it keep it for ever`];
    if (same && same.id !== old.id) return [`${old.file}: the id was ${old.id}`];
    const isHigher = number(withId.version) > number(old.version);
    if (withId.digest !== old.digest && !isHigher) return [`${withId.file}: the text changed; its version must be above ${old.version}`];
    return [];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = objections(current(), released());
  if (found.length) {
    console.error(found.join('\n'));
    process.exitCode = 1;
  } else {
    fs.writeFileSync(LIST, `[\n${current().map((one) => `  ${JSON.stringify(one)}`).join(',\n')}\n]\n`);
  }
}
