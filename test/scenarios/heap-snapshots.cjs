/**
 * Preloaded into a process (NODE_OPTIONS), it has each of its threads write a snapshot of its heap once the file `wanted` is in
 * the folder that HEAP_SNAPSHOTS names: `thread-<id>.heapsnapshot`, with every text in full.
 */
const { existsSync, renameSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString, writeHeapSnapshot } = require('node:v8');
const { threadId } = require('node:worker_threads');

const LOOK_MS = 100;
const folder = process.env.HEAP_SNAPSHOTS;
// Else the snapshot has the first 1,024 characters of a text.
setFlagsFromString('--heap-snapshot-string-limit=100000000');

const look = setInterval(() => {
  if (!existsSync(join(folder, 'wanted'))) return;
  clearInterval(look);
  const path = join(folder, `thread-${threadId}.heapsnapshot`);
  writeHeapSnapshot(`${path}.partial`);
  renameSync(`${path}.partial`, path);
}, LOOK_MS);
look.unref();
