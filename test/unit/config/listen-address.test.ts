import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListenAddress } from '../../../src/config/listen-address.ts';

for (const [text, address] of [
  ['unix:///run/metrics.sock', { path: '/run/metrics.sock' }],
  ['tcp://127.0.0.1:9101', { host: '127.0.0.1', port: 9101 }],
  ['tcp://[::1]:80', { host: '::1', port: 80 }],
  ['tcp://0.0.0.0:65535', { host: '0.0.0.0', port: 65535 }],
] as const)
  test(`${text} is an address`, () => assert.deepEqual(parseListenAddress(text), address));

for (const text of [
  ...['', 'unix://run/x', 'unix:///', 'unix:///run/', `unix:///${'x'.repeat(107)}`, '/run/x'],
  ...['tcp://localhost:9101', 'tcp://127.0.0.1', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:65536'],
  ...['tcp://999.0.0.1:80', 'tcp://::1:80', 'tcp://[:::]:80', 'http://127.0.0.1:80'],
])
  test(`'${text}' is none`, () => assert.equal(parseListenAddress(text), undefined));
