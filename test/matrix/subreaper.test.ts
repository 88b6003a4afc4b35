import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';
import { installCommands } from '../harness/packages.ts';

const shell = (script: string): string[] => ['sh', '-c', script];
const below = { except: { pid1: 'it is about not being PID 1', docker: 'it is about not being PID 1' } };

// s6-overlay #383, #535: "can only run as pid 1".
matrix('where init is not PID 1', (matrixCase) => {
  matrixCase(
    'it says so once, at level info, and at no lower one',
    async (setting) => {
      const { stderr } = await setting.run(['true'], { flags: ['--log-level=info'] });
      assert.equal(stderr.match(/subreaper/g)?.length, 1, stderr);
      assert.equal((await setting.run(['true'])).stderr, '');
    },
    below,
  );

  matrixCase(
    'it stops its own descendants and nobody else',
    async (setting) => {
      await installCommands({ pgrep: 'procps' });
      // Beside init lives a sleep of somebody else; init's own is gone when it has ended.
      const check = '[ "$(pgrep -x sleep)" = $sibling ] && echo only the sibling lives';
      const via = `sleep 60 & sibling=$!; "$@"; code=$?; ${check}; kill $sibling; exit $code`;
      const { exitCode, stdout } = await setting.run(shell('setsid sleep 60 & sleep 0.2; exit 12'), { via });
      assert.deepEqual([exitCode, stdout], [12, 'only the sibling lives\n']);
    },
    below,
  );

  // tini #218: a kernel or a filter that denies it was fatal.
  for (const errno of ['EPERM', 'EINVAL', 'ENOSYS']) {
    matrixCase(
      `a subreaper that it may not be (${errno}) is no reason to end`,
      async (setting) => {
        await installCommands({ strace: 'strace' });
        const inject = `strace -f -qqq -o /dev/null -e trace=prctl -e inject=prctl:error=${errno}`;
        const { exitCode, stdout, stderr } = await setting.run(shell('echo ran; exit 9'), {
          via: `${inject} "$@"; exit $?`,
          // Taking SYS_ADMIN from the command needs prctl(2) too.
          flags: ['--capabilities=keep'],
        });
        assert.deepEqual([exitCode, stdout], [9, 'ran\n'], stderr);
        assert.match(stderr, new RegExp(`"${errno}".*not allowed to be a subreaper`));
      },
      below,
    );
  }

  // What tini's -p is for.
  matrixCase(
    'it can be told by the kernel that its parent has died',
    async (setting) => {
      const parent = `sh -c 'setpriv --pdeathsig TERM "$@" & sleep 1' sh "$@"; sleep 2; exit 0`;
      const command = shell('trap "echo told; exit" TERM; echo up; while :; do sleep 0.05; done');
      assert.match((await setting.run(command, { via: parent })).stdout, /told/);
    },
    below,
  );
  matrixCase(
    'its parent’s death alone does not end it',
    async (setting) => {
      const parent = `sh -c '"$@" & sleep 0.3' sh "$@"; sleep 2; exit 0`;
      const command = shell('sleep 1.2; echo still here');
      assert.equal((await setting.run(command, { via: parent })).stdout, 'still here\n');
    },
    below,
  );
  matrixCase(
    'two of them below each other both do their work',
    async (setting) => {
      const inner = ['/init', '--strategy', 'none', '--', 'perl', '/programs/orphans.pl', '50', 'count'];
      const { exitCode, stdout } = await setting.run(inner);
      assert.deepEqual([exitCode, stdout], [42, 'adopted=all zombies=0\n']);
    },
    { except: {} },
  );
});
