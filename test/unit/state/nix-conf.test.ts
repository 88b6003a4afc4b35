import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateNixConf, userConfFiles } from '../../../src/state/nix-conf.ts';
import { withLines } from '../../../src/state/nix-conf-lines.ts';

/** The value that Nix would take: of a setting named twice the later line counts (nix.conf(5)). */
function settingOf(text: string, name: string): string | undefined {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').split('='));
  return lines.findLast(([key]) => key?.trim() === name)?.[1]?.trim();
}

const settings = { 'auto-optimise-store': 'false', store: 'daemon' };

test('the defaults are there although the image has none', () => {
  const text = generateNixConf(settings, '');
  assert.equal(settingOf(text, 'auto-optimise-store'), 'false');
  assert.equal(settingOf(text, 'store'), 'daemon');
});

test("the user's own word counts", () => {
  assert.equal(
    settingOf(generateNixConf(settings, 'auto-optimise-store = true\n'), 'auto-optimise-store'),
    'true',
  );
});

const own = [
  '',
  'sandbox = false\n',
  'no line end',
  '# only a comment\n',
  '!include ./more.conf\ninclude other.conf\n',
  '\r\n',
];

for (const text of own) {
  test(`the user's file comes last and as it is: ${JSON.stringify(text)}`, () => {
    const generated = generateNixConf(settings, text);
    assert.ok(generated.endsWith(`\n${text}`));
    assert.equal(generated.length, generateNixConf(settings, '').length + text.length);
  });
}

test('it says who made it', () => assert.match(generateNixConf(settings, ''), /^# .*nix-cache-init/));

test('what a killed boot put into the file itself is not the user’s', () => {
  const marked = withLines('cores = 2\n', { before: ['store = x'] });
  assert.equal(generateNixConf(settings, marked), generateNixConf(settings, 'cores = 2\n'));
});

const files: [NodeJS.ProcessEnv, string[]][] = [
  [{ HOME: '/h' }, ['/h/.config/nix/nix.conf', '/etc/xdg/nix/nix.conf']],
  [{ HOME: '/h', XDG_CONFIG_HOME: '/c' }, ['/c/nix/nix.conf', '/etc/xdg/nix/nix.conf']],
  [{ HOME: '/h', NIX_CONFIG_HOME: '/n', XDG_CONFIG_HOME: '/c' }, ['/n/nix.conf', '/etc/xdg/nix/nix.conf']],
  [
    { HOME: '/h', XDG_CONFIG_DIRS: '/a::/b' },
    ['/h/.config/nix/nix.conf', '/a/nix/nix.conf', '/b/nix/nix.conf'],
  ],
  [{ HOME: '/h', NIX_USER_CONF_FILES: '/x:/y' }, ['/x', '/y']],
  [{ HOME: '/h', NIX_USER_CONF_FILES: '' }, []],
];

for (const [env, expected] of files) {
  test(`the user's files with ${JSON.stringify(env)}`, () => assert.deepEqual(userConfFiles(env), expected));
}
