import assert from 'node:assert/strict';
import { assertClean, makeDisk, runGuest } from '../harness/guest.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

namespaceTest('under systemd the store is an overlay before nix-daemon.socket starts', async () => {
  await using disk = await makeDisk();
  const words = ['systemd.unit=report.service', 'systemd.firstboot=off', 'systemd.show_status=false'];
  const console = await runGuest({ disk, init: 'systemd', words });
  const mounted = momentOf(console, 'nix-cache-init.service');
  assert.ok(mounted > 0 && mounted <= momentOf(console, 'nix-daemon.socket'), console);
  assert.match(console, /^overlay \/nix\/store overlay .*upperdir=\/nix-cache\/upper/m, console);
  assert.match(console, /^\/dev\/vdb \/nix\/var\/nix ext4 /m, console);
  assert.match(console, /^in use: failed, 1 mounted$/m, console);
  assert.match(console, /^ +\d+ +sleep +\/nix\/store\/[a-z0-9]{32}-c\s*$/m, console);
  assert.match(console, /^stopped: inactive, 0 mounted$/m, console);
  assert.match(console, /^started: active, 1 mounted$/m, console);
  assert.match(console, /reboot: Power down/);
  await assertClean(disk);
});

/** In microseconds since the kernel started, by systemd's own records. */
const momentOf = (console: string, unit: string): number =>
  Number(new RegExp(`${unit.replaceAll('.', '\\.')}: (\\d+) active$`, 'm').exec(console)?.[1]);
