// `npm run nix-hashes`: what nix/package.nix says of node_modules, after a change of package-lock.json.
import { execFileSync } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import {
  copyFileSync,
  lstatSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../test/harness/paths.ts';

const architectures = { 'x86_64-linux': 'x64', 'aarch64-linux': 'arm64' };

const hashes: Record<string, string> = { lock: sha256(readFileSync(join(repository, 'package-lock.json'))) };
for (const [system, cpu] of Object.entries(architectures)) hashes[system] = hashOfModules(cpu);
writeFileSync(join(repository, 'nix/node-modules.json'), `${JSON.stringify(hashes, null, 2)}\n`);

/** Installed as nix/package.nix does, but for another machine than this may be. */
function hashOfModules(cpu: string): string {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'nix-cache-init-modules-'));
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(join(repository, name), join(directory.path, name));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-bin-links'];
  execFileSync('npm', ['ci', ...flags, '--os=linux', `--cpu=${cpu}`, '--libc=glibc'], {
    cwd: directory.path,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const modules = join(directory.path, 'node_modules');
  rmSync(join(modules, '.package-lock.json'));
  const hash = createHash('sha256');
  archive(hash, 'nix-archive-1');
  serialise(hash, modules);
  return `sha256-${hash.digest('base64')}`;
}

function sha256(bytes: Buffer): string {
  return `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
}

/** A tree as Nix hashes it: its archive (NAR) knows names, contents, links and who may execute. */
function serialise(hash: Hash, path: string): void {
  const stat = lstatSync(path);
  archive(hash, '(', 'type');
  if (stat.isSymbolicLink()) archive(hash, 'symlink', 'target', readlinkSync(path));
  else if (stat.isDirectory()) {
    archive(hash, 'directory');
    for (const name of readdirSync(path).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      archive(hash, 'entry', '(', 'name', name, 'node');
      serialise(hash, join(path, name));
      archive(hash, ')');
    }
  } else {
    archive(
      hash,
      'regular',
      ...((stat.mode & 0o100) === 0 ? [] : ['executable', '']),
      'contents',
      readFileSync(path),
    );
  }
  archive(hash, ')');
}

/** Each with its length, padded to eight bytes. */
function archive(hash: Hash, ...parts: readonly (string | Buffer)[]): void {
  for (const part of parts) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    hash
      .update(length)
      .update(bytes)
      .update(Buffer.alloc((8 - (bytes.length % 8)) % 8));
  }
}
