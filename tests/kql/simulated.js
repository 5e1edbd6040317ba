// The simulated company's week, made once and loaded as a scene of its own.

import { scene } from './engine.js';
import { simulatedRows } from './rows.js';
import { LABELS } from './tables.js';

let made;

/** {name of the scene, now, rows, labels}: `now` is just after the last row was taken. */
export const simulated = () =>
  (made ??= (async () => {
    const { rows, labels } = await simulatedRows();
    await scene('simulated', { [LABELS]: rows });
    const last = Math.max(...rows.map((row) => Date.parse(row._ingested)));
    return { name: 'simulated', now: new Date(last + 60_000).toISOString(), rows, labels };
  })());
