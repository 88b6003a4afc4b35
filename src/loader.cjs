// The first lines that run in the single executable. Node's own code cache for it has only what is compiled before
// anything runs; ours was taken after a warm run, and halves what is left to compile (docs/decisions/0002).
const { Script } = require('node:vm');
const { getRawAsset } = require('node:sea');

const text = (name) => Buffer.from(getRawAsset(name)).latin1Slice();
const script = new Script(text('bundle'), {
  filename: 'nix-cache-init.cjs',
  cachedData: Buffer.from(getRawAsset('cache')),
});
const program = { exports: {} };
script.runInThisContext()(program.exports, require, program);
program.exports.main(process.argv).then(program.exports.exitNow);
