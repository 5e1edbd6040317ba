// Queries bound in the whole workspace: nothing that the language service says of them is let pass.

import assert from 'node:assert/strict';
import { declarations } from './content.js';
import { bind, workspace } from './language.js';
import { tables } from './tables.js';

export const globals = workspace(tables, declarations);

const known = new Map();

/** The columns of the query's result; fails on any diagnostic of any severity. */
export function bound(query) {
  if (!known.has(query)) known.set(query, bind(query, globals));
  const { diagnostics, result } = known.get(query);
  assert.deepEqual(diagnostics, [], `what the language service says of\n${query}`);
  return result;
}
