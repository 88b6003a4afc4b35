import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { KeyName } from '../../../src/config/keys.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const withFlag = (name: KeyName, text: string) => () =>
  loadConfig({ flags: new Map([[name, text]]), env: {} });

async function withFile(text: string): Promise<void> {
  using directory = temporaryDirectory();
  const file = `${directory.path}/config.json`;
  writeFileSync(file, text);
  await loadConfig({ flags: new Map(), env: {}, file });
}

const refused = { exitCode: 78, stage: 'config', errno: 'EINVAL' } as const;

const values: [KeyName, string][] = [
  ['strategy', 'Overlay'],
  ['strategy', ''],
  ['cacheDir', 'relative'],
  ['cacheDir', '/trailing/'],
  ['cacheDir', '//'],
  ['cacheDir', '/nul\0'],
  ['cacheDir', ''],
  ['onLocked', 'maybe'],
  ['lockTimeout', '30'],
  ['shutdown.grace', '8 s'],
  ['shutdown.grace', '-1s'],
  ['daemon.enabled', 'maybe'],
  ['daemon.command', ''],
  ['daemon.args', 'not json'],
  ['daemon.args', '"one"'],
  ['daemon.args', '[1]'],
  ['user', ''],
  ['user', 'alice:'],
  ['user', ':alice'],
  ['user', 'alice bob'],
  ['user', '1:2:3'],
  ['capabilities', 'none'],
  ['capabilities', '{}'],
  ['capabilities', '[21]'],
  ['noNewPrivileges', 'maybe'],
  ['exitCodes', '[]'],
  ['exitCodes', '{"256":0}'],
  ['exitCodes', '{"01":0}'],
  ['exitCodes', '{"-1":0}'],
  ['exitCodes', '{"1":256}'],
  ['exitCodes', '{"1":-1}'],
  ['exitCodes', '{"1":0.5}'],
  ['processGroup', 'auto'],
  ['processGroup', '2'],
  ['gc.maxSize', '20GB'],
  ['gc.maxSize', '-1G'],
  ['gc.schedule', 'daily'],
  ['gc.schedule', '59s'],
  ['log.level', 'trace'],
];

for (const [name, text] of values) {
  test(`${name} ${JSON.stringify(text)} is refused, naming key, source and what is allowed`, async () => {
    const what = new RegExp(`^${name.replace('.', '\\.')} is .+ in flag --`);
    await assert.rejects(withFlag(name, text)(), isInitError({ ...refused, what, remedy: /^allowed: ./ }));
  });
}

const daemonKeys = /^allowed: an object with daemon\.enabled, daemon\.command, daemon\.args$/;

const files: [string, RegExp, RegExp][] = [
  ['{"stratgy":"none"}', /^unknown key stratgy in file \/.*config\.json$/, /strategy/],
  ['{"daemon":{"enable":true}}', /^unknown key daemon\.enable in file/, /daemon\.enabled/],
  ['{"log":{"levle":"info"}}', /^unknown key log\.levle in file/, /^did you mean log\.level\?$/],
  ['{"daemon.arg":[]}', /^unknown key daemon\.arg in file/, /^did you mean daemon\.args\?$/],
  ['{"cachedir":"/c"}', /^unknown key cachedir in file/, /^did you mean cacheDir\?$/],
  ['{"lockTimeOut":"1s"}', /^unknown key lockTimeOut in file/, /^did you mean lockTimeout\?$/],
  // A section is neither the value that it groups nor a list of them.
  ['{"daemon":true}', /^daemon is true in file/, daemonKeys],
  ['{"daemon":null}', /^daemon is null in file/, daemonKeys],
  ['{"daemon":["-v"]}', /^daemon is \["-v"\] in file/, daemonKeys],
  ['{"shutdown":"8s"}', /^shutdown is "8s" in file/, /^allowed: an object with shutdown\.grace$/],
  // The schema of a file is named at its top only.
  ['{"daemon":{"$schema":"x"}}', /^unknown key daemon\.\$schema in file/, /did you mean daemon\./],
  ['{"__proto__":{}}', /^unknown key __proto__ in file/, /did you mean/],
  ['{"constructor":1}', /^unknown key constructor in file/, /did you mean/],
  ['{"processGroup":"true"}', /^processGroup is "true" in file/, /^allowed: true, false$/],
  ['{"lockTimeout":30}', /^lockTimeout is 30 in file/, /500ms/],
  ['{"strategy":null}', /^strategy is null in file/, /auto, overlay, .*none/],
  ['{"lowers":["m/store"]}', /^lowers/, /list of absolute paths/],
  ['{"lowers":["/m/store","/m/store"]}', /^lowers/, /each once/],
  ['{"lowers":"/m/store"}', /^lowers/, /list/],
  ['[]', /does not hold a JSON object$/, /strategy/],
  ['null', /does not hold a JSON object$/, /strategy/],
  ['"text"', /does not hold a JSON object$/, /strategy/],
  ['', /config\.json is not JSON: /, /correct the file/],
  ['{"strategy":"none",}', /config\.json is not JSON: /, /correct the file/],
];

