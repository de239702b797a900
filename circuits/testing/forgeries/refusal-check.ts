/**
 * Test support: there is no witness, and which statement refused which forgery. A refusal without a named template and
 * statement fails the test. With REFUSALS_PATH set, the refusals go to that file, which `scripts/refusals.ts` prints.
 */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { afterAll, expect } from "vitest";
import { repositoryRoot } from "../../compiler/compile.ts";
import { templateFiles, templateSource } from "../../compiler/template-files.ts";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import type { CircuitTester } from "../circuit-tester.ts";
import { type Refusal, refusalRow } from "./refusal-rows.ts";

const refusals = new Map<string, Refusal>();
const sources = new Map<string, string[]>();

/** The circuit has no witness for these inputs, and the statement that refuses contains `at`, or one of several. */
export async function expectRefusedBy(
  tester: CircuitTester,
  inputs: CircuitInputs,
  at: string | readonly string[],
  message: string,
): Promise<void> {
  const outcome = await refusalOf(tester, inputs);
  expect(outcome, `${message}: has a witness`).toBeInstanceOf(Array);
  const statements = outcome as readonly string[];
  const trace = statements.join("\n");
  const found = [at].flat().find((one) => trace.includes(one));
  expect(found, `${message}: refused by ${trace}`).toBeDefined();
  noteRefusal(message, statements, found!);
}

/**
 * Finds the statements on the way to the one that fails for these inputs, inner first. Returns the witness if
 * none fails.
 */
export async function refusalOf(
  tester: CircuitTester,
  inputs: CircuitInputs,
): Promise<readonly string[] | { readonly witness: bigint[] }> {
  try {
    return { witness: await tester.calculateWitness(inputs) };
  } catch (error) {
    const { code, data } = error as { code: string; data: { trace: string[] } };
    if (code !== "CIR_WITNESS_REFUSED") throw error;
    return refusingStatements(data.trace);
  }
}

/**
 * Reads the statements on the way to the failed one from the trace of circom's witness program, inner first.
 */
function refusingStatements(trace: readonly string[]): string[] {
  if (sources.size === 0) {
    for (const [name] of templateFiles()) {
      const text = templateSource(name);
      for (const [, template] of text.matchAll(/^template (\w+)\(/gm))
        sources.set(template!, text.split("\n"));
    }
  }
  return trace.map((entry) => {
    const [, template, line] = /template (\w+)_\d+ line: (\d+)/.exec(entry) ?? [];
    return `${template}: ${sources.get(template!)?.[Number(line) - 1]?.trim()}`;
  });
}

/** Notes a refusal; `statements` are those on the way to the failed one, `at` is part of the one that has the rule. */
export function noteRefusal(forgery: string, statements: readonly string[], at: string): void {
  const { currentTestName = "", testPath = "" } = expect.getState();
  const statement = statements.find((one) => one.includes(at));
  expect(statement, `${forgery}: no named constraint refused it`).toMatch(
    /^(?!undefined\b)\w+: (?!undefined$)\S/,
  );
  const refusal = {
    file: relative(repositoryRoot, testPath),
    forgery: `${currentTestName.replaceAll(" > ", ", ")}: ${forgery}`,
    statement: statement!,
  };
  refusals.set(refusalRow(refusal), refusal);
}

afterAll(() => {
  const path = process.env.REFUSALS_PATH;
  if (path === undefined) return;
  appendFileSync(path, [...refusals.values()].map((refusal) => `${JSON.stringify(refusal)}\n`).join(""));
});
