import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { parseAllDocuments } from 'yaml';
import type { Boot } from './container.ts';
import { cacheDirectory, repository } from './paths.ts';
import { type Outcome, run } from './run.ts';

/** Where the kinds that the manifests have are in kubernetes-models, which is generated from the published schemas. */
export const modules = {
  PersistentVolumeClaim: 'kubernetes-models/v1/PersistentVolumeClaim',
  Pod: 'kubernetes-models/v1/Pod',
  Job: 'kubernetes-models/batch/v1/Job',
  Deployment: 'kubernetes-models/apps/v1/Deployment',
} as const;

export type Manifest = {
  kind: keyof typeof modules;
  metadata: { name: string };
  spec: IPodSpec | { template: { spec: IPodSpec } };
};

const directory = join(repository, 'docs/kubernetes');

/** Everything in docs/kubernetes, file by file. */
export async function readManifests(): Promise<Manifest[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  return texts.flatMap((text) =>
    parseAllDocuments(text).map((document) => {
      const [error] = [...document.errors, ...document.warnings];
      if (error !== undefined) throw error;
      return document.toJS() as Manifest;
    }),
  );
}

/** The Pod that a manifest makes; undefined where it makes none. */
export function podOf({ kind, spec }: Manifest): IPodSpec | undefined {
  if (kind === 'PersistentVolumeClaim') return undefined;
  return 'template' in spec ? spec.template.spec : spec;
}

/**
 * Has the compiler compare manifests with the types of the published schemas: JSON Schema lets any further field pass, a
 * literal of a type has no other fields.
 */
export async function typeCheck(manifests: readonly Manifest[]): Promise<Outcome> {
  await mkdir(cacheDirectory, { recursive: true });
  const place = await mkdtemp(join(cacheDirectory, 'kubernetes-'));
  try {
    const lines = manifests.map(({ kind, ...rest }, index) => {
      const literal = JSON.stringify({ kind, ...rest });
      return `import type { I${kind} as T${index} } from '${modules[kind]}';\nexport const x${index}: T${index} = ${literal};`;
    });
    const file = join(place, 'manifests.ts');
    await writeFile(file, lines.join('\n'));
    const flags = ['--noEmit', '--ignoreConfig', '--strict', '--module', 'nodenext', '--skipLibCheck'];
    return await run(join(repository, 'node_modules/.bin/tsc'), [...flags, file], { cwd: repository });
  } finally {
    await rm(place, { recursive: true });
  }
}

/**
 * How Docker grants a Pod's container what its manifest grants it. There is no kubelet here; what both leave to the
 * kernel is the same.
 */
export function asBoot(pod: IPodSpec, volume: string): Omit<Boot, 'command'> {
  const [container] = pod.containers;
  const { capabilities, allowPrivilegeEscalation, appArmorProfile, readOnlyRootFilesystem } =
    container?.securityContext ?? {};
  const [mount] = container?.volumeMounts ?? [];
  const env = (container?.env ?? []).map(({ name, value = '' }) => [name, value] as const);
  return {
    grant: 'nothing',
    env: Object.fromEntries(env),
    flags: [
      ...['-v', `${volume}:${mount?.mountPath}${mount?.readOnly === true ? ':ro' : ''}`],
      ...(capabilities?.drop ?? []).flatMap((name) => ['--cap-drop', name]),
      ...(capabilities?.add ?? []).flatMap((name) => ['--cap-add', name]),
      ...(allowPrivilegeEscalation === false ? ['--security-opt', 'no-new-privileges'] : []),
      ...(appArmorProfile?.type === 'Unconfined' ? ['--security-opt', 'apparmor=unconfined'] : []),
      ...(readOnlyRootFilesystem === true ? ['--read-only'] : []),
    ],
  };
}
