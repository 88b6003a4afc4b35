import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCacheUri, withoutCredentials } from '../../../src/config/cache-uri.ts';

const understood: [uri: string, shown: string, identity?: string][] = [
  ['https://cache.example', 'https://cache.example'],
  ['https://cache.example/', 'https://cache.example'],
  ['http://me:secret@cache.example:8080/nix//', 'http://cache.example:8080/nix'],
  ['https://token@cache.example?secret-key=/k', 'https://cache.example'],
  ['https://[::1]:8080/x', 'https://[::1]:8080/x'],
  ['file:///srv/cache?compression=zstd', 'file:///srv/cache'],
  ['s3://bucket?profile=p&region=r&endpoint=e&scheme=http', 's3://bucket', 's3://bucket&endpoint=e&region=r'],
  ['s3://bucket/prefix', 's3://bucket/prefix'],
  ['ssh://me@host', 'ssh://me@host'],
  ['ssh-ng://me:secret@host', 'ssh-ng://me@host'],
  [
    'ssh-ng://host?ssh-key=/k&remote-store=local?root=/x',
    'ssh-ng://host',
    'ssh-ng://host&remote-store=local?root=/x',
  ],
  ['unix:///run/other?root=/other', 'unix:///run/other', 'unix:///run/other&root=/other'],
  ['local:///mnt', 'local:///mnt'],
];

for (const [uri, shown, identity = shown] of understood) {
  test(`${uri} is shown as ${shown}`, () => {
    const parsed = parseCacheUri(uri);
    assert.ok(parsed);
    assert.deepEqual([parsed.uri, parsed.shown, parsed.identity], [uri, shown, identity]);
    // As part of a plan, too.
    assert.equal(JSON.stringify({ to: [parsed] }), `{"to":["${shown}"]}`);
  });
}

const refused = [
  ...[
    '',
    'auto',
    'daemon',
    '/srv/cache',
    'cache.example',
    'https:',
    'https://',
    'https:///path',
    'https://me@',
  ],
  ...['ftp://host', 'HTTPS://host', 'dummy://', 'file://', 'file://relative', 'file:///', 's3://', 'ssh://'],
  ...['https://two words', 'https://host#fragment', 'https://host\n'],
];

for (const uri of refused) test(`'${uri}' is refused`, () => assert.equal(parseCacheUri(uri), undefined));

// Whoever tries each place to the end does not come to one here.
for (const text of ['a'.repeat(1e6), 'a://'.repeat(3e5), '@'.repeat(1e6), `file:///h${'/'.repeat(3e5)}x`])
  test(`a megabyte such as ${text.slice(0, 12)}… takes no longer than reading it`, () => {
    assert.equal(withoutCredentials(text), text);
    assert.equal(parseCacheUri(text)?.uri, text.startsWith('file') ? text : undefined);
  });

test('credentials are taken out of whatever somebody says, and nothing else is', () => {
  for (const [text, shown] of [
    ["unable to download 'https://me:pw@host/x.narinfo'", "unable to download 'https://…@host/x.narinfo'"],
    ['https://token@a and s3://k:s@b', 'https://…@a and s3://…@b'],
    ['https://me:p@ss@host/', 'https://…@host/'],
    ['ssh://me@host', 'ssh://me@host'],
    ['ssh://me:pw@host', 'ssh://…@host'],
    ['https://host/a@b', 'https://host/a@b'],
    ['mail me@host', 'mail me@host'],
  ] as const)
    assert.equal(withoutCredentials(text), shown);
});
