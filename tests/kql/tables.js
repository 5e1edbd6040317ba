// The tables that queries may name, with the types of Kusto: ours from the repository's own definitions, Microsoft's from the
// files of `tables/`, which have the columns of the documentation (of other solutions' tables only those that are used).

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const readJson = (file) => JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));

export const LABELS = 'MicrosoftPurviewInformationProtection_CL';
export const RUNS = 'LabelstreamRuns_CL';
export const BUILT_IN = 'MicrosoftPurviewInformationProtection';

// Azure Monitor adds these to every table ("Standard columns in Azure Monitor Logs").
const STANDARD = { _ResourceId: 'string', _SubscriptionId: 'string', _BilledSize: 'real', _IsBillable: 'string' };
const BY_SERVICE = { TenantId: 'string', Type: 'string' };

const own = (file) =>
  Object.fromEntries(readJson(file).map(({ name, type }) => [name, type === 'boolean' ? 'bool' : type]));

/** Columns of Microsoft's own table, as documented. */
export const builtInColumns = readJson('tests/kql/tables/MicrosoftPurviewInformationProtection.json');
/** Columns that `infra/columns.json` has, as Kusto types. */
export const labelColumns = own('infra/columns.json');
export const runsColumns = own('infra/runs-columns.json');

const others = fs
  .readdirSync(path.join(root, 'tests/kql/tables'))
  .map((file) => file.replace('.json', ''))
  .filter((name) => name !== BUILT_IN);

/** Every table: {name: {column: type}}. */
export const tables = {
  [LABELS]: { ...labelColumns, ...BY_SERVICE, ...STANDARD },
  [RUNS]: { ...runsColumns, ...BY_SERVICE, ...STANDARD },
  [BUILT_IN]: { ...builtInColumns, ...STANDARD },
  ...Object.fromEntries(others.map((name) => [name, { ...readJson(`tests/kql/tables/${name}.json`), ...STANDARD }])),
};
