// Microsoft's own KQL language service: reads a query, binds its names to tables and functions, and tells what it found wrong
// and which columns come out.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

const folder = path.dirname(createRequire(import.meta.url).resolve('@kusto/language-service-next/package.json'));
// The package is made for browsers: it defines globals.
for (const script of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  const file = path.join(folder, script);
  vm.runInThisContext(fs.readFileSync(file, 'utf8'), { filename: file });
}
const { Language } = globalThis.Kusto;
const { Symbols } = Language;

// The `$ctorN` names belong to the locked version of the package.
const table = ([name, columns]) =>
  new Symbols.TableSymbol.$ctor7(name, `(${Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`).join(', ')})`);
const declared = ({ name, parameters, body }) => new Symbols.FunctionSymbol.$ctor16(name, `(${parameters})`, `{ ${body}\n}`);

/** A workspace of `tables` ({name: {column: type}}) and `functions` ([{name, parameters, body}]), to bind queries in. */
export function workspace(tables, functions = []) {
  const database = new Symbols.DatabaseSymbol.ctor('workspace', [...Object.entries(tables).map(table), ...functions.map(declared)]);
  const cluster = new Symbols.ClusterSymbol.ctor('local', [database]);
  // With a cache, the body of a function is analysed once and not for each query that calls it.
  return Language.GlobalState.Default.WithCluster(cluster).WithDatabase(database).WithCache();
}

/** Reads and binds a query: every diagnostic of any severity, and the columns of the result ({name: type}; null without one). */
export function bind(query, globals) {
  const code = Language.KustoCode.ParseAndAnalyze(query, globals);
  const found = code.GetDiagnostics();
  const diagnostics = [];
  for (let i = 0; i < found.Count; i += 1) {
    const one = found.getItem(i);
    const before = query.slice(0, one.Start).split('\n');
    diagnostics.push(`${before.length}:${before.at(-1).length + 1} ${one.Severity} ${one.Code}: ${one.Message}`);
  }
  const columns = code.ResultType?.Columns;
  if (!columns) return { diagnostics, result: null };
  const result = {};
  for (let i = 0; i < columns.Count; i += 1) {
    const column = columns.getItem(i);
    result[column.Name] = column.Type.Name;
  }
  return { diagnostics, result };
}
