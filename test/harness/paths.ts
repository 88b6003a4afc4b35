import { fileURLToPath } from 'node:url';

function fromRoot(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export const repository = fromRoot('.');
export const cacheDirectory = fromRoot('.cache');
export const fixtures = fromRoot('test/fixtures');
/** NCI_TEST_ROOTFS puts another init under the same tests: a baseline, or a build from elsewhere. */
export const rootfs = process.env['NCI_TEST_ROOTFS'] ?? fromRoot('dist/rootfs');
