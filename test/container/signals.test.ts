import assert from 'node:assert/strict';
import { boot, startContainer } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';

// Those that a program may want for itself; none of them means the end of the container.
const signals = [
  'HUP',
  'QUIT',
  'USR1',
  'USR2',
  'ALRM',
  'WINCH',
  'CONT',
  'IO',
  'URG',
  'PWR',
  'VTALRM',
  'PROF',
];

const tell = `
$| = 1;
for my $name (qw(${signals.join(' ')})) { $SIG{$name} = sub { print "got $_[0]\\n" }; }
$SIG{INT} = sub { print "end\\n"; exit 8 };
print "ready\\n";
select(undef, undef, undef, 0.1) while 1;
`;

containerTest('every signal arrives as itself, once', async () => {
  await using container = await startContainer({ grant: 'nothing', command: ['perl', '-e', tell] });
  await container.waitForLog(/^ready$/m);
  for (const signal of signals) {
    await docker('kill', '-s', signal, container.name);
    await container.waitForLog(new RegExp(`^got ${signal}$`, 'm'));
  }
  await docker('kill', '-s', 'INT', container.name);
  assert.equal(await container.waitForEnd(), 8);
  const got = (await container.logs()).stdout.split('\n').filter((line) => line.startsWith('got '));
  assert.deepEqual(got.sort(), signals.map((signal) => `got ${signal}`).sort());
});

containerTest('the whole process group of the main command is signalled', async () => {
  const child = "trap 'echo child; exit' USR1; echo re''ady; while :; do sleep 0.1; done";
  const command = ['sh', '-c', `sh -c "${child}" & trap 'echo parent' USR1; wait; wait; exit 3`];
  await using container = await startContainer({ grant: 'nothing', command });
  await container.waitForLog(/^ready$/m);
  await docker('kill', '-s', 'USR1', container.name);
  assert.equal(await container.waitForEnd(), 3);
  const { stdout } = await container.logs();
  assert.match(stdout, /^child$/m);
  assert.match(stdout, /^parent$/m);
});

containerTest('the main command starts with no signal blocked or ignored that was not before', async () => {
  const command = ['grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status'];
  const ours = await boot({ grant: 'nothing', command });
  assert.match(ours.stdout, /SigBlk:\s+0{16}/);
  assert.match(ours.stdout, /SigIgn:\s+0{16}/);
});
