import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathKeeper } from '../../../src/binary-cache/keeper.ts';
import { recordingLog, temporaryDirectory } from '../fixtures.ts';

test('what goes while the command starts, as in a garbage collection, does not end the container', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const places = {
    ...{ cache: `${base}/cache`, key: `${base}/key`, open: `${base}/open`, record: `${base}/links.json` },
    // As it is to who looks at a name that went after it was read.
    ...{ storeDir: `${base}/store`, stateDir: `${base}/gone`, own: `${base}/own`, nix: '', nixStore: '' },
  };
  const start = { lastPath: 0, links: new Map(), record: null };
  const { log, lines } = recordingLog();
  const keeper = new PathKeeper(
    places,
    { start, bases: [new Map()], unrestored: new Map() },
    { log, exitOf: () => assert.fail('nothing is run') },
  );
  assert.doesNotThrow(() => keeper.start());
  keeper.stop();
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('debug: cannot be watched')),
    [],
  );
});
