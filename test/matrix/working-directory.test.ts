import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { matrix } from '../harness/matrix.ts';

const shell = (script: string): string[] => ['sh', '-c', script];
const mounting = { except: { docker: 'mounting takes more than Docker’s default privileges' } };
/** Unmounting takes SYS_ADMIN. */
const flags = ['--capabilities=keep'];
/** A mount of its own, which can be taken away again when nobody is in it. */
const mount = 'mkdir -p /mnt; mount -t tmpfs none /mnt; echo word >/mnt/file';

matrix('the working directory', (matrixCase) => {
  matrixCase('is the command’s, and init is in /', async (setting) => {
    await using running = await setting.start(shell('pwd -P; exec sleep 60'), {
      via: 'cd /usr/share; exec "$@"',
    });
    await running.waitFor(/^\/usr\/share$/m);
    const init = `/proc/${await running.pid()}`;
    assert.equal(readlinkSync(`${init}/cwd`), readlinkSync(`${init}/root`));
  });

  matrixCase('may have been removed', async (setting) => {
    const via = 'd=/tmp/gone-$$; mkdir $d; cd $d; rmdir $d; exec "$@"';
    const outcome = await setting.run(['echo', 'started'], { via });
    assert.deepEqual(outcome, { exitCode: 0, stdout: 'started\n', stderr: '' });
  });

  matrixCase('may have a name that is no UTF-8', async (setting) => {
    const via = 'cd /tmp; d=$(printf "caf\\\\351"); mkdir -p "$d"; cd "$d"; exec "$@"';
    const { stdout, stderr } = await setting.run(['perl', '-MCwd', '-e', 'print unpack("H*", getcwd())'], {
      via,
    });
    assert.equal(stdout, `${Buffer.from('/tmp/caf').toString('hex')}e9`, stderr);
  });

  matrixCase('may be a name that only the directory’s owner can go to', async (setting) => {
    const via = 'd=/tmp/private-$$; mkdir $d; chmod 0 $d; cd $d; exec "$@"';
    assert.equal((await setting.run(shell('exit 4'), { via })).exitCode, 4);
  });

  // catatonit #12, #28: the cwd or a file of init kept a mount busy for ever.
  matrixCase(
    'pins no mount',
    async (setting) => {
      const via = `${mount}; cd /mnt; exec "$@"`;
      assert.equal(
        (await setting.run(shell('cd /; umount /mnt && echo free'), { via, flags })).stdout,
        'free\n',
      );
    },
    mounting,
  );
  matrixCase(
    'nor does a file that was given to the command',
    async (setting) => {
      const via = `${mount}; exec 7</mnt/file; exec "$@"`;
      const script = 'cat <&7; exec 7<&-; sleep 0.3; umount /mnt && echo free';
      assert.equal((await setting.run(shell(script), { via, flags })).stdout, 'word\nfree\n');
    },
    mounting,
  );
  matrixCase(
    'and while the command is in it, the mount is busy',
    async (setting) => {
      const via = `${mount}; cd /mnt; exec "$@"`;
      assert.match((await setting.run(shell('umount /mnt'), { via, flags })).stderr, /busy/);
    },
    mounting,
  );
});
