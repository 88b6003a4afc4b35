import assert from 'node:assert/strict';
import { containerTest } from '../harness/containerTest.ts';
import { buildImage, type Example, readExamples, runExample } from '../harness/docs.ts';

const examples = readExamples();

const run = (language: string): Example[] =>
  examples.filter((example) => example.language === language && example.notRun === undefined);

for (const example of run('sh')) {
  containerTest(`${example.place} works as it stands: ${example.text.split('\n')[0]}`, async () => {
    const [dockerfile] = run('dockerfile');
    const image = await buildImage(dockerfile?.text ?? '');
    const { exitCode, stdout, stderr } = await runExample(example, image);
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    // It is the example of something that works.
    assert.doesNotMatch(stderr, /nothing will be kept/);
  });
}
