import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushInBatches } from '../../../src/push/round.ts';

type Case = { attempts: string[]; pushed: string[]; result: Awaited<ReturnType<typeof pushInBatches>> };

/** A cache that does not take batches with some paths in them; of `down` nothing at all, after so many attempts. */
async function round(
  batches: string[],
  {
    bad = '',
    patience = 2,
    down = Number.POSITIVE_INFINITY,
  }: { bad?: string; patience?: number; down?: number },
): Promise<Case> {
  const attempts: string[] = [];
  const pushed: string[] = [];
  const result = await pushInBatches(
    batches.map((batch) => [...batch]),
    {
      patience,
      attempt: async (paths) => {
        attempts.push(paths.join(''));
        if (attempts.length > down) return 'down';
        return paths.some((path) => bad.includes(path)) ? `no ${paths.join('')}` : undefined;
      },
      onPushed: async (paths) => {
        pushed.push(...paths);
      },
    },
  );
  return { attempts, pushed: pushed.sort(), result };
}

test('what works is one attempt a batch', async () => {
  const { attempts, pushed, result } = await round(['abc', 'de'], {});
  assert.deepEqual(attempts, ['abc', 'de']);
  assert.deepEqual(pushed, [...'abcde']);
  assert.equal(result, undefined);
});

test('nothing is no attempt', async () => {
  assert.deepEqual(await round([], {}), { attempts: [], pushed: [], result: undefined });
});

for (const bad of 'abcdefgh') {
  test(`a path that cannot be pushed (${bad}) is found, and all others are pushed`, async () => {
    const { pushed, result } = await round(['abcdefgh', 'xy'], { bad });
    assert.deepEqual(
      pushed,
      [...'abcdefghxy'].filter((path) => path !== bad),
    );
    assert.deepEqual(result, { missing: [bad], why: `no ${bad}` });
  });
}

test('a cache that is down is asked three times, and not for each path', async () => {
  const { attempts, pushed, result } = await round(['abcdefgh', 'xy'], { down: 0 });
  assert.deepEqual(attempts, ['abcdefgh', 'a', 'h']);
  assert.deepEqual(pushed, []);
  assert.deepEqual(result?.missing.toSorted(), [...'abcdefghxy']);
  assert.equal(result?.why, 'down');
});

test('one that goes down midway keeps what it has; what it has not is missing, each once', async () => {
  const { attempts, pushed, result } = await round(['ab', 'cdef', 'xy'], { down: 1 });
  assert.deepEqual(attempts, ['ab', 'cdef', 'c', 'f']);
  assert.deepEqual(pushed, ['a', 'b']);
  assert.deepEqual(result?.missing.toSorted(), [...'cdefxy']);
});

test('without patience one attempt that fails is the end', async () => {
  const { attempts, result } = await round(['ab', 'cd'], { bad: 'a', patience: 0 });
  assert.deepEqual(attempts, ['ab']);
  assert.deepEqual(result, { missing: [...'abcd'], why: 'no ab' });
});

test('as many as the patience may fail in a row in all batches, if others work between them', async () => {
  const { pushed, result } = await round(['a', 'b', 'c', 'd', 'e'], { bad: 'ace' });
  assert.deepEqual(pushed, ['b', 'd']);
  assert.deepEqual(result?.missing, ['a', 'c', 'e']);
});
