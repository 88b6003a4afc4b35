import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLowerStore } from '../../../src/config/lower-store.ts';

const understood: [string, string, string][] = [
  ['unix:///run/snix.sock?real=/snix/store', '/run/snix.sock', '/snix/store'],
  ['unix:///run/other?root=/other', '/run/other', '/other/nix/store'],
  ['unix:///run/other?root=/other&real=/paths', '/run/other', '/paths'],
  ['unix:///run/a%20b?real=/c%26d%25e', '/run/a b', '/c&d%e'],
  // Of no other query Nix takes a plus for a blank.
  ['unix:///run/a+b?real=/c+d', '/run/a+b', '/c+d'],
  ['unix:///run/other?max-connections=4&real=/paths', '/run/other', '/paths'],
];

for (const [uri, socket, directory] of understood)
  test(`${uri}: ${directory} through ${socket}`, () =>
    assert.deepEqual(parseLowerStore(uri), { uri, socket, directory }));

const refused = [
  '',
  'auto',
  'daemon',
  'local?root=/other',
  '/other',
  'unix:///run/snix.sock',
  'unix:///run/snix.sock?',
  'unix:///run/snix.sock?state=/x',
  'unix:///run/snix.sock?real=relative',
  'unix:///run/snix.sock?real=',
  'unix:///run/snix.sock?real=/a%',
  'unix://?real=/paths',
  'unix://host/run?real=/paths',
  'ssh-ng://host?real=/paths',
];

for (const uri of refused) test(`'${uri}' is refused`, () => assert.equal(parseLowerStore(uri), undefined));
