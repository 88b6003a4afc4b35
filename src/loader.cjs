// The first lines that run in the single executable. Node's own code cache for it has only what is compiled before
// anything runs; ours were taken after a warm run, and halve what is left to compile (docs/decisions/0002, 0022).
const { Script } = require('node:vm');
const { getRawAsset, isSea } = require('node:sea');

const loading = process.uptime() * 1000;

// That node:ffi is an experiment we know: to leave it unsaid by --disable-warning, Node still makes an error of it, with a stack.
const { emitWarning } = process;
process.emitWarning = (warning, type, ...rest) => {
  if (type !== 'ExperimentalWarning') emitWarning(warning, type, ...rest);
};

function evaluate(name) {
  const asset = (file) => Buffer.from(getRawAsset(file));
  const script = new Script(asset(name).latin1Slice(), {
    filename: name,
    cachedData: asset(`${name}.cache`),
  });
  const of = { exports: {} };
  script.runInThisContext()(of.exports, link, of);
  return of.exports;
}

/** What tools/bundle.ts has the scripts ask for: modules of another one, `SCRIPT:FILE`, and Node's. */
function link(id) {
  const [name, file] = id.split(':');
  if (file === undefined || name === 'node') return require(id);
  exports[name] ??= evaluate(name);
  return name === 'rest' ? exports.rest[id]() : exports[name][id];
}

exports.boot = evaluate('boot');
// tools/code-cache.ts goes on by itself.
if (isSea()) exports.boot.main(process.argv, loading).then(exports.boot.exitNow);
