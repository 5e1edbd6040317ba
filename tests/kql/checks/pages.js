// Queries elsewhere: in the pages, and those that the templates deploy as alerts and on the connector's page.

import assert from 'node:assert/strict';
import { bound } from '../binding.js';
import { deployedQueries, pageQueries } from '../content.js';

const pages = pageQueries();
const deployed = deployedQueries();

export const checks = [
  {
    name: 'queries of the pages and templates are found',
    check: (note) => {
      assert.ok(pages.length >= 8, String(pages.length));
      assert.ok(deployed.length >= 8, String(deployed.length));
      note(`${pages.length} in pages, ${deployed.length} in templates`);
    },
  },
  ...pages.map(({ name, query }) => ({ name: `page query ${name} binds`, check: () => void bound(query) })),
  ...deployed.map(({ name, query }) => ({ name: `deployed query binds: ${name}`, check: () => void bound(query) })),
];
