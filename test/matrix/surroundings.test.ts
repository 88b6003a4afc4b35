import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';
import type { SettingBoot } from '../harness/setting.ts';

type Surroundings = {
  /** How a machine of namespaces comes to be so; it has all privileges. */
  namespaces: string;
  docker: string[];
};

const unprivileged =
  '--reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all';

const kinds: Record<string, Surroundings> = {
  'a read-only root': { namespaces: 'mount -o remount,bind,ro /', docker: ['--read-only'] },
  'a read-only root and nothing to write to at all': {
    namespaces: 'mount -o remount,bind,ro /; mount -t tmpfs -o ro none /tmp; mount -t tmpfs -o ro none /run',
    docker: ['--read-only', '--ipc', 'none'],
  },
  'a /run from which nothing can be executed': {
    namespaces: 'mount -t tmpfs -o noexec,nosuid,nodev none /run',
    docker: ['--tmpfs', '/run:noexec,nosuid'],
  },
  'a user who is nobody, without any privilege': {
    namespaces: `set -- setpriv ${unprivileged} "$@"`,
    docker: ['--user', '65534:65534', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  },
  'root without any privilege': {
    namespaces: 'set -- setpriv --inh-caps=-all --bounding-set=-all "$@"',
    docker: ['--cap-drop', 'ALL'],
  },
  'sixty-four open files at most': { namespaces: 'ulimit -n 64', docker: ['--ulimit', 'nofile=64'] },
  'no core files, a small stack': {
    namespaces: 'ulimit -c 0; ulimit -s 1024',
    docker: ['--ulimit', 'core=0', '--ulimit', 'stack=1048576'],
  },
};

const check = ['sh', '-c', 'setsid sleep 60 & echo runs; exit 3'];
const ran = { exitCode: 3, stdout: 'runs\n', stderr: '' };
const around = ({ namespaces, docker }: Surroundings, name: string): SettingBoot =>
  name === 'docker' ? { docker } : { via: `${namespaces}; exec "$@"` };

matrix('it works with', (matrixCase) => {
  for (const [name, surroundings] of Object.entries(kinds)) {
    matrixCase(name, async (setting) => {
      assert.deepEqual(await setting.run(check, around(surroundings, setting.name)), ran);
    });
  }
  matrixCase('a time zone and a locale that do not exist', async (setting) => {
    const via = 'export TZ=No/Where LANG=xx_XX LC_ALL=yy_YY; exec "$@"';
    assert.deepEqual(await setting.run(check, { via }), ran);
  });
});

// Apart from the others, for it changes the machine.
matrix('it works without', (matrixCase) => {
  matrixCase('/tmp and /dev/shm', async (setting) => {
    const via = 'rm -rf /tmp; [ -d /dev/shm ] && rmdir /dev/shm; exec "$@"';
    assert.deepEqual(await setting.run(check, { via, docker: ['--ipc', 'none'] }), ran);
  });
});
