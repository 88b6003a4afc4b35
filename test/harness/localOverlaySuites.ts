import { after, before, suite } from 'node:test';
import { suitesWithLocalOverlay } from './localOverlay.ts';
import { namespacesMissing, namespaceTest } from './namespaceTest.ts';
import { beginAnew, makeNixMachine, type NixMachine } from './nixMachine.ts';

/** A test on a machine that it shares with others. */
export type CheckOn = (what: string, act: (nix: NixMachine) => Promise<void>) => void;

/** Defines tests for each Nix that has a local-overlay store, on one machine, as if it were new to each. */
export function forEachLocalOverlay(tests: (check: CheckOn) => void): void {
  for (const name of suitesWithLocalOverlay) {
    suite(`Nix of ${name}`, () => {
      let nix: NixMachine;
      before(async () => {
        if (namespacesMissing === undefined) nix = await makeNixMachine({ suite: name });
      });
      after(() => nix?.[Symbol.asyncDispose]());
      tests((what, act) =>
        namespaceTest(what, async () => {
          await beginAnew(nix);
          await act(nix);
        }),
      );
    });
  }
}
