import assert from 'node:assert/strict';
import { helloDaemon } from '../../src/nix/hello.ts';
import { type Suite, suites } from '../harness/base.ts';
import { makeHostNix } from '../harness/hostNix.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

/** What each Nix says of itself: before protocol 1.35 it does not tell whether it trusts us. */
const expected: Record<Suite, { version: RegExp; minor: number; trusted: boolean | null }> = {
  bookworm: { version: /^2\.8\./, minor: 34, trusted: null },
  trixie: { version: /^2\.26\./, minor: 38, trusted: true },
  forky: { version: /^2\.34\./, minor: 38, trusted: true },
};

const PATIENCE_MS = 20_000;

for (const suite of suites) {
  namespaceTest(
    `the nix-daemon of ${suite} says which it is, whether it trusts us, and what it has`,
    async () => {
      await using host = await makeHostNix(suite, ['b']);
      await using _daemon = await host.startDaemon();
      const path = await host.shell('nix-build /packages.nix -A b --no-out-link');
      const stranger = `/nix/store/${'0'.repeat(32)}-stranger`;
      const hello = helloDaemon(host.socket, PATIENCE_MS, [stranger, path]);
      assert.ok(hello.kind === 'daemon', JSON.stringify(hello));
      const { version, minor, trusted } = expected[suite];
      assert.match(hello.nixVersion ?? '', version);
      assert.deepEqual(hello.protocol, { major: 1, minor });
      assert.deepEqual([hello.trusted, hello.valid], [trusted, [path]]);
    },
  );
}

namespaceTest('a daemon that is stopped is given up, and answers when it goes on', async () => {
  await using host = await makeHostNix('trixie', []);
  await using daemon = await host.startDaemon();
  daemon.signal('SIGSTOP');
  const wedged = helloDaemon(host.socket, 100);
  assert.equal(wedged.kind === 'no daemon' && wedged.errno, 'ETIMEDOUT', JSON.stringify(wedged));
  daemon.signal('SIGCONT');
  assert.equal(helloDaemon(host.socket, PATIENCE_MS).kind, 'daemon');
});

namespaceTest(
  'a daemon says whom it does not trust, and hangs up on those whom it does not allow',
  async () => {
    await using host = await makeHostNix('trixie', []);
    await host.shell('echo "trusted-users = nobody" >>/etc/nix/nix.conf');
    {
      await using _daemon = await host.startDaemon();
      const hello = helloDaemon(host.socket, PATIENCE_MS);
      assert.equal(hello.kind === 'daemon' && hello.trusted, false, JSON.stringify(hello));
    }
    await host.shell('echo "allowed-users = nobody" >>/etc/nix/nix.conf');
    await using _daemon = await host.startDaemon(/hangs up/);
    const hello = helloDaemon(host.socket, PATIENCE_MS);
    assert.deepEqual(hello, { kind: 'no daemon', what: 'hangs up on this user', errno: 'ECONNRESET' });
  },
);

namespaceTest('a question that the daemon refuses is answered in its words', async () => {
  await using host = await makeHostNix('trixie', []);
  await using _daemon = await host.startDaemon();
  const hello = helloDaemon(host.socket, PATIENCE_MS, ['/elsewhere/x']);
  assert.ok(hello.kind === 'no daemon', JSON.stringify(hello));
  assert.match(hello.what, /^says: .*\/elsewhere\/x.* is not in the Nix store/);
  assert.equal(hello.errno, 'EPROTO');
});
