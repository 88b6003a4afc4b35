import assert from 'node:assert/strict';
import { test } from 'node:test';
import { volumeLayout } from '../../../src/volume/layout.ts';

test('the names on the volume are those of the contract', () => {
  assert.deepEqual(volumeLayout('/nix-cache'), {
    root: '/nix-cache',
    upper: '/nix-cache/upper',
    work: '/nix-cache/workdir',
    state: '/nix-cache/var/nix',
    log: '/nix-cache/var/log',
    prefix: '/nix-cache/root',
    own: '/nix-cache/.nix-cache-init',
    manifest: '/nix-cache/.nix-cache-init/manifest.json',
    lock: '/nix-cache/.nix-cache-init/lock',
    trash: '/nix-cache/.nix-cache-init/trash',
    superseded: '/nix-cache/.nix-cache-init/trash/store',
    remembered: '/nix-cache/.nix-cache-init/remembered.json',
    swept: '/nix-cache/.nix-cache-init/swept',
    imageCopy: '/nix-cache/.nix-cache-init/image',
    imageLinks: '/nix-cache/.nix-cache-init/image-links.json',
    indirectRoots: '/nix-cache/.nix-cache-init/indirect-roots.json',
    lastGc: '/nix-cache/.nix-cache-init/gc.json',
    combined: '/nix-cache/.nix-cache-init/combined',
    masks: '/nix-cache/.nix-cache-init/masks',
    rescue: '/nix-cache/.nix-cache-init/rescue',
    binaryCache: '/nix-cache/binary-cache',
    cacheKey: '/nix-cache/.nix-cache-init/binary-cache-key',
    cacheOpen: '/nix-cache/.nix-cache-init/binary-cache-open',
    cacheLinks: '/nix-cache/.nix-cache-init/links.json',
    pushed: '/nix-cache/.nix-cache-init/pushed',
    staging: '/nix-cache/.nix-cache-init/seed',
    probe: '/nix-cache/.nix-cache-init.doctor',
  });
});
