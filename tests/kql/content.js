// What ships: the files of `sentinel/`, the queries of the pages, and those that the templates deploy.

import fs from 'node:fs';
import path from 'node:path';
import YAML from 'yaml';
import { readJson, root } from './tables.js';

const list = (folder, end) =>
  fs
    .readdirSync(path.join(root, folder))
    .filter((file) => file.endsWith(end))
    .sort()
    .map((file) => `${folder}/${file}`);

/** Text of a file of the repository. */
export const text = (file) => fs.readFileSync(path.join(root, file), 'utf8');

const yaml = (folder) => list(folder, '.yaml').map((file) => ({ file, text: text(file), ...YAML.parse(text(file)) }));

export const functions = yaml('sentinel/functions');
export const rules = yaml('sentinel/analytic-rules');
export const huntingQueries = yaml('sentinel/hunting-queries');
export const workbookFile = 'sentinel/workbook/labelstream.workbook.json';
export const workbook = () => readJson(workbookFile);

/** The functions as the language service and the engine take them. */
export const declarations = functions.map((one) => ({
  name: one.FunctionAlias,
  parameters: (one.FunctionParams ?? [])
    .map(({ Name, Type, Default }) => `${Name}: ${Type}${Default === undefined ? '' : ` = ${Default}`}`)
    .join(', '),
  body: one.FunctionQuery,
}));

/** The samples of a rule or hunting query, by the name of its file. */
export const samples = (file) => readJson(`sentinel/samples/${path.basename(file, '.yaml')}.json`);
export const sampleFiles = () => list('sentinel/samples', '.json');

/** Queries in the pages: [{name, query}]. An empty line parts queries, as in the portal. */
export function pageQueries() {
  return list('docs', '.md').flatMap((file) =>
    [...text(file).matchAll(/^( *)```kusto\n([\s\S]*?)^\1```/gm)]
      .flatMap(([, indent, block]) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), '').split(/\n\s*\n/))
      .map((query, index) => ({ name: `${file} ${index + 1}`, query })),
  );
}

/** Queries of what the templates deploy, from their snapshots: alerts and the connector's page. Content has its own files. */
export function deployedQueries() {
  const found = new Map();
  for (const file of list('infra/snapshots', '.snapshot.json')) {
    for (const resource of readJson(file).predictedResources) {
      const at = `${resource.type} ${resource.name ?? ''}`;
      if (resource.type.endsWith('/scheduledQueryRules')) {
        for (const { query } of resource.properties.criteria.allOf) found.set(query, at);
      }
      if (resource.type.endsWith('/dataConnectorDefinitions')) {
        const page = resource.properties.connectorUiConfig;
        const queries = [
          ...page.graphQueries.map((one) => one.baseQuery),
          ...page.dataTypes.map((one) => one.lastDataReceivedQuery),
          ...page.connectivityCriteria.flatMap((one) => one.value),
        ];
        for (const query of queries) found.set(query, at);
      }
    }
  }
  return [...found].map(([query, at]) => ({ name: `${at}: ${query.trim().split('\n')[0].slice(0, 80)}`, query }));
}
