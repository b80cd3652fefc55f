// The scenario as a file, with what came of each step as what is expected: `cae replay` then checks the same result.

import { readScenario, withTimes, writeScenario, type Step } from "../conversation/scenario.ts";
import type { Json, JsonObject, Line } from "../engine/types.ts";

export function scenarioFile(written: string, lines: Line[]): string {
  const scenario = readScenario(written);
  if (scenario === undefined) return written;
  const timed = withTimes(scenario);
  return writeScenario({
    ...timed,
    timeline: timed.timeline.map((step, index) =>
      expecting(
        step,
        lines.filter((line) => line.step === index),
      ),
    ),
  });
}

function expecting(step: Step, lines: Line[]): Step {
  const expect: JsonObject = {};
  for (const line of lines) {
    if (line.issuerAnswer?.result !== undefined) expect["issuer"] = line.issuerAnswer.result;
    if (line.evaluation !== undefined) {
      expect["decision"] = line.evaluation.decision;
      expect["status"] = line.evaluation.status;
      expect["reasons"] = line.evaluation.reasons.map((reason) => (reason["code"] ?? null) as Json);
    }
  }
  return Object.keys(expect).length === 0
    ? step
    : { ...step, expect: { ...(step["expect"] as JsonObject | undefined), ...expect } };
}
