// What a rule or hunting query says of its answer, and what a sample expects of it.

import assert from 'node:assert/strict';

/** The columns of the answer that mappings, details and formats name. */
export function named({ entityMappings = [], customDetails = {}, alertDetailsOverride = {} }) {
  const override = Object.entries(alertDetailsOverride);
  const formats = override.filter(([key]) => key.endsWith('Format'));
  return [
    ...entityMappings.flatMap((one) => one.fieldMappings.map(({ columnName }) => columnName)),
    ...Object.values(customDetails),
    ...formats.flatMap(([, text]) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, column]) => column)),
    ...override.filter(([key]) => key.endsWith('ColumnName')).map(([, column]) => column),
  ];
}

// Sets have no order.
const sorted = (value) => (Array.isArray(value) ? [...value].sort() : value);

/** As many rows as expected, with these values in the columns that are expected. */
export function expectRows(found, expected) {
  assert.equal(found.length, expected.length, JSON.stringify(found));
  expected.forEach((columns, index) => {
    for (const [column, value] of Object.entries(columns)) {
      assert.deepEqual(sorted(found[index][column]), sorted(value), `${column} of ${JSON.stringify(found[index])}`);
    }
  });
}