for (const [text, what, remedy] of files) {
  test(`the file ${JSON.stringify(text)} is refused`, async () => {
    await assert.rejects(withFile(text), isInitError({ ...refused, what, remedy }));
  });
}

// V8 quotes the text around the mistake, line breaks and all.
const severalLines = [
  '{\n  "strategy": none\n}\n',
  '{\r\n  "strategy": none\r\n}\r\n',
  '{\n\n\n  "strategy": "none"\n  "cacheDir": "/c"\n}\n',
  '\n\n',
];

for (const text of severalLines) {
  test(`a file of several lines that is not JSON is reported on one: ${JSON.stringify(text)}`, async () => {
    const expected = isInitError({
      ...refused,
      what: /^\/.*config\.json is not JSON: ./,
      remedy: 'correct the file',
    });
    await assert.rejects(withFile(text), (error) => {
      assert.doesNotMatch(String(error), /[\r\n]/);
      return expected(error);
    });
  });
}

test('a value of several lines is reported on one', async () => {
  await assert.rejects(
    withFlag('strategy', 'over\nlay')(),
    isInitError({ ...refused, what: /"over\\nlay"/ }),
  );
});

test('a mistyped variable is refused with the nearest known one', async () => {
  const env = { NIX_CACHE_INIT_STRATGY: 'none' };
  await assert.rejects(
    loadConfig({ flags: new Map(), env }),
    isInitError({
      ...refused,
      what: 'unknown key NIX_CACHE_INIT_STRATGY in the environment',
      remedy: 'did you mean NIX_CACHE_INIT_STRATEGY?',
    }),
  );
});

test('a bad value is refused also where a good one hides it', async () => {
  const env = { NIX_CACHE_INIT_STRATEGY: 'overly' };
  await assert.rejects(
    loadConfig({ flags: new Map([['strategy', 'none']]), env }),
    isInitError({ ...refused, what: 'strategy is "overly" in environment NIX_CACHE_INIT_STRATEGY' }),
  );
});

const lowerStore = 'unix:///run/snix.sock?real=/snix/store';

const ignoring: [string | undefined, RegExp][] = [
  [undefined, /strategy is auto \(default\)/],
  ...['auto', 'overlay', 'prefix', 'host', 'substituter', 'none'].map((strategy): [string, RegExp] => [
    strategy,
    new RegExp(`strategy is ${strategy} \\(flag --strategy\\)`),
  ]),
];

for (const [strategy, what] of ignoring) {
  test(`lowerStore beside strategy ${strategy ?? 'by default'}, which would ignore it, is refused`, async () => {
    const flags = new Map<KeyName, string>(strategy === undefined ? [] : [['strategy', strategy]]);
    const env = { NIX_CACHE_INIT_LOWER_STORE: lowerStore };
    const remedy = 'set strategy=local-overlay, or remove lowerStore';
    await assert.rejects(loadConfig({ flags, env }), isInitError({ ...refused, what, remedy }));
    const whence = /^lowerStore is set in environment NIX_CACHE_INIT_LOWER_STORE, but /;
    await assert.rejects(loadConfig({ flags, env }), isInitError({ ...refused, what: whence }));
  });
}

test('lowerStore beside strategy local-overlay is not', async () => {
  const flags = new Map<KeyName, string>([
    ['lowerStore', lowerStore],
    ['strategy', 'local-overlay'],
  ]);
  assert.equal((await loadConfig({ flags, env: {} })).config.lowerStore, lowerStore);
});

for (const name of ['constructor', 'toString', '__proto__']) {
  test(`a boolean is shown as it was given: ${name}`, async () => {
    const what = `processGroup is "${name}" in flag --process-group`;
    await assert.rejects(withFlag('processGroup', name)(), isInitError({ ...refused, what }));
  });
}

const unreadable: [string, string, string][] = [
  ['missing', '/nope.json', 'ENOENT'],
  ['a directory', '', 'EISDIR'],
];

for (const [name, suffix, errno] of unreadable) {
  test(`a named file that is ${name} is refused with ${errno}`, async () => {
    using directory = temporaryDirectory();
    const file = `${directory.path}${suffix}`;
    const expected = isInitError({
      exitCode: 78,
      stage: 'config',
      errno,
      what: `cannot read ${file}`,
      remedy: /--config/,
    });
    await assert.rejects(loadConfig({ flags: new Map(), env: {}, file }), expected);
  });
}
