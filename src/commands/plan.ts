import type { CommandLine } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { printOut } from '../log.ts';
import { gatherFacts } from '../store/facts.ts';
import { describeStep } from '../store/plan.ts';
import { refusal, select } from '../store/select.ts';
import { printJson, printSchema } from './json.ts';
import { planSchema } from './schemas/plan.ts';

/** Prints what a boot would do here and now. */
export async function runPlan({ flags, file, switches }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('plan', planSchema);
  const { config } = await loadConfig({ flags, file, env: process.env });
  const { plan, passedOver } = await select(await gatherFacts(config, process.env), config);
  if (switches.has('json')) {
    printJson({ ...plan, passedOver });
  } else {
    for (const { strategy, why } of passedOver) printOut(`not ${strategy}: ${refusal(why).message}\n`);
    if (plan) printOut(`strategy: ${plan.strategy}\n`);
    for (const [index, step] of plan?.steps.entries() ?? [])
      printOut(`${String(index + 1).padStart(3)}. ${describeStep(step)}\n`);
  }
  return plan === undefined ? (passedOver.at(-1)?.why.exitCode ?? 0) : 0;
}
