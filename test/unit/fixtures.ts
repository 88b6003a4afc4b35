import assert from 'node:assert/strict';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Config } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type ExitCode, InitError } from '../../src/errors.ts';
import type { Credentials } from '../../src/linux/credentials.ts';
import type { Log } from '../../src/log.ts';
import type { Facts } from '../../src/store/facts.ts';
import type { HostFacts } from '../../src/store/host-facts.ts';
import type { VolumeFacts } from '../../src/volume/probe.ts';

const { config: defaults } = await loadConfig({ flags: new Map(), env: {} });

/** The built-in defaults, and what a case changes. */
export const makeConfig = (changes: Partial<Config> = {}): Config => ({ ...defaults, ...changes });

type Directory = Extract<VolumeFacts, { kind: 'directory' }>;

export function makeVolume(changes: Partial<Directory> = {}): Directory {
  return {
    kind: 'directory',
    mounted: true,
    fileSystem: 'ext4',
    readOnly: false,
    hasUpper: false,
    ...changes,
  };
}

/** Docker's defaults and SYS_ADMIN, as root. */
export const dockerCapabilities = 0xa82425fbn;

export function makeCredentials(changes: Partial<Credentials> = {}): Credentials {
  const [permitted, effective, bounding] = [dockerCapabilities, dockerCapabilities, dockerCapabilities];
  return {
    uids: [0, 0, 0],
    gids: [0, 0, 0],
    groups: [0],
    capabilities: { inheritable: 0n, permitted, effective, bounding, ambient: 0n },
    noNewPrivileges: false,
    ...changes,
  };
}

/** A machine on which everything works: root with SYS_ADMIN, an ext4 volume, Nix installed. */
export function makeFacts(changes: Partial<Facts> = {}): Facts {
  return {
    root: true,
    sysAdmin: true,
    credentials: makeCredentials(),
    userNamespace: false,
    volume: makeVolume(),
    storeDir: true,
    stateDir: true,
    lowers: [],
    stateReadOnly: false,
    logDir: '/nix/var/log',
    runReadOnly: false,
    leftovers: [],
    nixConf: { dir: '/etc/nix', kind: 'file', readOnly: false },
    daemon: { path: '/bin/nix-daemon', socket: '/nix/var/nix/daemon-socket/socket' },
    socketMounted: false,
    host: makeHost(),
    nixVersion: '2.34.1',
    imageDatabase: 'whole',
    storeLinks: true,
    lowerStore: undefined,
    nix: { nix: '/bin/nix', nixStore: '/bin/nix-store' },
    writable: { store: true, volume: true, nixConf: true },
    userConfDir: '/etc/xdg/nix',
    markedConfs: [],
    userConfFiles: ['/root/.config/nix/nix.conf', '/etc/xdg/nix/nix.conf'],
    ...changes,
  };
}

/** A host's store and a daemon that answers, as an unprivileged user of it would have them. */
export function makeHost(changes: Partial<HostFacts> = {}): HostFacts {
  const daemon = { kind: 'daemon', protocol: { major: 1, minor: 38 }, nixVersion: '2.34.1' } as const;
  return {
    mounted: 'read-only',
    daemon: { ...daemon, trusted: false, valid: ['/nix/store/00000000000000000000000000000000-a'] },
    asked: 1,
    socketAlone: false,
    lost: [],
    remote: 'daemon',
    ...changes,
  };
}

/** A temporary directory, removed with its contents at the end of the scope (`using`). */
export const temporaryDirectory = () => mkdtempDisposableSync(`${tmpdir()}/nix-cache-init-unit-`);

/** A log that remembers what it was told. */
export function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => {
    lines.push(`${level}: ${message}`);
  };
  return { log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }, lines };
}

type Expected = {
  exitCode: ExitCode;
  stage?: string;
  errno?: string;
  what?: string | RegExp;
  remedy?: string | RegExp;
};

/** The shape of DESIGN §4.3's line, without the program's name: always one line. */
export const failureLine = /^[a-z]+: .+: E[A-Z0-9]+ \(.+\)$/;

/** For assert.throws and assert.rejects: the error that ends a boot, with these parts. */
export function isInitError({ exitCode, stage, errno, what, remedy }: Expected): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof InitError, `not an InitError: ${error}`);
    assert.equal(error.exitCode, exitCode, error.message);
    assert.match(error.message, failureLine);
    if (stage !== undefined) assert.equal(error.stage, stage);
    if (errno !== undefined) assert.equal(error.errno, errno);
    assertText(error.what, what);
    assertText(error.remedy, remedy);
    return true;
  };
}

function assertText(actual: string, expected: string | RegExp | undefined): void {
  if (typeof expected === 'string') assert.equal(actual, expected);
  else if (expected !== undefined) assert.match(actual, expected);
}
