import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeGround } from '../model/ground.ts';
import { runModel } from '../model/property.ts';

/** `npm run model` is for hundreds. */
const RUNS = 25;

/** Shrinking takes many sequences, each a few boots. */
const HANG_MS = 1_200_000;

namespaceTest(
  'random sequences of builds, collections, upgrades and kills leave valid what the model says, and nothing else',
  async () => {
    const seed = randomInt(2 ** 31);
    console.log(`${RUNS} sequences, seed ${seed}`);
    await using ground = await makeGround();
    const { runs, failure } = await runModel(ground, { runs: RUNS, seed });
    if (failure !== undefined) assert.fail(failure);
    assert.equal(runs, RUNS);
  },
  HANG_MS,
);
